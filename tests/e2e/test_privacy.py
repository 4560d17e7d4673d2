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
        self.assertGreaterEqual(len(json.loads(requests.stdout)['items']), 2)
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

    def test_nor_does_a_request_that_is_refused(self):
        headers = [{'X-Request-Priority': CANARY}, {'X-Request-Timeout': CANARY},
                   {'Content-Type': CANARY}, {'Origin': f'http://{CANARY}'},
                   {'Host': CANARY}, {'Authorization': f'Bearer {CANARY}'}, {'X-Api-Key': CANARY},
                   {'Authorization': CANARY}, {'Expect': CANARY}, {'Transfer-Encoding': CANARY},
                   {'X-Request-Id': f'{CANARY} {CANARY}'}, {'Content-Length': CANARY}]
        for fields in headers:
            self.router.request('POST', '/v1/chat/completions?api_key=' + CANARY,
                                harness.chat_body('fox'), fields)
        for body in (CANARY, f'{{"model": {CANARY}', f'{{"model": "fox", "{CANARY}": ',
                     f'{{"model": ["{CANARY}"]}}', f'{{"stream": "{CANARY}"}}'):
            for path in ('/v1/chat/completions', '/v1/messages', '/control/v1/models/fox/load',
                         '/control/v1/keys'):
                self.router.request('POST', path, body.encode(),
                                    {'Content-Type': 'application/json'})
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
