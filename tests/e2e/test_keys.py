"""Keys: made and shown once, and what each may do."""
import http.client
import json
import sqlite3

import harness
from harness import TEXT, chat_text, wait_for, write_model
from scripted import Script


class KeysTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon(http='workers = 3')
        write_model(self.router.models / 'fox.gguf')
        write_model(self.router.models / 'box.gguf')
        self.router.start()

    def create(self, name, *options):
        done = self.router.ctl('keys', 'create', name, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        key, = done.stdout.split()
        self.assertRegex(key, r'^sk-[A-Za-z0-9_-]{43}$')
        return key

    def restart_with_script(self, limit):
        """With a server that does what the script says; `limit`: of each key."""
        script = Script(self.home)
        self.addCleanup(script.let_go)
        self.assertEqual(self.router.stop(), 0)
        self.router.configure(f'{script.config("fox")}[rate_limit]\n{limit}\n', script.program,
                              http='workers = 3')
        self.router.start()
        return script

    def ask(self, key, method='GET', path='/v1/models', body=None):
        """Ten times, so that each of the loops is asked: one answer, or several statuses."""
        headers = {'Authorization': f'Bearer {key}'} if key else {}
        answers = [self.router.request(method, path, body, headers) for _ in range(10)]
        statuses = {answer.status for answer in answers}
        self.assertEqual(len(statuses), 1, answers)
        return answers[-1]

    def test_the_first_key_closes_the_door_and_the_last_opens_it(self):
        self.assertEqual(self.ask(None).status, 200)
        key = self.create('ci')
        self.assertEqual(self.ask(None).status, 401)
        self.assertEqual(self.ask('sk-' + 'A' * 43).status, 401)
        self.assertEqual(self.ask(key).status, 200)
        self.assertEqual(self.ask(None, path='/readyz').status, 200)
        done = self.router.ctl('keys', 'revoke', 'ci')
        self.assertEqual(done.stdout, 'ci\n')
        self.assertIn('no such key is left', done.stderr)
        self.assertEqual(self.ask(None).status, 200)

    def test_a_key_is_kept_and_is_nowhere_to_be_read(self):
        key = self.create('ci', '--scope', 'read', '--model', 'fox', '--expires', '30d')
        self.router.kill()
        self.router.start()
        self.assertEqual(self.ask(key, path='/control/v1/status').status, 200)
        item, = json.loads(self.router.ctl('keys', 'ls', '--json').stdout)['items']
        self.assertEqual((item['name'], item['scopes'], item['models'], item['expired']),
                         ('ci', ['read'], ['fox'], False))
        with sqlite3.connect(self.router.state / 'state.db') as database:
            kept = str(database.execute('SELECT * FROM keys').fetchall())
        database.close()
        self.assertNotIn(key, kept)
        self.ask(key + 'x', 'POST', '/v1/chat/completions', {'model': 'fox'})
        self.router.stop()
        for path in self.router.home.rglob('*'):
            if path.is_file():
                self.assertNotIn(key.encode(), path.read_bytes(), path)

    def test_scopes(self):
        keys = {scope: self.create(scope, '--scope', scope)
                for scope in ('inference', 'read', 'admin')}
        both = self.create('both', '--scope', 'read', '--scope', 'inference')
        asked = [('GET', '/v1/models', None), ('GET', '/control/v1/status', None),
                 ('GET', '/metrics', None), ('GET', '/v1/telemetry/summary', None),
                 ('POST', '/control/v1/rescan', {}), ('GET', '/slots?model=fox', None),
                 ('POST', '/tokenize', {'model': 'nobody', 'content': 'x'})]
        allowed = {'inference': [True, False, False, False, False, False, True],
                   'read': [True, True, True, True, False, False, False],
                   'admin': [False, True, True, True, True, True, False]}
        for scope, wanted in allowed.items():
            for (method, path, body), may in zip(asked, wanted):
                with self.subTest(scope=scope, path=path):
                    answer = self.ask(keys[scope], method, path, body)
                    self.assertEqual(answer.status == 403, not may, answer)
                    if not may:
                        self.assertIn(scope, answer.body.decode())
        self.assertEqual(self.ask(both, path='/control/v1/status').status, 200)

    @harness.needs_llama_server
    def test_models(self):
        key = self.create('one', '--model', 'fox')
        self.router.ctl('alias', 'box', 'reynard')
        headers = {'Authorization': f'Bearer {key}'}
        self.assertEqual(chat_text(self.router.chat('fox', headers=headers)), TEXT)
        for name in ('box', 'reynard'):
            answer = self.router.chat(name, headers=headers)
            self.assertEqual(answer.status, 403, answer)
            self.assertIn("'one'", answer.json()['error']['message'])
        ids = [model['id'] for model in self.ask(key).json()['data']]
        self.assertEqual(ids, ['fox'])
        self.assertEqual(self.ask(key, path='/v1/models/box').status, 403)
        tier = self.router.get('/control/v1/models/fox')['tier']
        self.assertEqual(self.router.chat(f'tier:{tier}', headers=headers).status, 200)

    def test_a_key_expires(self):
        key = self.create('short', '--expires', '1s')
        answer = wait_for(lambda: self.refused(key), 'the key to expire')
        self.assertIn('expired', answer.json()['error']['message'])
        self.assertIn('expired', self.router.ctl('keys', 'ls').stdout)
        self.assertEqual(self.ask(None).status, 401, 'an expired key is a key')

    def refused(self, key):
        answer = self.router.request('GET', '/v1/models', None, {'x-api-key': key})
        return answer if answer.status == 401 else None

    def test_a_revoked_key_is_refused_on_a_kept_connection(self):
        key = self.create('gone')
        self.create('other')
        connection = http.client.HTTPConnection(*self.router.tcp_address(), timeout=60)
        self.addCleanup(connection.close)
        headers = {'Authorization': f'Bearer {key}'}
        for wanted in (200, 200):
            connection.request('GET', '/v1/models', headers=headers)
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, wanted)
        self.router.ctl('keys', 'revoke', 'gone')
        connection.request('GET', '/v1/models', headers=headers)
        self.assertEqual(connection.getresponse().status, 401)

    def test_a_key_for_one_model_does_not_see_the_others(self):
        headers = {'Authorization': f'Bearer {self.create("few", "--model", "fox")}'}
        for path in ('/v1/models', '/v1/models/status', '/v1/models/failed', '/v1/queue/stats',
                     '/v1/health/models', '/vram', '/vram/summary', '/v1/models/fox/status',
                     '/vram/models/fox'):
            answer = self.router.request('GET', path, headers=headers)
            self.assertEqual(answer.status, 200, (path, answer))
            self.assertNotIn(b'box', answer.body, path)
        for path in ('/v1/models/bx', '/v1/models/bx/status', '/vram/models/bx'):
            answer = self.router.request('GET', path, headers=headers)
            self.assertEqual(answer.status, 404, (path, answer))
            self.assertNotIn(b'box', answer.body, 'not as the nearest either')
        for path in ('/v1/models/box', '/v1/models/box/status', '/vram/models/box'):
            self.assertEqual(self.router.request('GET', path, headers=headers).status, 403, path)
        answer = self.router.chat('bx', headers=headers)
        self.assertEqual(answer.status, 404, answer)
        self.assertNotIn(b'box', answer.body)
        watch = http.client.HTTPConnection(*self.router.tcp_address(), timeout=60)
        self.addCleanup(watch.close)
        watch.request('GET', '/v1/models/status/stream', headers=headers)
        first = watch.getresponse().read1()
        while b'"fox"' not in first:
            first += watch.sock.recv(65536)
        self.assertNotIn(b'box', first)

    @harness.needs_llama_server
    def test_a_key_that_asks_too_often(self):
        self.assertEqual(self.router.stop(), 0)
        self.router.configure('[rate_limit]\nrequests_per_minute = 3\n', harness.LLAMA_SERVER,
                              http='workers = 3')
        self.router.start()
        keys = [self.create(name) for name in ('one', 'two')]
        for key in keys:
            headers = {'Authorization': f'Bearer {key}'}
            for left in ('2', '1', '0'):
                answer = self.router.chat('fox', headers=headers)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.headers['x-ratelimit-limit-requests'], '3')
                self.assertEqual(answer.headers['x-ratelimit-remaining-requests'], left)
                self.assertRegex(answer.headers['x-ratelimit-reset-requests'], r'^(\dm)?\d+s$')
            answer = self.router.chat('fox', headers=headers)
            self.assertEqual(answer.status, 429, answer)
            self.assertIn(int(answer.headers['retry-after']), range(1, 21))
            self.assertEqual(answer.headers['x-ratelimit-remaining-requests'], '0')
            self.assertEqual(answer.json()['error']['code'], 'rate_limited')
            self.assertEqual(self.router.request('GET', '/v1/models', None, headers).status, 200)
        self.assertEqual(self.router.chat('fox', via='socket').status, 200, 'who owns it is free')

    @harness.needs_llama_server
    def test_a_key_that_uses_too_many_tokens(self):
        self.router.configure('[rate_limit]\ntokens_per_minute = 100\n', harness.LLAMA_SERVER,
                              http='workers = 3')
        self.assertEqual(self.router.ctl('config', 'reload').returncode, 0)
        keys = [self.create(name) for name in ('one', 'two')]
        for key, stream in zip(keys, (False, True)):
            headers = {'Authorization': f'Bearer {key}'}
            answers = [self.router.chat('fox', stream=stream, headers=headers) for _ in range(5)]
            self.assertEqual(answers[0].status, 200, answers[0])
            self.assertEqual(answers[0].headers['x-ratelimit-limit-tokens'], '100')
            self.assertEqual(answers[0].headers['x-ratelimit-remaining-tokens'], '100')
            self.assertLess(int(answers[1].headers['x-ratelimit-remaining-tokens']), 100)
            self.assertEqual(answers[-1].status, 429, answers[-1])
            self.assertEqual(answers[-1].headers['x-ratelimit-remaining-tokens'], '0')
            self.assertGreater(int(answers[-1].headers['retry-after']), 0)
            self.assertIn('tokens a minute', answers[-1].json()['error']['message'])
        self.assertEqual(self.router.chat('fox', via='socket').status, 200, 'who owns it is free')

    def test_a_key_has_so_many_requests_at_once(self):
        script = self.restart_with_script('concurrent = 2')
        keys = [self.create(name) for name in ('one', 'two')]
        headers = [{'Authorization': f'Bearer {key}'} for key in keys]
        script.plan('held')
        clients = [harness.RawClient(self.router.tcp_address(), harness.chat_body('fox', True),
                                     headers=headers[0]) for _ in range(2)]  # one waits
        clients[0].read_until(b'"number"')
        wait_for(lambda: self.router.status()['requests']['queued'] == 1, 'the other to wait')
        answer = self.router.chat('fox', headers=headers[0])
        self.assertEqual(answer.status, 429, answer)
        self.assertIn('at once', answer.json()['error']['message'])
        self.assertEqual(answer.headers['retry-after'], '1')
        clients[1].close()
        wait_for(lambda: self.router.status()['requests']['queued'] == 0, 'it to be gone')
        script.let_go()
        for one in headers:
            self.assertEqual(self.router.chat('fox', headers=one).status, 200)
        self.assertTrue(clients[0].read_to_end().endswith(b'0\r\n\r\n'))
        clients[0].close()

    def test_who_leaves_before_the_figures_come_is_charged_all_the_same(self):
        script = self.restart_with_script('tokens_per_minute = 100')
        headers = {'Authorization': f'Bearer {self.create("one")}'}
        script.plan('held')
        body = harness.chat_body('fox', True, padding='x' * 400)
        client = harness.RawClient(self.router.tcp_address(), body, headers=headers)
        client.read_until(b'"number":3')
        client.close()
        wait_for(lambda: self.router.instance('fox')['busy'] == 0, 'it to be gone')
        answer = self.router.chat('fox', headers=headers)
        self.assertEqual(answer.status, 429, answer)
        self.assertIn('tokens a minute', answer.json()['error']['message'])

    def test_a_reload_brings_other_keys(self):
        self.router.configure('[auth]\napi_key = "sk-first-of-all"\n', harness.LLAMA_SERVER or 'x',
                              http='workers = 3')
        self.assertEqual(self.ask(None).status, 200)
        self.assertEqual(self.router.ctl('config', 'reload').stdout, 'changed: auth.api_key\n')
        self.assertEqual(self.ask(None).status, 401)
        self.assertEqual(self.ask('sk-first-of-all').status, 200)

    def test_what_cannot_be(self):
        self.create('ci')
        for code, words, options in (
                (5, 'already', ['create', 'ci']), (2, 'cannot name', ['create', 'a b']),
                (2, 'cannot name', ['create', 'api_key']),
                (4, 'nobody', ['create', 'x', '--model', 'nobody']),
                (2, 'expires_in', ['create', 'x', '--expires', 'soon']),
                (2, 'inference', ['create', 'x', '--scope', 'all']),
                (4, 'did you mean', ['revoke', 'cj']), (2, 'NAME', ['create'])):
            with self.subTest(options):
                done = self.router.ctl('keys', *options)
                self.assertEqual(done.returncode, code, done)
                self.assertIn(words, done.stderr)
        self.assertEqual(len(json.loads(self.router.ctl('keys', 'ls', '--json').stdout)['items']), 1)

    def test_beyond_this_machine_a_kept_key_is_enough(self):
        key = self.create('ci')
        self.assertEqual(self.router.stop(), 0)
        self.router.configure('', harness.LLAMA_SERVER or 'llama-server', listen='0.0.0.0:0')
        self.router.start()
        self.assertEqual(self.router.ctl('keys', 'revoke', 'ci').returncode, 0)
        self.assertEqual(self.ask(key).status, 401, 'the last key was revoked too')
        self.assertEqual(self.ask(None).status, 401, 'nobody is let in when the last key goes')


if __name__ == '__main__':
    harness.main()
