"""What is said of requests that go wrong: to their clients in another dialect, and in the history."""
import json

import harness
from harness import wait_for
from scripted import Script

MESSAGES = {'model': 'fox', 'max_tokens': 9, 'messages': [{'role': 'user', 'content': 'Hi'}]}


class AccountTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        config = self.script.config('fox') + 'parallel = 1\n'
        self.router = self.daemon(config, llama_server=self.script.program)
        harness.write_model(self.router.models / 'fox.gguf')
        self.router.start()
        self.addCleanup(self.script.let_go)

    def history(self, *arguments):
        run = self.router.ctl('requests', '--json', *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)['items']

    def test_an_answer_that_breaks_off_has_failed(self):
        self.script.plan('part')
        client = self.router.raw_chat('fox')
        self.assertIn(b'200 OK', client.read_to_end())
        client.close()
        failed, = wait_for(lambda: self.history('--failed'), 'the request to be written down')
        self.assertEqual(failed['status'], 502)
        self.assertIn('broke off', failed['error'])

    def test_the_wait_of_who_gave_up_is_known(self):
        self.script.plan('held')
        first = self.router.raw_chat('fox', stream=True)
        first.read_until(b'number')
        answer = self.router.request('POST', '/v1/chat/completions', harness.chat_body('fox'),
                                     {'X-Request-Timeout': '0.3'})
        self.assertEqual(answer.status, 504, answer)
        late, = wait_for(lambda: self.history('--failed'), 'the request to be written down')
        self.assertGreaterEqual(late['queued_ms'], 300)
        first.close()

    def test_refusals_of_a_server_keep_their_meaning(self):
        for step, status, kind, pause in (('busy', 429, 'rate_limit_error', '7'),
                                          ('away', 503, 'overloaded_error', '1'),
                                          ('quote', 400, 'invalid_request_error', None)):
            self.script.plan(step)
            answer = self.router.request('POST', '/v1/messages', MESSAGES)
            self.assertEqual(answer.status, status, answer)
            self.assertEqual(answer.json()['error']['type'], kind)
            self.assertEqual(answer.headers.get('retry-after'), pause)
            self.assertEqual(answer.headers['x-router-model'], 'fox')
            self.assertIn('x-router-queue-ms', answer.headers)
        rows = wait_for(lambda: len(self.history()) == 3 and self.history(), 'all three')
        for row in rows:
            self.assertGreater(row['bytes'], 0, row)

    def test_a_length_is_not_made_up(self):
        self.script.plan('bare')
        answer = self.router.request('HEAD', '/upstream/fox/anything')
        self.assertEqual(answer.status, 200, answer)
        self.assertNotIn('content-length', answer.headers)


if __name__ == '__main__':
    harness.main()
