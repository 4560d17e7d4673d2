"""A changed configuration is a difference: what it does not concern goes on as it was."""
import http.client
import json
import signal
import socket
import threading

import harness
from harness import TEXT, chat_body, chat_text, wait_for, write_model
from processes import free_port


class ReloadTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.first, self.second = free_port(), free_port()
        self.router = self.daemon(listen=self.at(self.first))
        self.router.start()

    @staticmethod
    def at(port, host='127.0.0.1'):
        return f'{host}:{port}'

    def reload(self, *addresses, status=0, config='', http=''):
        self.router.configure(config, harness.LLAMA_SERVER, '", "'.join(addresses), http)
        done = self.router.ctl('config', 'reload')
        self.assertEqual(done.returncode, status, done)
        return done

    def connection(self, port):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
        self.addCleanup(connection.close)
        connection.connect()
        return connection

    def alive(self, connection, path='/livez', headers=None):
        """Without connecting anew."""
        before = connection.sock
        connection.request('GET', path, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        self.assertIs(connection.sock, before, 'the connection was not kept')
        return answer.status

    def refused(self, port):
        with socket.socket() as sock:
            return sock.connect_ex(('127.0.0.1', port)) != 0

    def test_an_address_more_and_one_less(self):
        kept = self.connection(self.first)
        self.assertEqual(self.alive(kept), 200)
        done = self.reload(self.at(self.first), self.at(self.second))
        self.assertIn('changed: http.listen', done.stdout)
        self.assertEqual(self.alive(kept), 200)
        self.assertEqual(self.alive(self.connection(self.second)), 200)
        self.reload(self.at(self.second))
        wait_for(lambda: self.refused(self.first), 'the first to be closed')
        self.assertEqual(self.alive(kept), 200, 'who has connected is not sent away')
        self.assertEqual(self.router.status()['listen'],
                         [f'unix://{self.router.socket}', f'http://{self.at(self.second)}'])

    def test_what_cannot_be_opened_changes_nothing(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = self.reload(self.at(self.second), self.at(port), status=5,
                               http='max_body = "1KiB"')
        self.assertIn(f'{port}: the port is taken', done.stderr)
        self.assertEqual(self.alive(self.connection(self.first)), 200)
        wait_for(lambda: self.refused(self.second), 'what was opened to be closed again')
        large = self.router.request('POST', '/v1/chat/completions', b'{' + b' ' * 2000)
        self.assertEqual(large.status, 400, 'the limit of the refused file is in force')

    def test_the_same_port_on_all_addresses(self):
        kept = self.connection(self.first)
        self.assertEqual(self.alive(kept), 200)
        done = self.reload(self.at(self.first, '0.0.0.0'), status=5)
        self.assertIn('api_key', done.stderr)
        self.assertEqual(self.alive(kept), 200)
        self.reload(self.at(self.first, '0.0.0.0'), config='[auth]\napi_key = "sesame"')
        key = {'Authorization': 'Bearer sesame'}
        self.assertEqual(self.alive(self.connection(self.first), '/v1/models', key), 200)
        self.assertEqual(self.alive(kept, '/v1/models', key), 200)
        self.assertEqual(self.router.request('GET', '/v1/models').status, 401)

    def test_limits_and_levels_are_those_of_the_new_file(self):
        self.reload(self.at(self.first), http='max_body = "1KiB"', config='[log]\nlevel = "error"')
        large = self.router.request('POST', '/v1/chat/completions', b'{' + b' ' * 2000)
        self.assertEqual(large.status, 413)
        self.assertNotIn('configuration reloaded', self.router.log.read_text())

    def test_the_level_changes_for_a_while(self):
        router = self.router
        self.assertEqual(router.ctl('log-level').stdout, 'info\n')
        self.assertEqual(router.ctl('log-level', 'debug').stdout, 'debug\n')
        headers = {'x-request-id': 'mine-1'}
        router.request('GET', '/control/v1/status?secret=canary', headers=headers)
        wait_for(lambda: 'debug: mine-1 GET /control/v1/status 200' in router.log.read_text(), 'a line')
        self.assertNotIn('canary', router.log.read_text())
        self.assertEqual(router.ctl('log-level', 'loud').returncode, 2)
        self.reload(self.at(self.first))
        self.assertEqual(router.ctl('log-level').stdout, 'info\n')

    def test_a_file_of_its_own_that_somebody_moves_away(self):
        log = self.home / 'own.log'
        self.reload(self.at(self.first), config=f'[log]\nfile = "{log}"\nformat = "json"')
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(lines[-1]['message'], 'configuration reloaded')
        log.rename(self.home / 'own.log.1')
        self.router.process.send_signal(signal.SIGUSR1)
        wait_for(log.exists, 'the file to be made again')
        self.router.request('POST', '/v1/chat/completions', chat_body('none'),
                            {'x-request-id': 'mine-2'})
        line = wait_for(lambda: [line for line in log.read_text().splitlines() if 'mine-2' in line],
                        'a line about the request')
        self.assertEqual(json.loads(line[0])['request'], 'mine-2')
        done = self.reload(self.at(self.first), config='[log]\nfile = "/nowhere/x"', status=1)
        self.assertIn('/nowhere/x', done.stderr)

    def test_what_needs_a_start_is_named(self):
        done = self.reload(self.at(self.first), http='workers = 2')
        self.assertIn('http.workers', done.stdout)
        self.assertIn('http.workers has changed', self.router.log.read_text())

    @harness.needs_llama_server
    def test_a_stream_runs_through_it(self):
        write_model(self.router.models / 'fox.gguf')
        self.router.ctl('rescan')
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)
        before = self.router.instance('fox')['pid']
        write_model(self.router.models / 'slow.gguf', *harness.SLOW, text=TEXT * 4)
        self.router.ctl('rescan')
        stream = harness.RawClient(('127.0.0.1', self.first), chat_body('slow', True))
        stream.read_until(b'"content"')
        for i in range(10):
            self.reload(self.at(self.first if i % 2 else self.second))
            self.router.process.send_signal(signal.SIGHUP)
        self.assertTrue(stream.read_to_end().endswith(b'0\r\n\r\n'))
        stream.close()
        self.assertEqual(self.router.instance('fox')['pid'], before)

    def test_nobody_is_refused_where_both_files_listen(self):
        refused, done = [], threading.Event()

        def connect():
            while not done.is_set():
                try:
                    if self.alive(self.connection(self.first)) != 200:
                        refused.append('not answered')
                except OSError as error:
                    refused.append(error)

        threads = [threading.Thread(target=connect) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(20):
            self.reload(self.at(self.first), *([self.at(self.second)] if i % 2 == 0 else []))
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(refused, [])


if __name__ == '__main__':
    harness.main()
