"""A routerd in the place of another: nobody who talks to it notices."""
import http.client
import json
import os
import shutil
import signal
import ssl
import unittest

import harness
from harness import TEXT, chat_body, chat_text, wait_for, write_model
from scripted import Script
from successors import UpgradingTest

HTTP = ''  # more lines of [http]


class ScriptedTest(UpgradingTest):
    """With a model server that answers by a plan, four requests at once."""
    listen = '127.0.0.1:0'

    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.router = self.daemon(self.script.config('fox') + '[limits]\nparallel = 4\n',
                                  llama_server=self.script.program, listen=self.listen, http=HTTP)
        write_model(self.router.models / 'fox.gguf')
        self.addCleanup(self.script.let_go)

    def stream(self):
        client = harness.RawClient(self.router.tcp_address(), chat_body('fox', True))
        self.addCleanup(client.close)
        return client

    def held(self, count=1):
        """Streams that run until the script lets them go."""
        self.script.plan(*['held'] * count)
        streams = [self.stream() for _ in range(count)]
        for stream in streams:
            stream.read_until(b'"number":0')
        return streams

    def check_whole(self, stream):
        text = stream.read_to_end().decode()
        self.assertTrue(text.endswith('0\r\n\r\n'), text[-200:])
        numbers = [json.loads(data)['number'] for _, data in harness.sse_events(text)
                   if data != '[DONE]' and data.startswith('{')]
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertIn('[DONE]', text)

    def connection(self):
        connection = http.client.HTTPConnection(*self.router.tcp_address(), timeout=60)
        self.addCleanup(connection.close)
        connection.connect()
        return connection

    def alive(self, connection, path='/livez'):
        """Without connecting anew."""
        before = connection.sock
        connection.request('GET', path)
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual(answer.status, 200, body)
        self.assertIs(connection.sock, before, 'the connection was not kept')
        return body

    @staticmethod
    def until(sock, wanted):
        text = b''
        while wanted not in text:
            more = sock.recv(65536)
            if not more:
                return text
            text += more
        return text

    def busy(self):
        return self.router.instance('fox')['busy']


