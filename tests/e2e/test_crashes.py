"""Servers that die: what the client sees, and what comes after."""
import json
import os
import signal

import harness
from harness import SLOW, TEXT, chat_text, sse_events, wait_for, write_model


@harness.needs_llama_server
class CrashTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.server = self.gate()
        self.router = self.daemon(llama_server=self.server.program,
                                  config='[limits]\nprobe_interval = "300ms"\n'
                                         'quarantine_after = 2\n')
        write_model(self.router.models / 'fox.gguf')
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        self.router.start()

    def kill_server(self, model):
        pid = self.router.instance(model)['pid']
        os.kill(pid, signal.SIGKILL)
        return pid

    def test_killed_while_idle_it_is_started_by_the_next_request(self):
        self.router.chat('fox')
        first = self.kill_server('fox')
        wait_for(lambda: self.router.instance('fox') is None, 'the daemon to notice')
        answer = wait_for(lambda: self._answered('fox'), 'the model to come back')
        self.assertEqual(chat_text(answer), TEXT)
        self.assertNotEqual(self.router.instance('fox')['pid'], first)

    def _answered(self, model, **more):
        response = self.router.chat(model, **more)
        self.assertIn(response.status, (200, 503), response)
        return response if response.status == 200 else None

    def test_a_stream_that_breaks_off_never_looks_complete(self):
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.kill_server('slow')
        received = client.read_to_end()
        client.close()
        self.assertNotIn(b'[DONE]', received)
        self.assertFalse(received.endswith(b'0\r\n\r\n'), 'the stream was ended cleanly')
        self.assertIn(b'"upstream_error"', received)

    def test_the_error_event_can_be_parsed(self):
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.kill_server('slow')
        received = client.read_to_end()
        client.close()
        body = received.partition(b'\r\n\r\n')[2]
        lines = [line for line in body.split(b'\n') if line.startswith(b'data:') and b'"error"' in line]
        self.assertEqual(len(lines), 1, received[-1000:])
        error = json.loads(lines[0][5:])['error']
        self.assertEqual(error['code'], 'upstream_error')
        self.assertIn('slow', error['message'])

    def test_an_answer_not_streamed_that_breaks_off_is_an_error(self):
        self.router.ctl('load', 'slow')  # not by a request: its slot may look busy after its end
        client = self.router.raw_chat('slow', max_tokens=500)
        wait_for(self._slow_is_working, 'the request to run')
        self.kill_server('slow')
        received = client.read_until(b'upstream_error')
        client.close()
        self.assertTrue(received.startswith(b'HTTP/1.1 502 '), received)

    def _slow_is_working(self):
        slots = self.router.request('GET', '/upstream/slow/slots').json()
        return any(slot['is_processing'] for slot in slots)

    def test_one_model_that_dies_leaves_the_others_alone(self):
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.router.chat('fox')
        self.kill_server('fox')
        before = len(client.received)
        wait_for(lambda: self.router.instance('fox') is None, 'the daemon to notice')
        client.read_until(b'"content"')
        wait_for(lambda: client._read() and len(client.received) > before, 'the stream to go on')
        client.close()

    def test_a_model_that_always_fails_is_not_started_by_every_request(self):
        (self.router.models / 'bad.gguf').write_bytes(self._unloadable())
        self.router.ctl('rescan')
        answers = [self.router.chat('bad') for _ in range(20)]
        self.assertEqual({answer.status for answer in answers}, {503})
        for answer in answers:
            self.assertIn('retry-after', answer.headers)
            self.assertIn(answer.json()['error']['code'], ('load_failed', 'quarantined'))
        self.assertLess(len(self.server.starts()), 5)

    def test_a_model_that_fails_again_is_in_quarantine_until_it_is_reset(self):
        (self.router.models / 'bad.gguf').write_bytes(self._unloadable())
        self.router.ctl('rescan')

        def in_quarantine():
            error = self.router.chat('bad').json()['error']
            return error if error['code'] == 'quarantined' else None

        error = wait_for(in_quarantine, 'the quarantine')
        self.assertIn('lmaal', error['message'])
        starts = len(self.server.starts())
        self.assertEqual(starts, 2)
        self.assertIn('quarantined', self.router.ctl('why', 'bad', '--json').stdout)
        failed = self.router.request('GET', '/v1/models/failed').json()['failed_models']
        self.assertEqual([(model['model'], model['attempts']) for model in failed], [('bad', 2)])
        self.assertEqual(self.router.ctl('reset', 'bad').returncode, 0)
        self.assertEqual(self.router.chat('bad').json()['error']['code'], 'load_failed')
        self.assertEqual(len(self.server.starts()), starts + 1)

    def test_a_server_that_does_not_answer_any_more_is_replaced(self):
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        first = self.router.instance('slow')['pid']
        os.kill(first, signal.SIGSTOP)
        received = client.read_to_end()
        client.close()
        self.assertNotIn(b'[DONE]', received)
        self.assertIn(b'does not answer any more', received)
        wait_for(lambda: self._answered('slow', max_tokens=1), 'the model to come back')
        self.assertNotEqual(self.router.instance('slow')['pid'], first)

    def _unloadable(self):
        """A well-formed file that llama-server refuses: an architecture that nobody knows."""
        content = (self.router.models / 'fox.gguf').read_bytes()
        return content.replace(b'\x05\0\0\0\0\0\0\0llama', b'\x05\0\0\0\0\0\0\0lmaal').replace(
            b'llama.', b'lmaal.')


if __name__ == '__main__':
    harness.main()
