"""Models that are fetched: from a URL, the hub, a registry of Ollama, and this machine."""
import functools
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest

import harness
import test_tls
from harness import TEXT, chat_text, sse_events, wait_for, write_model
from hub import Hub
from origin import MIB, Cdn, Fault, Origin, made_up, sha256
from registry import Registry

AT_REST = ('complete', 'failed', 'paused')


@functools.cache
def model(text=TEXT, size=0):
    """A real model; as large as that, where it is said: what follows the tensors is nobody's."""
    with tempfile.TemporaryDirectory(prefix='routerd-') as folder:
        content = write_model(pathlib.Path(folder) / 'm.gguf', text=text).read_bytes()
    return content + made_up(max(0, size - len(content)), 1)


class PullTest(harness.E2ETest):
    """What tests of pulls have in common: players, and a daemon that fetches from them."""

    def player(self, player):
        self.addCleanup(player.close)
        return player

    @property
    def models(self):
        return self.home / 'd/models'

    def settings(self, *players, more='', others=''):
        """A configuration that allows them."""
        allow = json.dumps([player.origin for player in players])
        directory = '' if 'layout' in more else f'dir = "{self.models}"\n'
        return (f'[pull]\n{directory}stall_timeout = "2s"\nallow = {allow}\n{more}\n'
                f'{others}\n')

    def start(self, *players, **settings):
        self.router = self.daemon(self.settings(*players, **settings))
        return self.router.start()

    def ctl(self, *arguments, status=0):
        done = self.router.ctl(*arguments)
        self.assertEqual(done.returncode, status, done)
        return done

    def spawn(self, *arguments):
        """A routerctl that is not waited for."""
        process = subprocess.Popen([harness.ROUTERCTL, *arguments], text=True,
                                   env=self.router.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def ask(self, method, path='', body=None):
        """Of the control API's pulls."""
        answer = self.router.request(method, '/control/v1/pulls' + path, body, via='socket')
        self.assertIn(answer.status, (200, 201, 202), answer)
        return answer.json()

    def begin(self, ref, **fields):
        return self.ask('POST', body={'ref': ref, **fields})['id']

    def pull(self, number):
        return self.ask('GET', f'/{number}')

    def pulls(self):
        return self.ask('GET')['items']

    def wait_until(self, number, *states, seconds=60):
        states = states or AT_REST

        def look():
            pull = self.pull(number)
            if pull['state'] in states:
                return pull
            self.assertNotIn(pull['state'], ('complete', 'failed'), pull)
            return None

        return wait_for(look, f'pull {number} to be {" or ".join(states)}', seconds)

    def digests(self):
        """Of all models that are visible, by their path below the folder."""
        return {str(path.relative_to(self.models)): sha256(path.read_bytes())
                for path in self.models.rglob('*.gguf')}

    def parts(self):
        return [path.name for path in self.models.rglob('*.part*')]

    def assert_fetched(self, **contents):
        """These files and no others, by name, without '.gguf'."""
        wanted = {name: sha256(content) for name, content in contents.items()}
        found = {pathlib.Path(path).stem: digest for path, digest in self.digests().items()}
        self.assertEqual(found, wanted)
        self.assertEqual(self.parts(), [])

    def assert_nothing(self):
        self.assertEqual((self.digests(), self.parts()), ({}, []))


class UrlTest(PullTest):
    def setUp(self):
        super().setUp()
        self.origin = self.player(Origin())

    @harness.needs_llama_server
    def test_a_pulled_model_answers(self):
        url = self.origin.serve('/fox.gguf', model())
        self.start()
        done = self.ctl('pull', url, '--insecure')
        self.assertEqual(done.stdout, 'fox\n')
        self.assertEqual(self.digests(), {'fox.gguf': sha256(model())})
        self.assertEqual(self.parts(), [])
        self.assertIn('fox', self.ctl('ls').stdout)
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)
        pull, = self.pulls()
        self.assertEqual((pull['state'], pull['models'], pull['done'], pull['error']),
                         ('complete', ['fox'], len(model()), ''))
        file, = pull['files']
        self.assertEqual((file['name'], file['path'], file['sha256']),
                         ('fox.gguf', str(self.models / 'fox.gguf'), sha256(model())))

    def test_an_allowed_origin_needs_no_flag(self):
        url = self.origin.serve('/fox.gguf', model())
        self.start(self.origin)
        self.assertEqual(self.ctl('pull', url).stdout, 'fox\n')
        self.assert_fetched(fox=model())

    def test_another_is_refused_and_never_asked(self):
        url = self.origin.serve('/fox.gguf', model())
        self.start()
        done = self.ctl('pull', url, status=5)
        self.assertIn('127.0.0.1', done.stderr)
        self.assertIn('--insecure', done.stderr)
        self.assertEqual(self.origin.requests(), [])
        self.assert_nothing()

    def test_the_digest_that_was_asked_for(self):
        url = self.origin.serve('/fox.gguf', model())
        self.start(self.origin)
        done = self.ctl('pull', url, '--sha256', sha256(b'another'), status=1)
        self.assertIn('SHA-256', done.stderr)
        self.assertEqual(self.digests(), {})
        for pull in self.pulls():
            self.ctl('pulls', 'rm', pull['id'])
        self.ctl('pull', url, '--sha256', sha256(model()))
        self.assert_fetched(fox=model())

    def test_what_cannot_be(self):
        for status in (401, 403, 404, 410):
            self.origin.serve(f'/{status}.gguf', model(), Fault(status=status))
        self.origin.serve('/page.gguf', b'<html>not a model</html>' * 100)
        self.start(self.origin)
        folder = self.home / 'folder.gguf'
        folder.mkdir()
        url = self.origin.url
        for codes, words in (
                ('2', ['no reference']), ('2', []), ('2', ['ftp://host/x.gguf']),
                ('2', [url('/page.txt')]), ('2', [url('/x.gguf'), '--sha256', 'xyz']),
                ('2', [url('/x.gguf'), '--limit-rate', 'fast']),
                ('2', [url('/x.gguf'), '--connections', '0']),
                ('4', [url('/404.gguf')]), ('4', [url('/410.gguf')]),
                ('5', [url('/401.gguf')]), ('5', [url('/403.gguf')]),
                ('15', [url('/page.gguf')]), ('4', [f'file://{self.home}/nobody.gguf']),
                ('1245', [f'file://{folder}'])):
            with self.subTest(words):
                done = self.router.ctl('pull', *words)
                self.assertIn(str(done.returncode), codes, done)
                self.assertEqual(done.stdout, '')
                self.assertGreater(len(done.stderr), 20)
        for status in (401, 403, 404, 410):
            self.assertEqual(len(self.origin.requests(f'/{status}.gguf')), 1, 'asked once')
        self.ctl('pulls', 'attach', 'nobody', status=4)
        self.assertEqual(self.digests(), {})
        self.assertEqual(self.router.stop(), 0)
        self.ctl('pull', self.origin.url('/x.gguf'), status=6)

    @unittest.skipUnless(shutil.which('openssl'), 'no openssl to make certificates with')
    def test_a_certificate_that_nobody_signed(self):
        certificate, key = test_tls.make_certificate(self.home, 'origin')
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        origin = self.player(Origin(tls=context))
        url = origin.serve('/fox.gguf', model())
        self.start(origin)
        number = self.ctl('pull', '-d', url).stdout.strip()
        pull = wait_for(lambda: self.pull(number)['error'] and self.pull(number),
                        'the certificate to be refused')
        self.assertIn('certificate', pull['error'])
        self.assertEqual(origin.requests(), [])
        self.ctl('pulls', 'rm', number)
        self.assert_nothing()

    def test_a_user_who_leaves_is_told_the_way_back(self):
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB))
        self.start(self.origin)
        process = self.spawn('pull', url)
        wait_for(gate.holds, 'the download to be under way')
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (130, ''), told)
        pull, = self.pulls()
        for word in ('attach', 'pause', 'rm'):
            self.assertIn(f'routerctl pulls {word} {pull["id"]}', told)
        self.assertEqual(pull['state'], 'downloading')
        gate.open()
        self.assertEqual(self.ctl('pulls', 'attach', pull['id']).stdout, 'fox\n')
        self.assert_fetched(fox=model(size=4 * MIB))

    def test_from_afar(self):
        """-d, and what `pulls` does with it."""
        content = model(size=8 * MIB)
        gate = self.origin.hold('/fox.gguf', 2 * MIB)
        url = self.origin.serve('/fox.gguf', content)
        self.start(self.origin)
        number = self.ctl('pull', '-d', url, '--connections', '2').stdout.strip()
        wait_for(gate.holds, 'the download to be under way')
        wait_for(lambda: self.pull(number)['done'] == 2 * MIB, 'all that was sent to be here')
        listed = json.loads(self.ctl('pulls', 'ls', '--json').stdout)['items']
        self.assertEqual([(item['id'], item['ref'], item['state'], item['size'])
                          for item in listed], [(number, url, 'downloading', len(content))])
        self.assertIn('downloading', self.ctl('pulls').stdout)
        self.assertEqual(self.digests(), {})
        self.assertEqual(self.parts(), ['fox.gguf.part'])

        self.ctl('pulls', 'pause', number)
        self.wait_until(number, 'paused')
        wait_for(lambda: not gate.holds(), 'its connections to be closed')
        gate.open()
        asked = len(self.origin.requests())
        self.ctl('pulls', 'attach', number, status=3)
        self.assertEqual(len(self.origin.requests()), asked, 'a pause is a pause')
        self.ctl('pulls', 'limit', number, '50M')
        self.assertEqual(self.pull(number)['limit_rate'], 50 * MIB)
        self.ctl('pulls', 'limit', number, '0')
        self.ctl('pulls', 'resume', number)
        self.assertEqual(self.ctl('pulls', 'attach', number).stdout, 'fox\n')
        self.assert_fetched(fox=content)
        self.assertLessEqual(self.origin.bytes_sent('/fox.gguf'), len(content) + MIB)
        self.assertLessEqual(self.origin.most_at_once('/fox.gguf'), 2)
        later = [request for request in self.origin.requests('/fox.gguf')[asked:]
                 if request.method == 'GET']
        self.assertTrue(later)
        for request in later:
            self.assertTrue(request.range and 'if-range' in request.headers, request)

        self.ctl('pulls', 'rm', number)
        self.assertEqual(self.pulls(), [])
        self.assert_fetched(fox=content)

    def test_one_that_is_removed_leaves_nothing(self):
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB))
        self.start(self.origin)
        process = self.spawn('pull', url)
        wait_for(gate.holds, 'the download to be under way')
        pull, = self.pulls()
        self.ctl('pulls', 'rm', pull['id'])
        self.assertNotEqual(process.wait(60), 0)
        wait_for(lambda: not gate.holds(), 'its connections to be closed')
        self.assertEqual(self.pulls(), [])
        self.assert_nothing()
        gate.open()
        self.ctl('pull', url)
        self.assert_fetched(fox=model(size=4 * MIB))

    def test_two_who_want_the_same_share_one_transfer(self):
        content = model(size=8 * MIB)
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', content)
        self.start(self.origin)
        first = self.spawn('pull', url)
        wait_for(gate.holds, 'the download to be under way')
        number, = (pull['id'] for pull in self.pulls())
        second = self.spawn('pull', url)
        self.assertEqual(self.ctl('pull', '-d', url).stdout.strip(), number)
        gate.open()
        for process in (first, second):
            out, told = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (0, 'fox\n'), told)
        self.assertEqual(len(self.pulls()), 1)
        self.assertLessEqual(self.origin.refetched('/fox.gguf'), MIB)
        self.assert_fetched(fox=content)

    def test_what_is_here_is_not_fetched_again(self):
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB))
        self.start(self.origin)
        self.ctl('pull', url, '--sha256', sha256(model(size=4 * MIB)))
        sent = self.origin.bytes_sent()
        self.assertEqual(self.ctl('pull', url, '--sha256', sha256(model(size=4 * MIB))).stdout,
                         'fox\n')
        self.assertLess(self.origin.bytes_sent() - sent, 2 * MIB)
        self.assert_fetched(fox=model(size=4 * MIB))

    def test_a_rate_is_kept_to(self):
        content = model(size=6 * MIB)
        url = self.origin.serve('/fox.gguf', content)
        other = self.origin.serve('/box.gguf', content)
        self.start(self.origin, more='limit_rate = "3M"')
        began = time.monotonic()
        number = self.begin(url, limit_rate='20M')
        self.wait_until(number, 'complete')
        took = time.monotonic() - began
        self.assertGreater(took, 1.2, 'the limit of all')
        self.assertLess(took, 20)
        self.router.configure(self.settings(self.origin), harness.LLAMA_SERVER or 'x')
        self.ctl('config', 'reload')
        began = time.monotonic()
        self.ctl('pull', other, '--limit-rate', '3M')
        self.assertGreater(time.monotonic() - began, 1.2, 'its own')

    def test_a_limit_that_is_lifted(self):
        url = self.origin.serve('/fox.gguf', model(size=24 * MIB))
        self.start(self.origin)
        number = self.begin(url, limit_rate='100K')
        wait_for(lambda: self.pull(number)['done'], 'it to begin')
        self.assertEqual(self.ask('PATCH', f'/{number}', {'limit_rate': '0'})['limit_rate'], 0)
        self.wait_until(number, 'complete', seconds=30)

    def test_more_connections_where_each_is_slow(self):
        content = model(size=16 * MIB)
        self.origin.rate = 4 * MIB
        url = self.origin.serve('/fox.gguf', content)
        self.start(self.origin)
        self.ctl('pull', url, '--connections', '4')
        self.assertIn(self.origin.most_at_once('/fox.gguf'), (2, 3, 4))
        self.assert_fetched(fox=content)

    def test_whoever_follows_is_told(self):
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB))
        self.start(self.origin)
        number = self.begin(url)
        connection = harness.UnixConnection(self.router.socket, 60)
        self.addCleanup(connection.close)
        connection.request('GET', f'/control/v1/pulls/{number}?follow=true')
        answer = connection.getresponse()
        self.assertEqual(answer.getheader('content-type').partition(';')[0], 'text/event-stream')
        wait_for(gate.holds, 'the download to be under way')
        gate.open()
        events = sse_events(answer.read().decode())
        self.assertEqual({name for name, _ in events}, {'pull'})
        told = [json.loads(data) for _, data in events]
        self.assertEqual(told[-1]['state'], 'complete')
        self.assertEqual(told[-1]['models'], ['fox'])
        done = [pull['done'] for pull in told]
        self.assertEqual(done, sorted(done))

    def test_a_daemon_that_is_started_again_goes_on_by_itself(self):
        content = model(size=24 * MIB)
        gate = self.origin.hold('/fox.gguf', 18 * MIB)
        url = self.origin.serve('/fox.gguf', content)
        self.start(self.origin)
        number = self.begin(url)
        for end in (self.router.stop, self.router.kill):
            wait_for(gate.holds, 'the download to be held')
            self.assertEqual(self.digests(), {})
            end()
            before = self.origin.refetched('/fox.gguf')
            gate = self.origin.hold('/fox.gguf', MIB)
            self.router.start()
        gate.open()
        self.wait_until(number, 'complete')
        self.assertLessEqual(self.origin.refetched('/fox.gguf') - before, 8 * MIB)
        self.assert_fetched(fox=content)
        self.assertEqual(self.pull(number)['models'], ['fox'])

    def test_one_that_was_paused_stays_so(self):
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB))
        self.start(self.origin)
        number = self.begin(url)
        wait_for(gate.holds, 'the download to be under way')
        self.ask('POST', f'/{number}/pause')
        self.wait_until(number, 'paused')
        self.assertEqual(self.router.stop(), 0)
        gate.open()
        asked = len(self.origin.requests())
        self.router.start()
        self.assertEqual(self.pull(number)['state'], 'paused')
        self.assertEqual(len(self.origin.requests()), asked)
        self.ask('POST', f'/{number}/resume')
        self.wait_until(number, 'complete')
        self.assert_fetched(fox=model(size=4 * MIB))

    def test_what_does_not_fit_is_refused_before_a_byte_of_it(self):
        url = self.origin.serve('/fox.gguf', model(size=4 * MIB), Fault(claims=1 << 50))
        self.start(self.origin)
        done = self.router.ctl('pull', url)
        self.assertIn(done.returncode, (1, 5), done)
        self.assertIn('the disk has no room', done.stderr)
        self.assertEqual(self.digests(), {})
        for path in self.models.rglob('*'):
            self.assertLess(path.stat().st_blocks * 512, 8 * MIB, path)

    def test_a_file_of_this_machine(self):
        source = self.home / 'mine/fox.gguf'
        source.parent.mkdir()
        source.write_bytes(model())
        self.start()
        self.assertEqual(self.ctl('pull', f'file://{source}').stdout, 'fox\n')
        self.assert_fetched(fox=model())
        self.assertEqual(source.read_bytes(), model())
        pipe = self.home / 'mine/pipe.gguf'
        os.mkfifo(pipe)
        done = self.router.ctl('pull', f'file://{pipe}', timeout=20)
        self.assertNotEqual(done.returncode, 0)


