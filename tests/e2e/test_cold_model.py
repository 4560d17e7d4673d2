"""A model that is not loaded yet: one load for all who wait, whoever comes and goes."""
import os
import signal

import harness
from harness import SLOW, TEXT, chat_text, wait_for, write_model


@harness.needs_llama_server
class ColdModelTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.server = self.gate()
        self.router = self.daemon(llama_server=self.server.program)
        write_model(self.router.models / 'fox.gguf')

    def wait_for_start(self, count=1):
        return wait_for(lambda: self.server.starts()[count - 1:count], 'a server to be started')[0]

    def test_32_clients_share_one_load(self):
        self.router.start()
        answers = self.together(32, lambda i: self.router.chat('fox', stream=i % 2 == 1))
        self.assertEqual([chat_text(answer) for answer in answers], [TEXT] * 32)
        self.assertEqual(len(self.server.starts()), 1)

    def test_a_load_goes_on_when_the_client_that_asked_leaves(self):
        self.server.shut()
        self.router.start()
        client = self.router.raw_chat('fox')
        pid = self.wait_for_start()
        client.close()
        self.server.open()
        wait_for(lambda: (self.router.instance('fox') or {}).get('state') == 'ready', 'the load')
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)
        self.assertEqual(self.server.starts(), [pid])

    def test_others_are_served_when_one_of_the_waiting_leaves(self):
        self.server.shut()
        self.router.start()
        leaver = self.router.raw_chat('fox')
        stayer = self.router.raw_chat('fox', stream=True)
        self.wait_for_start()
        leaver.close()
        self.server.open()
        self.assertIn(b'[DONE]', stayer.read_until(b'[DONE]'))
        stayer.close()

    def test_a_waiting_stream_is_kept_alive_by_comments(self):
        self.server.shut()
        self.router.start()
        client = self.router.raw_chat('fox', stream=True)
        head = client.read_until(b'\n: ')
        self.assertTrue(head.startswith(b'HTTP/1.1 200 '), head)
        self.server.open()
        client.read_until(b'data: [DONE]')
        client.close()

    def test_a_server_killed_while_it_loads_is_an_error_with_the_reason(self):
        self.server.shut()
        self.router.start()
        client = self.router.raw_chat('fox')
        os.kill(self.wait_for_start(), signal.SIGKILL)
        answer = client.read_until(b'load_failed')
        self.assertTrue(answer.startswith(b'HTTP/1.1 503 '), answer)
        self.assertIn(b'retry-after', answer.lower())
        client.close()
        self.server.open()
        wait_for(lambda: self.router.chat('fox').status == 200, 'the model to be tried again')

    def test_a_client_that_leaves_a_stream_frees_the_slot_at_once(self):
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        self.router.start()
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.assertEqual(self.router.instance('slow')['busy'], 1)
        client.close()
        wait_for(lambda: self.router.instance('slow')['busy'] == 0, 'the slot to be free', 5)
        wait_for(lambda: not self.router.request('GET', '/upstream/slow/slots').json()[0][
            'is_processing'], 'llama-server to notice', 5)
        self.assertEqual(self.router.chat('slow', max_tokens=2).status, 200)

    def test_a_client_that_leaves_an_answer_not_streamed_frees_the_slot_too(self):
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        self.router.start()
        self.assertEqual(self.router.chat('slow', max_tokens=1).status, 200)
        client = self.router.raw_chat('slow')
        wait_for(lambda: self.router.instance('slow')['busy'] == 1, 'the request to run')
        client.close()
        wait_for(lambda: self.router.instance('slow')['busy'] == 0, 'the slot to be free', 5)
        self.assertEqual(self.router.chat('slow', max_tokens=2).status, 200)


if __name__ == '__main__':
    harness.main()
