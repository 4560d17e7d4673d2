"""TLS on a public address: with Python's and curl's clients, and as the certificate changes."""
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

import harness
from certificates import make_certificate
from scripted import Script


@unittest.skipUnless(shutil.which('openssl'), 'no openssl to make certificates with')
class TlsTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        script = Script(self.home)
        self.certificate, self.key = make_certificate(self.home, 'one')
        self.router = self.daemon(script.config('fox'), llama_server=script.program,
                                  listen='https://127.0.0.1:0')
        self.set_files(self.certificate, self.key)
        harness.write_model(self.router.models / 'fox.gguf')

    def set_files(self, certificate, key):
        path = self.router.home / 'config/routerd/routerd.toml'
        rest = [line for line in path.read_text().splitlines() if not line.startswith('tls_')]
        at = rest.index('[http]') + 1
        rest[at:at] = [f'tls_certificate = "{certificate}"', f'tls_key = "{key}"']
        path.write_text('\n'.join(rest))

    def address(self):
        url = next(url for url in self.router.status()['listen'] if url.startswith('https://'))
        host, _, port = url.removeprefix('https://').rpartition(':')
        return host, int(port)

    def trust(self, certificate=None):
        return ssl.create_default_context(cafile=certificate or self.certificate)

    def connect(self, certificate=None):
        connection = http.client.HTTPSConnection(*self.address(), timeout=60,
                                                 context=self.trust(certificate))
        connection.connect()
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, headers=None):
        connection.request('POST', '/v1/chat/completions', json.dumps(harness.chat_body('fox')),
                           {'Content-Type': 'application/json', **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_a_kept_connection_is_served(self):
        self.router.start()
        connection = self.connect()
        for _ in range(3):
            status, body = self.ask(connection)
            self.assertEqual(status, 200)
            self.assertIn(b'hello', body)
        self.assertIn(f'https://127.0.0.1:{self.address()[1]}', self.router.log.read_text())

    def test_sessions_are_resumed(self):
        self.router.start()
        context = self.trust()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        session = None
        for expected in (False, True):
            with socket.create_connection(self.address(), 60) as plain, \
                    context.wrap_socket(plain, server_hostname='127.0.0.1',
                                        session=session) as secure:
                self.assertEqual(secure.session_reused, expected)
                session = secure.session

    @unittest.skipUnless(shutil.which('curl'), 'no curl')
    def test_curl_is_served(self):
        self.router.start()
        host, port = self.address()
        done = subprocess.run(
            ['curl', '-sS', '--fail-with-body', '--cacert', self.certificate, '--max-time', '60',
             '-H', 'Content-Type: application/json', '-d', json.dumps(harness.chat_body('fox')),
             f'https://{host}:{port}/v1/chat/completions'], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('hello', done.stdout)

    def test_pages_of_this_address_alone_may_post(self):
        self.router.start()
        host, port = self.address()
        for scheme, expected in (('https', 200), ('http', 403)):
            status, body = self.ask(self.connect(), {'Origin': f'{scheme}://{host}:{port}'})
            self.assertEqual(status, expected, body)

    def test_what_is_not_tls_is_ended(self):
        self.router.start()
        for said in (b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', b'\x16\x03\x01', b'\0' * 5000):
            with socket.create_connection(self.address(), 60) as plain:
                plain.sendall(said)
                plain.shutdown(socket.SHUT_WR)
                try:
                    while plain.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assertEqual(self.ask(self.connect())[0], 200)

    def test_who_forgot_the_s_is_told(self):
        self.router.start()
        host, port = self.address()
        for body in (None, b'x' * 50_000):
            plain = http.client.HTTPConnection(host, port, timeout=60)
            self.addCleanup(plain.close)
            plain.request('POST' if body else 'GET', '/v1/models', body)
            answer = plain.getresponse()
            said = json.loads(answer.read())['error']
            self.assertEqual(answer.status, 400)
            self.assertEqual(said['code'], 'invalid_request')
            self.assertIn('https://', said['message'])
            self.assertTrue(answer.will_close)
        self.assertEqual(self.ask(self.connect())[0], 200)

    def test_a_new_certificate_is_for_new_connections(self):
        self.router.start()
        old = self.connect()
        self.assertEqual(self.ask(old)[0], 200)
        second = make_certificate(self.home, 'two')
        self.set_files(*second)
        self.router.process.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: 'configuration reloaded' in self.router.log.read_text(),
                         'the new certificate')
        self.assertEqual(self.ask(self.connect(second[0]))[0], 200)
        with self.assertRaises(ssl.SSLError):
            self.connect()
        self.assertEqual(self.ask(old)[0], 200)

    def test_files_that_are_no_use_change_nothing(self):
        self.router.start()
        old = self.connect()
        other = make_certificate(self.home, 'other')[1]
        for certificate, key, why in ((self.certificate, other, 'not the key of the certificate'),
                                      (self.home / 'nothing', self.key, 'No such file')):
            self.set_files(certificate, key)
            done = self.router.ctl('config', 'reload')
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.ask(old)[0], 200)
            self.assertEqual(self.ask(self.connect())[0], 200)

    def test_it_does_not_start_without_its_files(self):
        self.key.chmod(0o640)
        for arguments in ((), ('--check',)):
            status, said = self.router.run_to_end(*arguments)
            self.assertEqual(status, 1, said)
            self.assertIn('others than its owner can read it', said)
        self.key.chmod(0o600)
        status, said = self.router.run_to_end('--check')
        self.assertEqual(status, 0, said)
        self.assertIn('http.tls_key = ', said)


if __name__ == '__main__':
    harness.main()