class HubTest(PullTest):
    def setUp(self):
        super().setUp()
        self.cdn = self.player(Cdn())
        self.hub = self.player(Hub(self.cdn, page=2))

    def start(self, more='', **settings):
        return super().start(self.cdn, more=f'endpoint = "{self.hub.origin}"\n{more}', **settings)

    def repo(self, *names, repo='org/fox', **more):
        """With a model of each name; the contents by name."""
        contents = {name: model(f'{TEXT} {name}') for name in names}
        files = {f'{name}.gguf': content for name, content in contents.items()}
        self.hub.repo(repo, {'README.md': b'a model', 'config.json': b'{}', **files}, **more)
        return contents

    def assert_one(self, name, content, repo='org/fox'):
        self.assertEqual(self.digests(), {f'{repo}/{name}.gguf': sha256(content)})
        self.assertEqual(self.parts(), [])

    @harness.needs_llama_server
    def test_the_usual_quantization(self):
        contents = self.repo('fox-Q2_K', 'fox-Q4_K_M', 'fox-Q8_0', 'fox-F16')
        self.start()
        done = self.ctl('pull', 'org/fox')
        self.assert_one('fox-Q4_K_M', contents['fox-Q4_K_M'])
        self.assertIn('Q4_K_M', done.stderr, 'what was chosen is said')
        name, = done.stdout.split()
        self.assertEqual(chat_text(self.router.chat(name)), f'{TEXT} fox-Q4_K_M')
        self.assertEqual(self.pulls()[0]['name'], 'org/fox:Q4_K_M')
        self.assertEqual(chat_text(self.router.chat('org/fox:Q4_K_M')), f'{TEXT} fox-Q4_K_M')

    def test_the_quantization_that_was_asked_for(self):
        contents = self.repo('fox-Q2_K', 'fox-Q4_K_M', 'fox-Q8_0', 'fox-F16')
        self.start()
        for ref in ('org/fox:Q8_0', 'hf.co/org/fox:q8_0'):
            with self.subTest(ref):
                self.ctl('pull', ref)
                self.assert_one('fox-Q8_0', contents['fox-Q8_0'])
        done = self.ctl('pull', 'org/fox:Q5_K_S', status=4)
        for word in ('Q5_K_S', 'Q2_K', 'Q4_K_M', 'Q8_0', 'F16'):
            self.assertIn(word, done.stderr)

    def test_a_model_in_parts_comes_whole(self):
        parts = {f'big-Q4_K_M-0000{part}-of-00003.gguf': made_up(MIB + part, part)
                 for part in (1, 2, 3)}
        self.hub.repo('org/big', {'README.md': b'', **parts, 'big-Q8_0.gguf': made_up(MIB, 9)})
        self.start()
        pull = self.wait_until(self.begin('org/big:Q4_K_M'))
        self.assertEqual(self.digests(), {f'org/big/{name}': sha256(content)
                                          for name, content in parts.items()})
        self.assertEqual(pull['size'], sum(map(len, parts.values())))
        self.assertEqual([file['name'] for file in pull['files']], sorted(parts))

    def test_parts_in_a_folder_of_their_own(self):
        parts = {f'Q4_K_M/big-Q4_K_M-0000{part}-of-00002.gguf': made_up(MIB + part, part)
                 for part in (1, 2)}
        self.hub.repo('org/big', {**parts, 'Q8_0/big-Q8_0.gguf': made_up(MIB, 9)})
        self.start()
        self.wait_until(self.begin('org/big'))
        self.assertEqual(self.digests(), {f'org/big/{name}': sha256(content)
                                          for name, content in parts.items()})

    def test_a_projector_comes_along(self):
        contents = self.repo('fox-Q4_K_M', 'fox-Q8_0')
        projector = made_up(300_000, 5)
        self.hub.repo('org/fox', {**{f'{name}.gguf': text for name, text in contents.items()},
                                  'mmproj-fox-f16.gguf': projector})
        self.start()
        self.wait_until(self.begin('org/fox'), 'complete')
        self.assertEqual(self.digests(), {
            'org/fox/fox-Q4_K_M.gguf': sha256(contents['fox-Q4_K_M']),
            'org/fox/mmproj-fox-f16.gguf': sha256(projector)})

    def test_only_files_that_match(self):
        contents = self.repo('fox-Q2_K', 'fox-Q4_K_M', 'fox-Q8_0')
        self.start()
        self.ctl('pull', 'org/fox', '--include', '*Q2_K*')
        self.assert_one('fox-Q2_K', contents['fox-Q2_K'])
        done = self.ctl('pull', 'org/fox', '--include', '*Q3*', status=4)
        self.assertIn('*Q3*', done.stderr)

    def test_one_that_is_not_there(self):
        self.repo('fox-Q4_K_M', repo='org/hidden', access='private')
        self.hub.repo('org/none', {'README.md': b'', 'model.safetensors': b'x'})
        self.start()
        for ref in ('org/nobody', 'org/hidden', 'org/none'):
            with self.subTest(ref):
                done = self.router.ctl('pull', ref)
                self.assertIn(done.returncode, (4, 5), done)
                self.assertIn(ref, done.stderr)
        self.assertEqual(self.cdn.requests(), [])

    def test_one_for_those_with_a_token(self):
        token = 'hf_SecretOfTheTest'
        contents = self.repo('fox-Q4_K_M', repo='org/gated', access='gated', token=token)
        hidden = self.repo('box-Q4_K_M', repo='org/hidden', access='private', token=token)
        self.start()
        done = self.ctl('pull', 'org/gated', status=5)
        self.assertIn('token', done.stderr)
        self.assertEqual(self.cdn.requests(), [])
        file = self.home / 'token'
        for wrong, code in (('hf_Another', 5), (token, 0)):
            file.write_text(wrong + '\n')
            file.chmod(0o600)
            done = self.ctl('pull', 'org/gated', '--token-file', str(file), status=code)
            self.assertNotIn(wrong, done.stdout + done.stderr)
        self.assert_one('fox-Q4_K_M', contents['fox-Q4_K_M'], 'org/gated')
        self.ctl('pull', 'org/hidden', '--token-file', str(file))
        self.assertIn('org/hidden/box-Q4_K_M.gguf', self.digests())
        self.assertEqual(self.digests()['org/hidden/box-Q4_K_M.gguf'],
                         sha256(hidden['box-Q4_K_M']))
        self.assertEqual(self.cdn.authorized(), [], 'a token went to another host')
        self.assertTrue(self.hub.authorized())
        self.assertNotIn(token, self.router.log.read_text())
        self.assertNotIn(token, json.dumps(self.pulls()))

    def test_a_better_token_when_it_goes_on(self):
        token = 'hf_SecretOfTheTest'
        contents = self.repo('fox-Q4_K_M', repo='org/gated', access='gated', token=token)
        self.start()
        file = self.home / 'token'
        file.write_text('hf_Another')
        file.chmod(0o600)
        number = self.ctl('pull', '-d', 'org/gated', '--token-file', str(file)).stdout.strip()
        self.assertEqual(self.wait_until(number, 'failed')['code'], 'forbidden')
        file.write_text(token)
        self.ctl('pulls', 'resume', number, '--token-file', str(file))
        self.wait_until(number, 'complete')
        self.assert_fetched(**contents)

    def test_tokens_of_the_configuration(self):
        token = 'hf_SecretOfTheTest'
        contents = self.repo('fox-Q4_K_M', access='gated', token=token)
        kept = self.home / 'token'
        kept.write_text(token + '\n')
        kept.chmod(0o600)
        for number, (more, environment) in enumerate((
                (f'token = "{token}"', {}), (f'token_file = "{kept}"', {}),
                ('', {'HF_TOKEN': token}))):
            with self.subTest(number):
                self.router = self.daemon(self.settings(
                    self.cdn, more=f'endpoint = "{self.hub.origin}"\n{more}'))
                self.router.environment |= environment
                self.router.start()
                self.ctl('pull', 'org/fox')
                self.assert_one('fox-Q4_K_M', contents['fox-Q4_K_M'])
                for path in self.models.rglob('*.gguf'):
                    path.unlink()
                for pull in self.pulls():
                    self.ctl('pulls', 'rm', pull['id'])
                self.assertEqual(self.router.stop(), 0)
        self.assertEqual(self.cdn.authorized(), [])
        shown = self.router.run_to_end('--check')[1]
        self.assertNotIn(token, shown)

    def test_an_endpoint_of_the_environment(self):
        contents = self.repo('fox-Q4_K_M')
        self.router = self.daemon(self.settings(self.cdn))
        self.router.environment['HF_ENDPOINT'] = self.hub.origin
        self.router.start()
        self.ctl('pull', 'org/fox')
        self.assert_one('fox-Q4_K_M', contents['fox-Q4_K_M'])

    def test_a_signed_address_that_expires(self):
        content = model(size=24 * MIB)
        self.hub.repo('org/fox', {'fox-Q4_K_M.gguf': content})
        place = self.hub.stored_at(content)
        gate = self.cdn.hold(place, 12 * MIB)
        self.start()
        number = self.begin('org/fox')
        wait_for(lambda: self.pull(number)['done'] == 12 * MIB, 'all that was sent to be here')
        self.ask('POST', f'/{number}/pause')
        self.wait_until(number, 'paused')
        self.cdn.expire()
        gate.open()
        self.ask('POST', f'/{number}/resume')
        self.wait_until(number, 'complete')
        self.assert_one('fox-Q4_K_M', content)
        self.assertLessEqual(self.cdn.refetched(place), MIB)

    def test_an_address_that_expires_under_way(self):
        content = model(size=24 * MIB)
        self.hub.repo('org/fox', {'fox-Q4_K_M.gguf': content})
        place = self.hub.stored_at(content)
        self.cdn.spoil(place, Fault(cut=2 * MIB))
        gate = self.cdn.hold(place, 12 * MIB)
        self.start()
        number = self.begin('org/fox')
        wait_for(gate.holds, 'the download to be held')
        self.cdn.expire()
        gate.open()
        self.wait_until(number, 'complete')
        self.assert_one('fox-Q4_K_M', content)

    def test_a_file_that_differs_from_what_the_hub_says(self):
        content = made_up(2 * MIB, 1)
        self.hub.repo('org/fox', {'fox-Q4_K_M.gguf': content})
        self.cdn.spoil(self.hub.stored_at(content), Fault(flips=MIB))
        self.start()
        pull = self.wait_until(self.begin('org/fox'))
        self.assertEqual(pull['state'], 'failed')
        self.assertIn('SHA-256', pull['error'])
        self.assertEqual(self.digests(), {})

    def test_what_does_not_fit_is_refused_before_anything_is_asked_for(self):
        self.hub.repo('org/fox', {'fox-Q4_K_M.gguf': model()},
                      sizes={'fox-Q4_K_M.gguf': 1 << 50})
        self.start()
        done = self.router.ctl('pull', 'org/fox')
        self.assertIn(done.returncode, (1, 5), done)
        self.assertIn('the disk has no room', done.stderr)
        self.assertLess(self.cdn.bytes_sent(), MIB)
        self.assertEqual(self.digests(), {})

    def test_names_that_lead_elsewhere(self):
        for name in ('../evil-Q4_K_M.gguf', '/evil-Q4_K_M.gguf', '.hidden/evil-Q4_K_M.gguf',
                     '%2e%2e%2fevil-Q4_K_M.gguf', 'C:\\evil-Q4_K_M.gguf', 'evil\nx-Q4_K_M.gguf',
                     '~/evil-Q4_K_M.gguf', 'x' * 300 + '-Q4_K_M.gguf'):
            self.hub.repo('org/evil', {name: made_up(MIB)})
            if not hasattr(self, 'router'):
                self.start()
            with self.subTest(name):
                self.assertNotEqual(self.router.ctl('pull', 'org/evil').returncode, 0)
        self.assertEqual([path for path in self.home.rglob('*evil*') if path.is_file()], [])

    def test_in_the_layout_of_the_hubs_own_cache(self):
        contents = self.repo('fox-Q4_K_M')
        content, = contents.values()
        revision = self.hub.repo('org/fox', {'fox-Q4_K_M.gguf': content})
        for variable, cache in (('HF_HOME', 'hf/hub'), ('HF_HUB_CACHE', 'cache')):
            with self.subTest(variable):
                cache = self.home / cache
                value = cache.parent if variable == 'HF_HOME' else cache
                self.router = self.daemon(self.settings(
                    self.cdn, more=f'endpoint = "{self.hub.origin}"\nlayout = "hub"'))
                self.router.environment[variable] = str(value)
                self.router.start()
                done = self.ctl('pull', 'org/fox')
                repo = cache / 'models--org--fox'
                self.assertEqual((repo / 'refs/main').read_text(), revision.commit)
                snapshot = repo / f'snapshots/{revision.commit}/fox-Q4_K_M.gguf'
                self.assertEqual(os.readlink(snapshot), f'../../blobs/{sha256(content)}')
                blob = repo / 'blobs' / sha256(content)
                self.assertEqual(blob.read_bytes(), content)
                self.assertFalse(blob.is_symlink())
                name, = done.stdout.split()
                self.assertIn(name, self.ctl('ls', '-q').stdout.split())
                for pull in self.pulls():
                    self.ctl('pulls', 'rm', pull['id'])
                self.assertEqual(self.router.stop(), 0)


