"""Models that another machine's server has: asked by its URL, with its key, by its name for them."""
import shutil
import socket
import subprocess
import time
import unittest

import harness
from certificates import make_certificate
from far import Far
from processes import wait_for
from successors import UpgradingTest

PLACES = '127.0.0.1', '127.0.0.2'


def section(url, name='far', **keys):
    lines = [f'url = "{url}"'] + [f'{key} = "{value}"' for key, value in keys.items()]
    return f'[model."{name}"]\n' + '\n'.join(lines) + '\n'


def certificate(folder, name='localhost'):
    return make_certificate(folder, name, f'DNS:{name},IP:127.0.0.1')


def may_mount():
    """Whether a program can be given a hosts file of its own."""
    done = subprocess.run(['unshare', '--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


class RemoteTest(harness.E2ETest):
    def far(self, *arguments, **options):
        far = Far(*arguments, **options)
        self.addCleanup(far.stop)
        return far

    def start(self, config, **options):
        self.router = self.daemon(config, **options)
        self.router.start()
        return self.router

    def key_file(self, key='sk-far'):
        path = self.home / 'far.key'
        path.write_text(f'# of the far server\n{key}\n')
        path.chmod(0o600)
        return path

    def ask(self, model='far', stream=False, **more):
        return self.router.chat(model, stream=stream, **more)

    def assert_says(self, text, answer):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(harness.chat_text(answer), text)


def form(*fields, boundary='--b'):
    """Of (name, value) and (name, value, file's name)."""
    body = b''
    for name, value, *file in fields:
        kind = f'; filename="{file[0]}"\r\nContent-Type: audio/wav' if file else ''
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{kind}'
                 '\r\n\r\n').encode() + value + b'\r\n'
    return body + f'--{boundary}--\r\n'.encode()


class AskedTest(RemoteTest):
    """What the server sees, and what clients and people do."""

    def test_it_is_asked_at_its_base_with_its_key_and_by_its_name(self):
        far = self.far()
        self.start(section(f'http://127.0.0.1:{far.port}/team/v1/', key_file=self.key_file(),
                           remote_model='org/name') + 'aliases = ["f"]\n')
        answer = self.ask('F', headers={'Authorization': 'Bearer own', 'X-Api-Key': 'own',
                                        'Cookie': 'own', 'Accept-Encoding': 'gzip'})
        self.assert_says('far', answer)
        self.assertEqual(answer.headers['x-router-model'], 'far')
        self.assertNotIn('set-cookie', answer.headers)
        line, fields, _, _ = far.seen[0]
        self.assertEqual(line, 'POST /team/v1/chat/completions HTTP/1.1')
        self.assertEqual(fields['host'], f'127.0.0.1:{far.port}')
        self.assertEqual(fields['authorization'], 'Bearer sk-far')
        self.assertFalse({'x-api-key', 'cookie', 'accept-encoding'} & fields.keys(), fields)
        self.assertEqual(far.bodies()[0], harness.chat_body('org/name'))

    def send_form(self, body, boundary='--b', path='/v1/audio/transcriptions'):
        fields = {'Content-Type': f'multipart/form-data; boundary="{boundary}"'}
        return self.router.request('POST', path, body, fields)

    def test_a_form_goes_where_its_model_says_and_names_it_as_that_server_does(self):
        far, other = self.far(), self.far('other')
        self.start(section(f'http://127.0.0.1:{far.port}', remote_model='org/ear') +
                   'set = { language = "de", temperature = 0.5 }\nstrip = ["prompt"]\n' +
                   section(f'http://127.0.0.1:{other.port}', name='other'))
        sound = ('file', bytes(range(256)) + b'\r\n--b', 'a.wav')
        answer = self.send_form(form(('prompt', b'p'), sound, ('model', b'far'), ('n', b'1')))
        self.assertEqual((answer.status, answer.json()['text']), (200, 'far'), answer)
        self.assertEqual(answer.headers['x-router-model'], 'far')
        line, fields, body, _ = far.seen[0]
        self.assertEqual(line, 'POST /v1/audio/transcriptions HTTP/1.1')
        self.assertEqual(fields['content-type'], 'multipart/form-data; boundary="--b"')
        expected = form(('language', b'de'), ('model', b'org/ear'), ('temperature', b'0.5'), sound,
                        ('n', b'1')).replace(b'Content-Disposition', b'content-disposition', 3)
        self.assertEqual(body, expected)
        unchanged = form(sound, ('model', b'other'))
        self.assertEqual(self.send_form(unchanged).json()['text'], 'other')
        self.assertEqual(other.seen[0][2], unchanged)
        self.assertEqual(self.send_form(unchanged[:-8], path='/v1/images/edits').status, 400)
        history = self.router.get('/control/v1/requests')['items']
        self.assertEqual([(item['model'], item['status']) for item in history],
                         [(None, 400), ('other', 200), ('far', 200)])

    def test_a_body_that_is_no_form_is_refused_by_name(self):
        self.start(section(f'http://127.0.0.1:{self.far().port}'))
        whole = form(('model', b'far'))
        for body, boundary, why in (
                (whole[:-6], '--b', 'at byte 7'), (b'', '--b', 'not begin'),
                (whole, 'c', 'not begin'), (whole + whole, '--b', 'behind the last'),
                (form(('model', b'far'), ('model', b'x')), '--b', 'twice'),
                (form(('model', b'far', 'a.txt')), '--b', 'not a file'),
                (whole, 'b ', 'is not supported')):
            answer = self.send_form(body, boundary)
            self.assertEqual(answer.status, 400, answer)
            error = answer.json()['error']
            self.assertEqual(error['code'], 'invalid_request')
            self.assertIn(why, error['message'])
        both = self.router.raw_chat('far', headers={'content-type': 'multipart/form-data; boundary=b'})
        self.addCleanup(both.close)
        self.assertIn(b'content-type is there twice', both.read_to_end())
        self.assertEqual(self.send_form(form(('model', b'nobody'))).status, 404)
        self.assertEqual(self.send_form(whole).status, 200)

    def test_without_a_key_none_is_sent_and_its_own_name_is_left_as_it_is(self):
        far = self.far()
        self.start(section(f'http://127.0.0.1:{far.port}'))
        self.assert_says('far', self.ask(headers={'Authorization': 'Bearer own'}))
        self.assertNotIn('authorization', far.seen[0][1])
        self.assertEqual(far.bodies()[0], harness.chat_body('far'))

    def test_connections_are_kept_after_streams_too(self):
        far = self.far()
        self.start(section(f'http://127.0.0.1:{far.port}'))
        far.plan('stream', 'answer', 'stream')
        self.assert_says('far', self.ask(stream=True))
        self.assert_says('far', self.ask())
        self.assert_says('far', self.ask(stream=True))
        self.assertEqual(far.connections, 1)

    def test_a_connection_that_is_not_used_is_not_kept_for_ever(self):
        far = self.far()
        self.start(section(f'http://127.0.0.1:{far.port}'))
        self.assert_says('far', self.ask())
        wait_for(lambda: not far.open, 'it to be closed')

    def test_people_see_it_for_what_it_is(self):
        far = self.far()
        url = f'http://127.0.0.1:{far.port}/v1'
        router = self.start(section(url, key_file=self.key_file()))
        listed = {item['id'] for item in router.request('GET', '/v1/models').json()['data']}
        self.assertEqual(listed, {'far'})
        self.assertRegex(router.ctl('ls').stdout, r'(?m)^far .*remote$')
        self.assertEqual(router.ctl('load', 'far').returncode, 0)
        instance = router.instance('far')
        self.assertEqual((instance['address'], instance['state']), (url, 'ready'))
        self.assertIsNone(instance['pid'])
        shown = router.ctl('show', 'far').stdout
        self.assertIn(f'url={url}', shown)
        self.assertNotIn('sk-far', shown + router.ctl('config', 'show').stdout)
        self.assertIn('elsewhere', router.ctl('estimate', 'far').stdout)
        removed = router.ctl('rm', 'far')
        self.assertEqual(removed.returncode, 5, removed)
        self.assertIn('no file to remove', removed.stderr)
        self.assertEqual(router.ctl('unload', 'far').returncode, 0)
        self.assertIsNone(router.instance('far'))
        self.assertEqual(far.connections, 0)  # nobody asked it anything

    def test_who_may_change_settings_cannot_send_prompts_elsewhere(self):
        router = self.start(section('http://127.0.0.1:9'))
        for key in ('url=http://evil.example', 'key_file=/etc/shadow', 'ca_file=/x'):
            done = router.ctl('set', 'far', key)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn('configuration', done.stderr)

    def test_its_errors_are_passed_on(self):
        far = self.far()
        router = self.start(section(f'http://127.0.0.1:{far.port}'))
        far.plan('close')
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn("model 'far'", answer.json()['error']['message'])
        self.assert_says('far', self.ask())
        self.assertEqual(router.instance('far')['state'], 'ready')

    def test_requests_are_held_to_what_the_configuration_allows_at_once(self):
        far = self.far()
        router = self.start(section(f'http://127.0.0.1:{far.port}') + 'parallel = 1\n')
        far.plan('hold', 'answer')
        first = router.raw_chat('far', stream=True)
        first.read_until(b'far')
        second = router.raw_chat('far')
        wait_for(lambda: router.get('/control/v1/queue')['items'], 'the second to wait')
        self.assertEqual(len(far.seen), 1)
        far.let_go()
        self.assertIn(b'[DONE]', first.read_to_end())
        self.assertIn(b'200 OK', second.read_to_end())
        first.close()
        second.close()


class FaultTest(RemoteTest):
    """A server that is away, moves, or is not who it says."""

    def test_one_that_is_away_is_asked_again_by_the_next_request(self):
        far = self.far()
        port = far.port
        router = self.start(section(f'http://127.0.0.1:{port}'))
        far.stop()
        for _ in range(15):  # more than a model's server may fail in a row
            answer = self.ask()
            self.assertEqual(answer.status, 502, answer)
            self.assertIn('refused', answer.json()['error']['message'])
        self.far('back', port=port)
        self.assert_says('back', self.ask())
        self.assertEqual(router.instance('far')['state'], 'ready')

    def test_one_that_is_asked_through_itself_does_not_go_round_for_ever(self):
        router = self.start('')
        host, port = router.tcp_address()
        router.configure(section(f'http://{host}:{port}'), harness.LLAMA_SERVER)
        self.assertEqual(router.ctl('config', 'reload').returncode, 0)
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn('through 8 routers, or back', answer.json()['error']['message'])

    def test_a_name_that_nobody_knows_is_said(self):
        self.start(section('http://no-such-host.invalid/v1'))
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn("look up 'no-such-host.invalid'", answer.json()['error']['message'])

    def test_a_key_file_that_others_can_read_is_refused(self):
        far = self.far()
        path = self.key_file()
        path.chmod(0o644)
        router = self.start(section(f'http://127.0.0.1:{far.port}', key_file=path))
        answer = self.ask()
        self.assertEqual(answer.status, 503, answer)
        self.assertIn('others than its owner', answer.json()['error']['message'])
        self.assertEqual(far.connections, 0)
        path.chmod(0o600)
        self.assertEqual(router.ctl('reset', 'far').returncode, 0)
        self.assert_says('far', self.ask())

    def test_another_key_is_used_after_a_reload(self):
        far = self.far()
        path = self.key_file('one')
        router = self.start(section(f'http://127.0.0.1:{far.port}', key_file=path))
        self.assert_says('far', self.ask())
        path.write_text('two\n')
        self.assertEqual(router.ctl('config', 'reload').returncode, 0)
        self.assert_says('far', self.ask())
        keys = [fields['authorization'] for _, fields, _, _ in far.seen]
        self.assertEqual(keys, ['Bearer one', 'Bearer two'])

    def test_another_url_is_asked_after_a_reload_and_a_stream_goes_on(self):
        one, two = self.far('one'), self.far('two')
        router = self.start(section(f'http://127.0.0.1:{one.port}'))
        one.plan('hold')
        stream = router.raw_chat('far', stream=True)
        stream.read_until(b'far')
        router.configure(section(f'http://127.0.0.1:{two.port}'), harness.LLAMA_SERVER)
        self.assertEqual(router.ctl('config', 'reload').returncode, 0)
        asked = router.raw_chat('far')
        one.let_go()
        self.assertIn(b'[DONE]', stream.read_to_end())
        self.assertIn(b'"two"', asked.read_to_end())
        for client in (stream, asked):
            client.close()


class MovedTest(RemoteTest):
    """A server with a name, which leads to another address from one moment to the next."""

    def setUp(self):
        super().setUp()
        if not may_mount():
            self.skipTest('no mount namespace, so no hosts file of its own')
        self.hosts = self.home / 'hosts'
        self.one = self.far('one', PLACES[0])
        self.two = self.far('two', PLACES[1], port=self.one.port)
        self.lead_to(PLACES[0])

    def lead_to(self, *places):
        """In place: what is mounted is this file."""
        self.hosts.write_text(''.join(f'{place} moving.test\n' for place in places))

    def start(self, config='', **options):
        self.router = self.daemon(section(f'http://moving.test:{self.one.port}') + config, **options)
        real, wrapped = harness.ROUTERD, self.home / 'routerd'
        wrapped.write_text(f"""#!/bin/sh
exec unshare --mount sh -c 'mount --bind {self.hosts} /etc/hosts && exec "$@"' sh {real} "$@"
""")
        wrapped.chmod(0o755)
        self.addCleanup(setattr, harness, 'ROUTERD', real)
        harness.ROUTERD = wrapped
        self.router.start()
        return self.router

    def test_one_that_does_not_answer_where_it_was_is_looked_up_anew(self):
        self.start()
        self.assert_says('one', self.ask())
        self.one.stop()
        self.lead_to(PLACES[1])
        self.assert_says('two', self.ask())
        self.assertEqual(len(self.two.seen), 1)

    def test_while_it_answers_where_it_was_it_is_asked_there(self):
        self.start()
        self.assert_says('one', self.ask())
        self.one.drop()
        self.lead_to(PLACES[1])
        self.assert_says('one', self.ask())

    def test_of_several_addresses_the_first_that_takes_it(self):
        self.one.stop()
        self.lead_to(*PLACES)
        self.start()
        self.assert_says('two', self.ask())

    def test_after_the_first_byte_nobody_else_is_asked(self):
        self.start()
        self.one.plan('part')
        self.lead_to(*PLACES)
        client = self.router.raw_chat('far')
        received = client.read_to_end()
        client.close()
        self.assertIn(b'200 OK', received)
        self.assertFalse(received.endswith(b'}'), 'a part must not look like the whole')
        self.assertEqual(self.two.seen, [])

    def test_what_it_may_have_begun_is_asked_of_nobody_else(self):
        self.start()
        self.one.plan('answer', 'close')
        self.assert_says('one', self.ask())
        self.lead_to(PLACES[1])
        self.assertEqual(self.ask().status, 502)
        self.assertEqual(self.two.seen, [])

    def test_by_each_worker(self):
        self.start(http='workers = 2')
        for _ in range(8):
            self.assert_says('one', self.ask())
        self.one.stop()
        self.lead_to(PLACES[1])
        for _ in range(8):
            self.assert_says('two', self.ask())


@unittest.skipUnless(shutil.which('openssl'), 'no openssl to make certificates with')
class TlsTest(RemoteTest):
    def test_a_server_whom_the_configuration_trusts(self):
        files = certificate(self.home)
        far = self.far(certificate=files)
        for host in ('localhost', '127.0.0.1'):
            with self.subTest(host):
                router = self.start(section(f'https://{host}:{far.port}/v1', ca_file=files[0]))
                far.plan('stream', 'answer', 'stream')
                before = far.connections
                self.assert_says('far', self.ask(stream=True))
                self.assert_says('far', self.ask())
                self.assert_says('far', self.ask(stream=True))
                self.assertEqual(far.connections, before + 1)
                router.stop()

    def test_large_requests_go_out_whole(self):
        files = certificate(self.home)
        far = self.far(certificate=files)
        self.start(section(f'https://localhost:{far.port}', ca_file=files[0]),
                   http='max_body = "8MiB"')
        body = harness.chat_body('far', padding='x' * 4_000_000)
        answer = self.router.request('POST', '/v1/chat/completions', body)
        self.assert_says('far', answer)
        self.assertEqual(far.bodies()[0], body)

    def test_a_server_for_whom_nobody_vouches_is_told_nothing(self):
        far = self.far(certificate=certificate(self.home))
        self.start(section(f'https://localhost:{far.port}'))
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn('TLS: self-signed certificate', answer.json()['error']['message'])
        self.assertEqual(far.seen, [])

    def test_a_certificate_with_another_name_is_refused(self):
        files = certificate(self.home, 'example.org')
        far = self.far(certificate=files)
        self.start(section(f'https://localhost:{far.port}', ca_file=files[0]))
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn('TLS: hostname mismatch', answer.json()['error']['message'])
        self.assertEqual(far.seen, [])

    def test_a_server_that_speaks_no_tls_is_an_error_and_not_a_wait(self):
        far = self.far()
        self.start(section(f'https://localhost:{far.port}'))
        began = time.monotonic()
        answer = self.ask()
        self.assertEqual(answer.status, 502, answer)
        self.assertIn('TLS: ', answer.json()['error']['message'])
        self.assertLess(time.monotonic() - began, 30)

    def test_who_leaves_before_it_is_reached_gives_up_the_slot(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:  # and says nothing
            listener.settimeout(60)
            url = f'https://127.0.0.1:{listener.getsockname()[1]}'
            router = self.start(section(url) + 'parallel = 1\n')
            first = router.raw_chat('far')
            reached, _ = listener.accept()
            second = router.raw_chat('far')
            wait_for(lambda: router.get('/control/v1/queue')['items'], 'the second to wait')
            first.close()
            reached_next, _ = listener.accept()
            with reached, reached_next:
                reached.recv(16384)  # its hello
                with self.assertRaises(BlockingIOError, msg='it was waited for to the end'):
                    reached.recv(1, socket.MSG_DONTWAIT)
            self.assertIn(b'502', second.read_to_end())
            second.close()

    def test_a_client_that_leaves_closes_the_connection(self):
        files = certificate(self.home)
        far = self.far(certificate=files)
        router = self.start(section(f'https://localhost:{far.port}', ca_file=files[0]))
        far.plan('hold')
        client = router.raw_chat('far', stream=True)
        client.read_until(b'far')
        client.close()
        wait_for(lambda: router.instance('far')['busy'] == 0, 'its slot to be free')
        far.let_go()
        wait_for(lambda: not far.open, 'the connection to be closed')


@harness.needs_llama_server
class BesideTest(RemoteTest):
    """Together with a model of this machine."""

    def test_it_takes_no_place_from_a_model_of_this_machine(self):
        far = self.far()
        router = self.daemon('[limits]\nmax_loaded = 1\n' + section(f'http://127.0.0.1:{far.port}'))
        harness.write_model(router.models / 'fox.gguf')
        self.router = router.start()
        self.assert_says(harness.TEXT, self.ask('fox', max_tokens=64))
        servers = router.servers()
        self.assert_says('far', self.ask())
        self.assert_says(harness.TEXT, self.ask('fox', max_tokens=64))
        self.assertEqual(router.servers(), servers)


@unittest.skipUnless(shutil.which('openssl'), 'no openssl to make certificates with')
class UpgradedTest(UpgradingTest, RemoteTest):
    """What goes on while another daemon takes over."""

    def test_a_stream_ends_as_it_would_have_and_the_next_daemon_asks(self):
        files = certificate(self.home)
        far = self.far(certificate=files)
        router = self.start(section(f'https://localhost:{far.port}', ca_file=files[0],
                                    key_file=self.key_file()) + 'parallel = 1\n')
        far.plan('hold')
        stream = router.raw_chat('far', stream=True)
        stream.read_until(b'far')
        waiting = router.raw_chat('far')  # its turn comes in the next daemon
        wait_for(lambda: router.get('/control/v1/queue')['items'], 'the second to wait')
        before = self.upgrade(router)
        self.assert_says('far', self.ask())
        far.let_go()
        self.assertIn(b'[DONE]', stream.read_to_end())
        self.assertIn(b'200 OK', waiting.read_to_end())
        self.assertEqual({fields['authorization'] for _, fields, _, _ in far.seen},
                         {'Bearer sk-far'})
        for client in (stream, waiting):
            client.close()
        before.wait(60)


if __name__ == '__main__':
    harness.main()