class UpgradeTest(ScriptedTest):
    def test_streams_end_where_they_began(self):
        self.router.start()
        streams = self.held(4)
        waiting = self.stream()
        wait_for(lambda: self.router.status()['requests']['queued'] == 1, 'one to wait')
        server = self.router.instance('fox')['pid']
        before = self.upgrade(self.router)
        self.assertEqual(self.router.instance('fox')['pid'], server)
        self.assertEqual(self.busy(), 4, 'what still runs there is known here')
        self.assertEqual(self.router.status()['requests']['queued'], 1)
        self.assertIsNone(before.poll())
        self.script.plan('stream')
        self.script.let_go()
        for stream in streams:
            self.check_whole(stream)
        self.assertIn('[DONE]', waiting.read_to_end().decode())
        self.assertEqual(before.wait(60), 0)
        wait_for(lambda: self.busy() == 0, 'all slots to be free')
        self.assertEqual(len(self.router.get('/control/v1/requests')['items']), 5)
        self.assertIn('router_requests_total{', self.router.request('GET', '/metrics').body.decode())

    def test_connections_are_kept(self):
        self.router.start()
        kept = self.connection()
        control = harness.UnixConnection(self.router.socket, 60)
        self.addCleanup(control.close)
        control.connect()
        for _ in range(3):
            self.alive(kept)
            self.alive(control, '/control/v1/status')
            half = harness.RawClient(self.router.tcp_address(), chat_body('none'))  # answered
            half.read_to_end()
            before = self.upgrade(self.router)
            self.assertEqual(before.wait(60), 0)
        self.alive(kept)
        self.assertEqual(json.loads(self.alive(control, '/control/v1/status'))['pid'],
                         self.router.process.pid)

    def test_half_a_request_is_answered(self):
        self.router.start()
        connection = self.connection()
        body = json.dumps(chat_body('fox')).encode()
        head = ('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: '
                f'application/json\r\nContent-Length: {len(body)}\r\n\r\n').encode()
        sock = connection.sock
        sock.sendall(head[:40])
        other = self.connection().sock
        other.sendall(head + body[:10])
        wait_for(lambda: self.router.status()['requests']['active'] == 2, 'half a body to be waited for')
        self.upgrade(self.router)
        sock.sendall(head[40:] + body)
        other.sendall(body[10:])
        for one in (sock, other):
            one.settimeout(60)
            self.assertIn(b'hello', self.until(one, b'hello'))

    def test_nobody_is_refused(self):
        self.router.start()
        address = self.router.tcp_address()
        for _ in range(5):
            def ask(_):
                answers = []
                for _ in range(20):
                    connection = http.client.HTTPConnection(*address, timeout=60)
                    connection.request('GET', '/livez')
                    answers.append(connection.getresponse().status)
                    connection.close()
                return answers

            def work(index):
                return self.router.ctl('upgrade').returncode if index == 0 else ask(index)

            results = self.together(5, work)
            self.assertEqual(results[0], 0)
            self.assertEqual(results[1:], [[200] * 20] * 4)
            self.replaced(self.router).wait(60)

    def test_one_stream_through_many(self):
        self.router.start()
        stream, = self.held()
        replaced = [self.upgrade(self.router) for _ in range(4)]
        self.assertEqual(self.busy(), 1)
        self.script.let_go()
        self.check_whole(stream)
        for process in replaced:
            self.assertEqual(process.wait(60), 0)
        wait_for(lambda: self.busy() == 0, 'its slot to be free')
        self.assertEqual(len(self.router.get('/control/v1/requests')['items']), 1)

    def test_who_leaves_gives_the_slot_back(self):
        self.router.start()
        stream, = self.held()
        before = self.upgrade(self.router)
        stream.close()
        wait_for(lambda: self.busy() == 0, 'its slot to be free')
        self.assertEqual(before.wait(60), 0)

    def test_a_model_is_not_unloaded_under_a_stream_of_the_one_before(self):
        self.router.start()
        stream, = self.held()
        self.upgrade(self.router)
        results = self.together(2, lambda index: self.router.ctl('unload', 'fox') if index == 0
                                else self.let_go_when('draining'))
        self.assertEqual(results[0].returncode, 0, results[0])
        self.check_whole(stream)

    def let_go_when(self, state):
        wait_for(lambda: self.router.instance('fox')['state'] == state, state)
        self.script.let_go()

    def test_a_stream_goes_on_though_its_model_is_set_otherwise_now(self):
        self.router.start()
        stream, = self.held()
        server = self.router.instance('fox')['pid']
        self.router.configure(self.script.config('fox') + 'context = 512\n', self.script.program)
        before = self.upgrade(self.router)
        self.assertEqual(self.router.instance('fox')['pid'], server)
        self.script.let_go()
        self.check_whole(stream)
        before.wait(60)
        wait_for(lambda: self.router.instance('fox') is None or
                 self.router.instance('fox')['pid'] != server, 'the server to be replaced')

    def test_an_unload_that_waits_for_a_stream_is_taken_over(self):
        self.router.start()
        stream, = self.held()

        def work(index):
            if index == 0:
                return self.router.ctl('unload', 'fox')
            wait_for(lambda: self.router.instance('fox')['state'] == 'draining', 'draining')
            self.upgrade(self.router)
            return self.let_go_when('draining')

        self.together(2, work)
        self.check_whole(stream)
        wait_for(lambda: not self.router.get('/control/v1/instances')['items'], 'its end')

    def test_the_end_of_the_new_one_ends_the_streams_of_the_old(self):
        self.router.start()
        stream, = self.held()
        before = self.upgrade(self.router)
        self.router.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not self.router.socket.exists(), 'it to stop listening')
        self.script.let_go()
        self.check_whole(stream)
        self.assertEqual(self.router.process.wait(60), 0)
        self.assertEqual(before.wait(60), 0)

    def test_a_crash_of_the_new_one_does_not_cut_them(self):
        self.router.start()
        stream, = self.held()
        before = self.upgrade(self.router)
        self.router.kill()
        self.router.start()
        self.script.let_go()
        self.check_whole(stream)
        self.assertEqual(before.wait(60), 0)

    def test_by_signal(self):
        process = self.router.start().process
        process.send_signal(signal.SIGUSR2)
        wait_for(lambda: self.router.status()['pid'] != process.pid, 'another to serve')
        self.assertEqual(self.replaced(self.router).wait(60), 0)

    def test_a_stop_in_the_midst_of_it_is_a_stop(self):
        process = self.router.start().process
        self.assertEqual(self.router.chat('fox').status, 200)
        process.send_signal(signal.SIGUSR2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        wait_for(lambda: not self.router.socket.exists(), 'the one that took over to stop too')
        wait_for(lambda: not self.router.servers(), 'the model\'s server to end')

    def test_a_changed_configuration_is_that_of_the_new_one(self):
        self.router.start()
        kept = self.connection()
        self.alive(kept)
        self.router.configure(self.script.config('fox'), self.script.program, http='workers = 3')
        self.upgrade(self.router)
        self.assertEqual(self.settings()['http.workers'], '3')
        self.alive(kept)
        self.assertEqual(len(self.router.status()['listen']), 2)


    def settings(self):
        return {item['key']: item['value'] for item in self.router.get('/control/v1/config')['items']}


class LongTest(harness.SoakTest):
    program = 'upgraded'

    def test_reloads_under_streams(self):
        self.run_short('reloads')

    def test_upgrades_under_streams(self):
        self.run_short('upgrades')


class FailureTest(ScriptedTest):
    """What goes wrong with the new one is said, and the old one goes on."""

    def setUp(self):
        super().setUp()
        self.program = self.home / 'bin/routerd'
        self.program.parent.mkdir()
        shutil.copy(harness.ROUTERD, self.program)
        self.addCleanup(setattr, harness, 'ROUTERD', harness.ROUTERD)
        harness.ROUTERD = self.program

    def replace_program(self, text):
        new = self.program.with_suffix('.new')
        new.write_text(text)
        new.chmod(0o755)
        new.rename(self.program)

    def refused(self, because, status=1):
        before = self.router.process.pid
        done = self.router.ctl('upgrade')
        self.assertEqual(done.returncode, status, done)
        self.assertIn(because, done.stderr)
        self.assertEqual(self.router.status()['pid'], before)
        self.assertEqual(self.router.status()['state'], 'running')
        self.assertEqual(self.router.chat('fox').status, 200)

    def test_a_program_that_cannot_begin(self):
        self.router.start()
        stream, = self.held()
        self.router.configure('[nonsense]\n', self.script.program)
        self.refused('nonsense', status=2)
        self.router.configure(self.script.config('fox'), self.script.program)
        self.replace_program('not a program')
        self.refused('Exec format error')
        self.replace_program('#!/bin/sh\nexit 3\n')
        self.refused('ended before it could take over')
        self.program.unlink()
        self.refused('No such file')
        self.script.let_go()
        self.check_whole(stream)

    def test_one_that_fails_when_it_has_everything(self):
        self.router.start()
        stream, = self.held()
        kept = self.connection()
        self.alive(kept)
        self.replace_program(f'''#!/usr/bin/python3
import json, os, socket
link = socket.socket(fileno=int(os.environ["ROUTERD_SUCCEEDS"]))
link.send(json.dumps({{"is": "prepared", "protocol": 1, "pid": os.getpid(), "version": "9",
                      "state_dir": "{self.router.state}"}}).encode())
while json.loads(link.recv(65536))["is"] != "go":
    pass
link.send(b'{{"is":"failed","error":{{"code":"unavailable","message":"the moon is full"}}}}')
''')
        before = self.upgrade(self.router)
        self.assertIn('the moon is full', self.router.log.read_text())
        self.assertEqual(self.busy(), 1)
        self.alive(kept)
        self.script.let_go()
        self.check_whole(stream)
        self.assertEqual(before.wait(60), 0)


@unittest.skipUnless(shutil.which('openssl'), 'no openssl to make certificates with')
class TlsUpgradeTest(ScriptedTest):
    listen = 'https://127.0.0.1:0'

    def setUp(self):
        super().setUp()
        import test_tls
        certificate, key = test_tls.make_certificate(self.home, 'one')
        self.router.configure(self.script.config('fox'), self.script.program, self.listen,
                              f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n')
        self.context = ssl.create_default_context(cafile=certificate)

    def secure(self):
        url = next(url for url in self.router.status()['listen'] if url.startswith('https://'))
        host, _, port = url.removeprefix('https://').rpartition(':')
        connection = http.client.HTTPSConnection(host, int(port), timeout=60, context=self.context)
        self.addCleanup(connection.close)
        return connection

    def test_a_stream_and_one_that_waits(self):
        self.router.start()
        connections = [self.secure() for _ in range(2)]
        self.script.plan('held')
        answers = []
        for connection in connections:
            connection.request('POST', '/v1/chat/completions',
                               json.dumps(chat_body('fox', True)),
                               {'Content-Type': 'application/json'})
            if not answers:
                answers.append(connection.getresponse())
                self.assertIn(b'number', answers[0].read(40))
        wait_for(lambda: self.router.status()['requests']['queued'] == 1, 'one to wait')
        before = self.upgrade(self.router)
        self.script.plan('stream')
        self.script.let_go()
        answers.append(connections[1].getresponse())
        for answer in answers:
            self.assertTrue(answer.read().endswith(b'data: [DONE]\n\n'))
        self.assertEqual(before.wait(60), 0)


@harness.needs_llama_server
class LoadingTest(UpgradingTest):
    def test_a_load_goes_on(self):
        gate = self.gate()
        router = self.daemon(llama_server=gate.program)
        write_model(router.models / 'fox.gguf')
        router.start()
        gate.shut()
        waiting = router.raw_chat('fox', stream=True)
        wait_for(gate.starts, 'the server to be started')
        waiting.read_until(b': loading')
        self.upgrade(router)
        gate.open()
        text = waiting.read_to_end()
        waiting.close()
        self.assertIn(b'[DONE]', text)
        self.assertEqual(len(gate.starts()), 1)
        self.assertEqual(chat_text(router.chat('fox')), TEXT)


class UpgradeWithWorkersTest(ScriptedTest):
    test_streams = UpgradeTest.test_streams_end_where_they_began
    test_connections = UpgradeTest.test_connections_are_kept
    test_halves = UpgradeTest.test_half_a_request_is_answered
    test_many = UpgradeTest.test_one_stream_through_many

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        globals()['HTTP'] = 'workers = 3'

    @classmethod
    def tearDownClass(cls):
        globals()['HTTP'] = ''


if __name__ == '__main__':
    harness.main()