class OllamaTest(PullTest):
    def setUp(self):
        super().setUp()
        self.cdn = self.player(Cdn())
        self.registry = self.player(Registry(self.cdn))

    def start(self):
        return super().start(self.cdn, more=f'ollama_endpoint = "{self.registry.origin}"')

    @harness.needs_llama_server
    def test_a_model_with_its_parameters(self):
        self.registry.model('library/fox', model(), template='{{ .Prompt }}', license='Mine.',
                            params={'num_ctx': 512, 'stop': ['<end>']}, system='You are a fox.')
        self.start()
        name, = self.ctl('pull', 'ollama://fox').stdout.split()
        path, = self.digests()
        self.assertTrue(path.startswith('ollama/library/fox/latest/'), path)
        self.assertEqual(self.digests()[path], sha256(model()))
        self.assertEqual(self.router.get(f'/control/v1/models/{name}')['overrides']['context'],
                         '512')
        self.assertEqual(chat_text(self.router.chat(name)), TEXT)
        self.assertEqual(self.cdn.authorized(), [])
        self.assertEqual(self.parts(), [])

    def test_tags_and_namespaces(self):
        self.registry.model('me/fox', model(f'{TEXT} 1'), tag='1b-q4')
        self.registry.model('me/fox', model(f'{TEXT} 2'))
        self.start()
        self.ctl('pull', 'ollama://me/fox:1b-q4')
        path, = self.digests()
        self.assertTrue(path.startswith('ollama/me/fox/1b-q4/'), path)
        self.assertEqual(self.digests()[path], sha256(model(f'{TEXT} 1')))
        for ref in ('ollama://me/fox:nobody', 'ollama://nobody'):
            with self.subTest(ref):
                done = self.ctl('pull', ref, status=4)
                self.assertIn('nobody', done.stderr)

    def test_a_projector_comes_along(self):
        projector = made_up(300_000, 5)
        self.registry.model('library/fox', model(), projector=projector)
        self.start()
        self.wait_until(self.begin('ollama://fox'), 'complete')
        self.assertEqual(set(self.digests().values()), {sha256(model()), sha256(projector)})

    def test_a_blob_that_is_another(self):
        content = made_up(2 * MIB, 1)
        self.registry.model('library/fox', content)
        self.cdn.spoil(self.registry.stored_at(content), Fault(flips=MIB))
        self.start()
        pull = self.wait_until(self.begin('ollama://fox'))
        self.assertEqual(pull['state'], 'failed')
        self.assertIn('SHA-256', pull['error'])
        self.assertEqual(self.digests(), {})

    def test_what_does_not_fit(self):
        self.registry.model('library/fox', model(), sizes={'model': 1 << 50})
        self.start()
        done = self.router.ctl('pull', 'ollama://fox')
        self.assertIn(done.returncode, (1, 5), done)
        self.assertIn('the disk has no room', done.stderr)
        self.assertEqual(self.digests(), {})


if __name__ == '__main__':
    harness.main()
