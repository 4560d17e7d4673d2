"""A machine that is not as it should be: what the daemon says, its exit status, and what goes on."""
import contextlib
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import unittest

import harness
from harness import TEXT, chat_text, wait_for, write_model


class BadSetupTest(harness.E2ETest):
    def test_a_llama_server_that_is_not_there(self):
        router = self.daemon(llama_server='/nonexistent/llama-server')
        write_model(router.models / 'fox.gguf')
        router.start()
        response = router.chat('fox')
        self.assertEqual(response.status, 503, response)
        error = response.json()['error']
        self.assertEqual(error['code'], 'load_failed')
        self.assertIn('/nonexistent/llama-server', error['message'])
        self.assertIn('LLAMA_SERVER_PATH', error['message'])
        self.assertIn('retry-after', response.headers)
        run = router.ctl('load', 'fox', '--wait')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn('/nonexistent/llama-server', run.stderr)
        run = router.ctl('doctor')
        self.assertIn('/nonexistent/llama-server', run.stdout)
        self.assertIn('/nonexistent/llama-server', ' '.join(router.status()['problems']))

    def test_a_port_that_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as other:
            address = f'127.0.0.1:{other.getsockname()[1]}'
            status, said = self.daemon(listen=address).run_to_end()
        self.assertEqual(status, 1, said)
        self.assertIn(address, said)
        self.assertRegex(said, '(?i)taken|in use')
        self.assertIn('http.listen', said)

    def test_a_public_address_without_a_key(self):
        status, said = self.daemon(listen='0.0.0.0:0').run_to_end()
        self.assertEqual(status, 1, said)
        self.assertIn('--insecure-no-auth', said)
        self.assertIn('api_key', said)

    def test_a_public_address_without_a_key_that_is_wanted(self):
        router = self.daemon(listen='0.0.0.0:0')
        router.spawn('--insecure-no-auth')
        wait_for(lambda: router.socket.exists() and router.is_ready(), 'the daemon')
        self.assertEqual(router.request('GET', '/v1/models').status, 200)

    def test_two_daemons_on_one_state_directory(self):
        router = self.daemon().start()
        status, said = router.run_to_end()  # at once: it waits for nobody
        self.assertEqual(status, 1, said)
        self.assertIn(str(router.process.pid), said)
        self.assertEqual(router.request('GET', '/readyz', via='socket').status, 200)
        self.assertEqual(router.status()['pid'], router.process.pid)

    def test_a_database_of_a_newer_version(self):
        router = self.daemon().start()
        self.assertEqual(router.stop(), 0)
        path, = router.state.glob('*.db')
        with contextlib.closing(sqlite3.connect(path)) as database:
            known = database.execute('PRAGMA user_version').fetchone()[0]
            database.execute('PRAGMA user_version = 9999')
        status, said = router.run_to_end()
        self.assertEqual(status, 1, said)
        for word in (str(path), '9999', str(known)):
            self.assertIn(word, said)
        with contextlib.closing(sqlite3.connect(path)) as database:
            self.assertEqual(database.execute('PRAGMA user_version').fetchone()[0], 9999)

    def test_a_configuration_with_faults_names_them_all(self):
        router = self.daemon('[limits]\nmax_loded = 1\nidle_unload = "soon"')
        status, said = router.run_to_end()
        self.assertNotEqual(status, 0)
        self.assertRegex(said, r'routerd\.toml:\d+:\d+: ')
        self.assertIn('max_loded', said)
        self.assertIn('max_loaded', said)
        self.assertIn('idle_unload', said)

    def test_check_prints_where_each_value_comes_from(self):
        router = self.daemon('[limits]\nmax_loaded = 3')
        status, said = router.run_to_end('--check')
        self.assertEqual(status, 0, said)
        line, = (line for line in said.splitlines() if 'max_loaded' in line)
        self.assertIn('3', line)
        self.assertRegex(line, r'routerd\.toml:\d+')

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which('setpriv'), 'needs root and setpriv')
    def test_others_may_not_use_the_control_socket_though_they_can_open_it(self):
        router = self.daemon().start()
        router.socket.chmod(0o666)
        for folder in (self.home, router.home, router.runtime):
            folder.chmod(0o711)
        script = ('import http.client, socket, sys\n'
                  'c = http.client.HTTPConnection("localhost"); c.sock = socket.socket(socket.AF_UNIX)\n'
                  'c.sock.connect(sys.argv[1]); c.request("GET", "/control/v1/status")\n'
                  'a = c.getresponse(); print(a.status, a.read().decode())')

        python = shutil.which('python3', path='/usr/bin') or sys.executable  # others' may be private

        def ask(*who):
            done = subprocess.run(['setpriv', *who, python, '-c', script, router.socket],
                                  capture_output=True, text=True, timeout=60, cwd='/')
            return done.stdout + done.stderr

        stranger = ask('--reuid=65534', '--regid=65534', '--clear-groups')
        self.assertTrue(stranger.startswith('403 '), stranger)
        self.assertIn('user 65534 may not use the control socket', stranger)
        member = ask('--reuid=65534', '--regid=65534', f'--groups={os.getegid()}')
        self.assertTrue(member.startswith('200 '), member)

    def test_a_stale_socket_is_replaced(self):
        router = self.daemon()
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as stale:
            stale.bind(str(router.socket))
        router.start()
        self.assertEqual(router.ctl('status').returncode, 0)

    def test_broken_files_are_listed_and_not_offered(self):
        router = self.daemon()
        write_model(router.models / 'fox.gguf')
        (router.models / 'cut.gguf').write_bytes((router.models / 'fox.gguf').read_bytes()[:3000])
        (router.models / 'text.gguf').write_text('not a model')
        router.start()
        listed = router.request('GET', '/v1/models').json()['data']
        self.assertEqual([row['id'] for row in listed], ['fox'])
        run = router.ctl('rescan')
        self.assertEqual(run.returncode, 0, run.stderr)
        said = run.stdout + run.stderr
        self.assertRegex(said, re.compile('1 models? found, 0 added, 0 removed, 2 broken'))
        self.assertIn('cut.gguf', said)
        self.assertIn('text.gguf', said)

    @harness.needs_llama_server
    def test_a_model_that_appears_is_offered_and_one_that_goes_is_not(self):
        router = self.daemon().start()
        write_model(router.models / 'fox.gguf')
        wait_for(lambda: router.chat('fox').status == 200, 'the model to be seen', 10)
        self.assertEqual(chat_text(router.chat('fox')), TEXT)
        (router.models / 'fox.gguf').unlink()
        wait_for(lambda: router.chat('fox').status == 404, 'the model to be forgotten', 10)


class UnreachableTest(harness.E2ETest):
    def test_routerctl_says_what_it_tried_and_how_to_start_a_daemon(self):
        run = self.daemon().ctl('status')
        self.assertEqual(run.returncode, 6, run.stderr)
        self.assertEqual(run.stdout, '')
        self.assertIn('routerd.sock', run.stderr)
        self.assertIn('routerd --user', run.stderr)


if __name__ == '__main__':
    harness.main()
