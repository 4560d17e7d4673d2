"""What clients ask stays between them and the model: no log, no history, no metric has it."""
import json

import harness
from scripted import Script

CANARY = 'canary-5f2e1c'


class PrivacyTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.router = self.daemon(self.script.config('fox') + '[log]\nlevel = "trace"\n',
                                  llama_server=self.script.program)
        harness.write_model(self.router.models / 'fox.gguf')
        self.router.start()

    def ask(self, path):
        return self.router.request('POST', path, harness.chat_body('fox', user=CANARY),
                                   {'X-Secret': CANARY, 'Cookie': CANARY})

    def assert_nowhere(self):
        requests = self.router.ctl('requests', '--json')
        self.assertEqual(requests.returncode, 0, requests.stderr)
        self.assertEqual(len(json.loads(requests.stdout)['items']), 2)
        told = [requests.stdout, self.router.log.read_text(),
                self.router.request('GET', '/metrics').body.decode(),
                self.router.ctl('events').stdout, self.router.ctl('why', 'fox').stdout]
        self.assertEqual(self.router.stop(), 0)
        told += [path.read_bytes().decode(errors='replace')
                 for path in self.router.state.rglob('*') if path.is_file()]
        for text in told:
            self.assertNotIn(CANARY, text)

    def test_an_answer_leaves_no_trace(self):
        for _ in range(2):
            self.assertEqual(self.ask('/v1/chat/completions').status, 200)
        self.assert_nowhere()

    def test_nor_does_an_error_that_quotes_the_request(self):
        self.script.plan('quote', 'quote')
        for path in ('/v1/chat/completions', '/v1/messages'):
            answer = self.ask(path)
            self.assertEqual(answer.status, 400)
            self.assertIn(CANARY, answer.body.decode(), 'the client is told')
        self.assert_nowhere()


if __name__ == '__main__':
    harness.main()
