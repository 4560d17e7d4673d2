"""What is asked of a model's server twice, and what never is."""
import harness
from scripted import Script, listen_on_ports


class RetryTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.start()

    def start(self):
        self.router = self.daemon(self.script.config('fox'), llama_server=self.script.program)
        harness.write_model(self.router.models / 'fox.gguf')
        self.router.start()

    def ask(self):
        return self.router.request('POST', '/v1/chat/completions', harness.chat_body('fox'))

    def test_a_kept_connection_is_used_again(self):
        for _ in range(3):
            self.assertEqual(self.ask().status, 200)
        self.assertEqual(len(set(self.script.seen())), 1, self.script.seen())

    def ask_twice_after(self, step):
        """Both are answered, each on a connection of its own."""
        self.script.plan(step, 'answer')
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.ask().status, 200)
        first, second = self.script.seen()
        self.assertNotEqual(first, second)

    def test_one_that_the_server_closed_is_replaced(self):
        self.ask_twice_after('answer-close')

    def test_a_request_that_the_server_did_not_read_is_sent_again(self):
        self.ask_twice_after('answer-deaf')

    def test_the_connection_of_a_stream_is_not_used_again(self):
        self.ask_twice_after('stream')

    def test_a_request_that_the_server_may_have_begun_is_not_sent_again(self):
        self.script.plan('answer', 'close', 'answer')
        self.assertEqual(self.ask().status, 200)
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertEqual(answer.json()['error']['code'], 'upstream_error')
        self.assertEqual(len(self.script.seen()), 2)

    def test_nothing_is_sent_again_after_the_first_byte_of_an_answer(self):
        self.script.plan('answer', 'part', 'answer')
        self.assertEqual(self.ask().status, 200)
        client = self.router.raw_chat('fox')
        received = client.read_to_end()
        client.close()
        self.assertIn(b'200 OK', received)
        self.assertFalse(received.endswith(b'}'), 'a part must not look like the whole')
        self.assertEqual(len(self.script.seen()), 2)

    def test_a_get_may_be_sent_again(self):
        self.script.plan('answer', 'close', 'answer')
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.router.request('GET', '/slots?model=fox').status, 200)
        self.assertEqual(len(self.script.seen()), 3)


class TcpRetryTest(RetryTest):
    """The same where the server listens on a port."""

    def start(self):
        super().start()
        listen_on_ports(self.router)

    def test_a_request_that_the_server_did_not_read_is_sent_again(self):
        """Only where it had closed before it came: a reset does not say whether it was read."""
        self.script.plan('answer-deaf', 'answer')
        self.assertEqual(self.ask().status, 200)
        status = self.ask().status
        self.assertIn(status, (200, 502))
        self.assertEqual(len(self.script.seen()), 2 if status == 200 else 1)


if __name__ == '__main__':
    harness.main()
