"""Origins that do wrong in every way that is known, redirects that lead where nobody may go, and
names that are taken: either the right file is there at the end, or none, and a sentence says why.

Each fault is met by a fresh download, by one that is resumed, and by one that a killed daemon left.
"""
import dataclasses
import gzip
import os
import re
import subprocess
import sys
import unittest

import harness
import test_pull
from harness import wait_for
from origin import MIB, Fault, Origin, Trap, Watch, made_up, sha256
from processes import free_port

BAD = harness.ROOT.parent / 'shared/hostile/bad_origin.py'
SIZE = MIB
HELD = 384 << 10  # of SIZE: what a download has before it is broken off
CONTENT, OTHER = made_up(SIZE, 1), made_up(SIZE, 2)
AT_ONCE = 16  # pulls of one daemon
RETRIES = 3  # requests that fail, after which it is enough that the reason is told


@dataclasses.dataclass(frozen=True)
class Case:
    """`end`: 'whole', 'refused', 'either'; `content`: what is whole then; `checked`: the sha256 of
    CONTENT was asked for; `said`: words of the reason."""
    fault: Fault
    end: str = 'whole'
    content: bytes = CONTENT
    checked: bool = True
    said: str = '.'


def cases(origin, elsewhere, trap):
    """By the name of the file."""
    trapped = f'http://{trap.host}:{trap.port}/x.gguf'
    return {
        # What passes: it goes on where it was.
        'reset': Case(Fault(cut=300_000)),
        'reset-once': Case(Fault(cut=100_000, times=1)),
        'reset-at-once': Case(Fault(cut=0, times=2)),
        'fin': Case(Fault(cut=300_000, end='fin')),
        'fin-once': Case(Fault(cut=100_000, end='fin', times=1)),
        'stall': Case(Fault(cut=100_000, end='stall', times=1)),
        'trickle': Case(Fault(rate=512 << 10)),
        'slow-down': Case(Fault(status=429, retry_after=1, times=2)),
        'unavailable': Case(Fault(status=503, retry_after=1, times=1)),
        'until-a-date': Case(Fault(status=503, retry_date=1.5, times=1)),
        'error-once': Case(Fault(status=500, times=1)),
        'gateway': Case(Fault(status=502, times=1)),
        # What is right, though seldom seen.
        'chunked': Case(Fault(framing='chunked')),
        'chunked-cut': Case(Fault(framing='chunked', cut=300_000, end='fin', times=1)),
        'until-closed': Case(Fault(framing='close')),
        'until-closed-cut': Case(Fault(framing='close', cut=300_000, end='fin', times=1), 'either'),
        'named': Case(Fault(headers={
            'Content-Disposition': 'attachment; filename="../../../evil.gguf"'})),
        'untagged': Case(Fault(headers={'ETag': None})),
        'weakly-tagged': Case(Fault(headers={'ETag': 'W/"1"'})),
        'hops': Case(Fault(hops=3)),
        'elsewhere': Case(Fault(location=elsewhere.url('/elsewhere.gguf'))),
        'moved-for-good': Case(Fault(status=308, location='/moved-here.gguf')),
        # Ranges: what was got may not be joined with what does not belong there.
        'no-ranges': Case(Fault(ranges='ignored')),
        'never-satisfied': Case(Fault(ranges='refused'), 'either'),
        'late': Case(Fault(ranges='late'), 'either'),
        'moved': Case(Fault(ranges='moved'), 'either'),
        'unsaid': Case(Fault(ranges='unsaid'), 'either'),
        'whole': Case(Fault(ranges='whole'), 'either'),
        # Other bytes than were promised.
        'changed': Case(Fault(content=OTHER, etag='"other"'), content=OTHER, checked=False),
        'changed-checked': Case(Fault(content=OTHER, etag='"other"'), 'refused', said='SHA-256'),
        'changed-in-secret': Case(Fault(content=OTHER), 'refused', said='SHA-256'),
        'flipped': Case(Fault(flips=SIZE - 1), 'refused', said='SHA-256'),
        'shorter': Case(Fault(shorter=1000), 'refused'),
        'empty': Case(Fault(body=b''), 'refused'),
        'absurd': Case(Fault(claims=1 << 63), 'either'),
        'longer': Case(Fault(claims=SIZE + 1000), 'either'),
        'coded': Case(Fault(body=gzip.compress(CONTENT), headers={'Content-Encoding': 'gzip'}),
                      'refused'),
        'bomb': Case(Fault(body=gzip.compress(bytes(64 * MIB)),
                           headers={'Content-Encoding': 'gzip'}), 'refused'),
        'page': Case(Fault(body=b'<!doctype html><title>Log in</title>' * 40,
                           headers={'Content-Type': 'text/html'}), 'refused'),
        # What is no answer.
        'greeting': Case(Fault(greeting=b'220 mail.example ESMTP\r\n'), 'refused'),
        'endless': Case(Fault(endless_head=True), 'refused'),
        'closed': Case(Fault(greeting=b''), 'refused'),
        # What will not pass.
        'error': Case(Fault(status=500), 'refused', said='500'),
        'unauthorized': Case(Fault(status=401), 'refused'),
        'forbidden': Case(Fault(status=403), 'refused', said='403'),
        'nobody': Case(Fault(status=404), 'refused', said='404'),
        'gone': Case(Fault(status=410), 'refused', said='410'),
        'hops-for-ever': Case(Fault(hops=20), 'refused', said='redirect'),
        'loop': Case(Fault(location=origin.url('/loop.gguf')), 'refused', said='redirect'),
        'to-a-file': Case(Fault(location='file:///etc/passwd'), 'refused'),
        'to-a-trap': Case(Fault(location=trapped), 'refused'),
        'to-a-trap-by-name': Case(Fault(location=trapped.replace('127.0.0.1', 'localhost')),
                                  'refused'),
        'to-nothing': Case(Fault(location=''), 'refused'),
    }


class FaultsTest(test_pull.PullTest):
    """A way to meet faults: what becomes of each, and of nothing else."""

    def judge(self, name, number, case, watch, tries):
        """Waits until it is decided what becomes of the pull, and looks whether that may be."""
        def decided():
            pull = self.pull(number)
            if pull['state'] in ('complete', 'failed', 'paused'):
                return pull
            tried = pull['state'] == 'retrying' and pull['error'] and tries() >= RETRIES
            return pull if tried and case.end != 'whole' else None

        pull = wait_for(decided, f'{name} to be decided; it is {self.pull(number)}', 40)
        visible = [path for path in self.models.rglob('*.gguf') if path.stem == name]
        if pull['state'] == 'complete':
            self.assertNotEqual(case.end, 'refused', pull)
            self.assertEqual([sha256(path.read_bytes()) for path in visible],
                             [sha256(case.content)], pull)
        else:
            self.assertNotEqual(case.end, 'whole', pull)
            self.assertEqual(visible, [], pull)
            self.assertRegex(pull['error'], case.said)
            self.assertGreater(len(pull['error'].split()), 2, pull)
            self.ask('DELETE', f'/{number}')
            self.assertEqual([path for path in self.models.rglob(f'{name}.*')], [])
        for path, digests in dict(watch.seen).items():
            if path.stem == name:
                self.assertEqual(digests, {sha256(case.content)}, 'seen before it was whole')

    def watch(self):
        self.models.mkdir(parents=True)
        watch = Watch(self.models)
        self.addCleanup(watch.close)
        return watch

    def groups(self, names):
        names = list(names)
        return [names[i:i + AT_ONCE] for i in range(0, len(names), AT_ONCE)]


class OurOriginTest(FaultsTest):
    def setUp(self):
        super().setUp()
        self.origin, self.elsewhere = self.player(Origin()), self.player(Origin('127.0.0.2'))
        self.trap = self.player(Trap())
        self.elsewhere.serve('/elsewhere.gguf', CONTENT)
        self.origin.serve('/moved-here.gguf', CONTENT)
        self.met = {}  # requests before the fault, by name
        self.cases = cases(self.origin, self.elsewhere, self.trap)
        self.seen = self.watch()
        self.start(self.origin, self.elsewhere, more='connections = 2')

    def begin_all(self, names, faulty):
        """The number of each one's pull, by name."""
        numbers = {}
        for name in names:
            case = self.cases[name]
            url = self.origin.serve(f'/{name}.gguf', CONTENT, case.fault if faulty else None)
            more = {'sha256': sha256(CONTENT)} if case.checked else {}
            numbers[name] = self.begin(url, **more)
        return numbers

    def begin_and_hold(self, names):
        """The same, each with HELD bytes: none has met its fault. Returns their gates as well."""
        gates = {name: self.origin.hold(f'/{name}.gguf', HELD) for name in names}
        numbers = self.begin_all(names, faulty=False)
        for name, number in numbers.items():
            wait_for(lambda: self.pull(number)['done'] >= HELD, f'{name} to be half here')
        return numbers, gates

    def spoil(self, gates):
        for name, gate in gates.items():
            gate.open()
            fault = self.cases[name].fault  # numbered from here on
            since = 1 + sum(request.method == 'GET'
                            for request in self.origin.requests(f'/{name}.gguf'))
            self.met[name] = since - 1
            self.origin.spoil(f'/{name}.gguf', dataclasses.replace(fault, since=since))

    def judge_all(self, numbers):
        for name, number in numbers.items():
            with self.subTest(name):
                self.judge(name, number, self.cases[name], self.seen, lambda: len(
                    self.origin.requests(f'/{name}.gguf')) - self.met.get(name, 0))
        self.assertEqual(self.trap.visitors(), 0, 'somebody connected where nobody may')
        self.assertEqual(list(self.home.rglob('evil*')), [])

    def test_fresh(self):
        for names in self.groups(self.cases):
            self.judge_all(self.begin_all(names, faulty=True))
        for name in ('unauthorized', 'forbidden', 'nobody', 'gone'):
            self.assertEqual(len(self.origin.requests(f'/{name}.gguf')), 1, f'{name}: no use')
        for name in ('hops-for-ever', 'loop'):
            self.assertLessEqual(len(self.origin.requests(f'/{name}.gguf')), 11, name)
        endless = sum(request.other for request in self.origin.requests('/endless.gguf'))
        self.assertLess(endless, 16 * MIB, 'an endless head is not read for long')

    def test_no_more_is_fetched_than_is_missing(self):
        names = ('reset', 'reset-once', 'fin', 'fin-once', 'stall')
        self.judge_all(self.begin_all(names, faulty=True))
        for name in names:
            self.assertLessEqual(self.origin.bytes_sent(f'/{name}.gguf'), SIZE + MIB, name)
            for request in self.origin.requests(f'/{name}.gguf')[2:]:
                self.assertTrue(request.range and 'if-range' in request.headers, request)

    def test_who_says_when_is_not_asked_before(self):
        names = ('slow-down', 'unavailable', 'until-a-date')
        self.judge_all(self.begin_all(names, faulty=True))
        for name in names:
            times = [request.at for request in self.origin.requests(f'/{name}.gguf')]
            self.assertGreaterEqual(times[1] - times[0], 0.4 if name == 'until-a-date' else 0.95)

    def test_resumed(self):
        for names in self.groups(self.cases):
            numbers, gates = self.begin_and_hold(names)
            for number in numbers.values():
                self.ask('POST', f'/{number}/pause')
            for number in numbers.values():
                self.wait_until(number, 'paused')
            self.spoil(gates)
            for number in numbers.values():
                self.ask('POST', f'/{number}/resume')
            self.judge_all(numbers)

    def test_after_a_kill(self):
        for names in self.groups(self.cases):
            numbers, gates = self.begin_and_hold(names)
            self.router.kill()
            self.spoil(gates)
            self.router.start()
            self.judge_all(numbers)

    def test_a_large_one_loses_little_by_a_kill(self):
        content = made_up(48 * MIB, 3)
        for held in (5, 17, 40):
            path = f'/large-{held}.gguf'
            gate = self.origin.hold(path, held * MIB)
            url = self.origin.serve(path, content)
            number = self.begin(url, sha256=sha256(content), connections=8)
            wait_for(lambda: self.pull(number)['done'] >= held * MIB, 'so much to be here')
            self.router.kill()
            gate.open()
            self.router.start()
            self.wait_until(number, 'complete')
            self.assertEqual(self.digests()[path[1:]], sha256(content))
            self.assertLessEqual(self.origin.refetched(path), 8 * MIB)


class WhereNobodyMayGoTest(test_pull.PullTest):
    """reliability.md 6.4."""
    REFUSED = (
        'http://{trap}/x.gguf', 'https://{trap}/x.gguf', 'https://127.0.0.1/x.gguf',
        'https://127.1/x.gguf', 'https://2130706433/x.gguf', 'https://0x7f.1/x.gguf',
        'https://0177.0.0.1/x.gguf', 'https://localhost/x.gguf', 'https://localhost./x.gguf',
        'https://localhost:{port}/x.gguf', 'http://localhost:{port}/x.gguf',
        'https://[::1]/x.gguf', 'https://[::ffff:127.0.0.1]:{port}/x.gguf',
        'https://[::ffff:7f00:1]/x.gguf', 'https://[::]/x.gguf', 'https://0.0.0.0:{port}/x.gguf',
        'https://0/x.gguf', 'https://10.0.0.1/x.gguf', 'https://172.16.0.1/x.gguf',
        'https://192.168.1.1/x.gguf', 'https://169.254.169.254/latest/x.gguf',
        'http://169.254.169.254/latest/x.gguf', 'http://[::ffff:a9fe:a9fe]/x.gguf',
        'http://2852039166/x.gguf', 'https://[fe80::1]/x.gguf', 'https://[fd00::1]/x.gguf',
        'https://[64:ff9b::7f00:1]/x.gguf', 'https://100.64.0.1/x.gguf',
        'https://224.0.0.1/x.gguf', 'https://255.255.255.255/x.gguf',
        'https://user:word@huggingface.co/x.gguf', 'https://huggingface.co@{trap}/x.gguf',
        'https://huggingface.co:{port}/org/x.gguf', 'http://huggingface.co/org/x.gguf',
        'https:{trap}/x.gguf', '//{trap}/x.gguf',
        'ftp://{trap}/x.gguf', 'gopher://{trap}/x.gguf', 'unix:///run/x.gguf', 'data:,GGUF.gguf',
        'https://127.0.0.1%2f@{trap}/x.gguf', 'https://{trap}\\@huggingface.co/x.gguf')

    def setUp(self):
        super().setUp()
        self.origin, self.trap = self.player(Origin()), self.player(Trap())
        self.start(self.origin, others='[log]\nlevel = "debug"')
        words = {'trap': f'{self.trap.host}:{self.trap.port}', 'port': self.trap.port}
        self.urls = [url.format(**words) for url in self.REFUSED]

    def assert_never_there(self):
        self.assertEqual(self.trap.visitors(), 0)
        self.assert_nothing()

    def test_by_a_reference(self):
        for url in self.urls:
            with self.subTest(url):
                done = self.router.ctl('pull', url, timeout=20)
                self.assertIn(done.returncode, (1, 2, 4, 5), done)
                self.assertTrue(done.stderr)
        self.assert_never_there()

    def test_by_a_redirect(self):
        for status in (301, 302, 303, 307, 308):
            self.redirected(status, self.urls[0])
        for url in self.urls:
            self.redirected(302, url)
        self.assert_never_there()

    def redirected(self, status, location):
        with self.subTest(status=status, location=location):
            url = self.origin.serve('/x.gguf', b'', Fault(status=status, location=location))
            number = self.begin(url, sha256=sha256(CONTENT))
            pull = wait_for(lambda: self.pull(number)['state'] in ('failed', 'retrying') and
                            self.pull(number), 'it to be refused', 20)
            self.assertTrue(pull['error'], pull)
            self.ask('DELETE', f'/{number}')

    def test_in_the_middle_of_a_download(self):
        gate = self.origin.hold('/x.gguf', HELD)
        url = self.origin.serve('/x.gguf', CONTENT)
        number = self.begin(url)
        wait_for(lambda: self.pull(number)['done'] >= HELD, 'it to be half here')
        self.ask('POST', f'/{number}/pause')
        self.wait_until(number, 'paused')
        self.origin.spoil('/x.gguf', Fault(location=self.urls[0]))
        gate.open()
        self.ask('POST', f'/{number}/resume')
        self.assertEqual(self.wait_until(number)['state'], 'failed')
        self.ask('DELETE', f'/{number}')
        self.assert_never_there()

    def test_a_flag_is_for_the_typed_origin_alone(self):
        other = self.player(Origin())
        url = other.serve('/x.gguf', CONTENT, Fault(location=self.urls[0]))
        self.assertNotEqual(self.router.ctl('pull', url, '--insecure').returncode, 0)
        self.assertTrue(other.requests())
        self.assert_never_there()

    def test_the_flag_is_not_for_those_beyond_this_machine(self):
        other = self.player(Origin())
        url = other.serve('/x.gguf', CONTENT)
        answer = self.router.request('POST', '/control/v1/pulls', {'ref': url, 'insecure': True})
        self.assertIn(answer.status, (400, 403), answer)
        self.assertEqual(other.requests(), [])

    def test_a_token_stays_with_its_origin(self):
        token = self.home / 'token'
        token.write_text('hf_SecretOfTheTest\n')
        token.chmod(0o600)
        other = self.player(Origin('127.0.0.2'))
        target = other.serve('/x.gguf', CONTENT)
        self.assertEqual(self.router.stop(), 0)
        self.start(self.origin, other)
        url = self.origin.serve('/x.gguf', CONTENT, Fault(location=target))
        self.router.ctl('pull', url, '--token-file', str(token))
        self.assertTrue(self.origin.requests())
        self.assertTrue(other.requests())
        self.assertEqual(other.authorized(), [], 'the token went along')


class TakenNamesTest(test_pull.PullTest):
    """Links and files that lie where a download would go."""

    def setUp(self):
        super().setUp()
        self.origin = self.player(Origin())
        self.url = self.origin.serve('/x.gguf', CONTENT)
        self.start(self.origin)
        self.outside = self.home / 'outside'
        self.outside.mkdir()
        self.victim = self.outside / 'victim'
        self.victim.write_bytes(b'precious')

    def refused(self, ref):
        done = self.router.ctl('pull', ref, timeout=60)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertGreater(len(done.stderr.split()), 3)
        self.assertEqual(self.victim.read_bytes(), b'precious')
        self.assertEqual(sorted(os.listdir(self.outside)), ['victim'])
        return done

    def test_a_link_for_the_part(self):
        (self.models / 'x.gguf.part').symlink_to(self.victim)
        self.refused(self.url)

    def test_a_link_to_nothing_for_the_part(self):
        (self.models / 'x.gguf.part').symlink_to(self.outside / 'new')
        self.refused(self.url)

    def test_a_link_for_the_file(self):
        for target in (self.victim, self.outside / 'new'):
            (self.models / 'x.gguf').symlink_to(target)
            self.refused(self.url)
            self.assertTrue((self.models / 'x.gguf').is_symlink())
            (self.models / 'x.gguf').unlink()

    def test_a_pipe_for_the_part(self):
        os.mkfifo(self.models / 'x.gguf.part')
        self.refused(self.url)

    def test_a_link_for_the_folder(self):
        cdn = self.player(test_pull.Cdn())
        hub = self.player(test_pull.Hub(cdn))
        hub.repo('org/fox', {'fox-Q4_K_M.gguf': CONTENT, 'sub/box-Q8_0.gguf': CONTENT})
        self.assertEqual(self.router.stop(), 0)
        self.start(cdn, more=f'endpoint = "{hub.origin}"')
        for link in ('org', 'org/fox'):
            path = self.models / link
            path.parent.mkdir(exist_ok=True)
            path.symlink_to(self.outside)
            with self.subTest(link):
                self.refused('org/fox')
            path.unlink()

    def test_a_link_that_comes_while_it_runs(self):
        gate = self.origin.hold('/x.gguf', HELD)
        number = self.begin(self.url)
        wait_for(lambda: self.pull(number)['done'] >= HELD, 'it to be half here')
        self.router.kill()
        part = self.models / 'x.gguf.part'
        part.unlink()
        part.symlink_to(self.victim)
        gate.open()
        self.router.start()
        pull = self.wait_until(number)
        self.assertNotEqual(pull['state'], 'complete', pull)
        self.assertEqual(self.victim.read_bytes(), b'precious')

    def test_a_part_that_is_gone_or_is_another(self):
        for name, change in (('gone', os.unlink), ('cut', lambda path: os.truncate(path, 1000)),
                             ('grown', lambda path: os.truncate(path, 3 * SIZE)),
                             ('zeros', lambda path: path.write_bytes(bytes(SIZE)))):
            with self.subTest(name):
                path = f'/{name}.gguf'
                gate = self.origin.hold(path, HELD)
                url = self.origin.serve(path, CONTENT)
                number = self.begin(url, sha256=sha256(CONTENT))
                wait_for(lambda: self.pull(number)['done'] >= HELD, 'it to be half here')
                self.router.kill()
                change(self.models / f'{name}.gguf.part')
                gate.open()
                self.router.start()
                pull = self.wait_until(number)
                if pull['state'] == 'complete':
                    self.assertEqual(self.digests()[path[1:]], sha256(CONTENT))
                else:
                    self.assertEqual(name, 'zeros', pull)
                    self.assertIn('SHA-256', pull['error'])
                    self.assertNotIn(path[1:], self.digests())

    def test_a_file_that_is_there_is_not_lost(self):
        mine = test_pull.model()
        (self.models / 'x.gguf').write_bytes(mine)
        done = self.router.ctl('pull', self.url, '--sha256', sha256(CONTENT), timeout=60)
        self.assertNotEqual(done.returncode, 0, done)
        self.assertEqual((self.models / 'x.gguf').read_bytes(), mine)

    def test_a_file_that_comes_while_it_runs_is_not_lost(self):
        gate = self.origin.hold('/x.gguf', HELD)
        number = self.begin(self.url)
        wait_for(gate.holds, 'it to be half here')
        mine = test_pull.model()
        (self.models / 'x.gguf').write_bytes(mine)
        gate.open()
        self.assertNotEqual(self.wait_until(number)['state'], 'complete')
        self.assertEqual((self.models / 'x.gguf').read_bytes(), mine)


@unittest.skipUnless(BAD.exists(), 'no shared/hostile/bad_origin.py beside the project')
class HostileOriginTest(FaultsTest):
    """The same with faults that others thought of."""
    WHOLE = ('ok', 'norange', 'reset-400000', 'reset1-100000', 'trunc-400000', '429-2', '503-2',
             'retrydate', 'chain-3', 'chunked', 'nocl', 'cd')
    EITHER = ('etagflip', 'sameetag', 'wrongrange', 'badcr', 'r206full', '416', 'chunkcut',
              'hugecl', 'stall-400000', 'slow-400000')
    REFUSED = ('bitflip', 'short-1000', 'empty', '500', '401', '403', '404', '410',
               'loop', 'chain-20', 'redir-meta', 'redir-file', 'redir-lo', 'redir-unix', 'gzip',
               'html', 'garbage', 'hdrflood')

    def setUp(self):
        super().setUp()
        port = free_port()
        process = subprocess.Popen([sys.executable, BAD, '--port', str(port), '--size', str(SIZE)],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        self.digest = re.search(r'sha256 (\w{64})', process.stdout.readline())[1]
        self.origin = f'http://127.0.0.1:{port}'
        self.seen = self.watch()
        self.router = self.daemon(f'[pull]\ndir = "{self.models}"\nstall_timeout = "2s"\n'
                                  f'connections = 2\nallow = ["{self.origin}"]\n')
        self.router.start()

    def pull_all(self, break_off=None):
        """`break_off(numbers)`: what is done when they are under way."""
        ends = {**dict.fromkeys(self.WHOLE, 'whole'), **dict.fromkeys(self.EITHER, 'either'),
                **dict.fromkeys(self.REFUSED, 'refused')}
        for names in self.groups(ends):
            slow = {'limit_rate': '128K'} if break_off else {}
            numbers = {fault: self.begin(f'{self.origin}/{fault}/{fault}.gguf',
                                         sha256=self.digest, **slow) for fault in names}
            if break_off:
                for number in numbers.values():
                    wait_for(lambda: self.is_under_way(self.pull(number)), 'it to be under way')
                break_off(numbers.values())
            for fault, number in numbers.items():
                with self.subTest(fault):
                    self.judge_end(fault, number, ends[fault])

    @staticmethod
    def is_under_way(pull):
        return pull['done'] >= 64 << 10 or pull['state'] in ('retrying', *test_pull.AT_REST)

    def judge_end(self, fault, number, end):
        def decided():
            pull = self.pull(number)
            tried = pull['state'] == 'retrying' and pull['error'] and end != 'whole'
            return pull if tried or pull['state'] in ('complete', 'failed') else None

        pull = wait_for(decided, f'{fault} to be decided; it is {self.pull(number)}', 40)
        path = self.models / f'{fault}.gguf'
        if pull['state'] == 'complete':
            self.assertNotEqual(end, 'refused', pull)
            self.assertEqual(sha256(path.read_bytes()), self.digest)
        else:
            self.assertNotEqual(end, 'whole', pull)
            self.assertFalse(path.exists())
            self.assertGreater(len(pull['error'].split()), 2, pull)
            self.ask('DELETE', f'/{number}')
        self.assertIn(self.seen.seen.get(path, set()), (set(), {self.digest}))

    def lift(self, numbers):
        for number in numbers:  # one that has ended meanwhile refuses it
            self.router.request('PATCH', f'/control/v1/pulls/{number}', {'limit_rate': '0'},
                                via='socket')

    def test_fresh(self):
        self.pull_all()
        self.assertEqual(list(self.home.rglob('*pwned*')), [])

    def test_resumed(self):
        def pause(numbers):
            running = [number for number in numbers
                       if self.pull(number)['state'] not in ('complete', 'failed')]
            for number in running:
                self.router.request('POST', f'/control/v1/pulls/{number}/pause', via='socket')
            for number in running:
                self.wait_until(number)
            self.lift(running)
            for number in running:
                self.router.request('POST', f'/control/v1/pulls/{number}/resume', via='socket')

        self.pull_all(pause)

    def test_after_a_kill(self):
        def kill(numbers):
            self.router.kill()
            self.router.start()
            self.lift(numbers)

        self.pull_all(kill)


class KilledTest(harness.SoakTest):
    program = 'pulled'

    def test_a_download_survives_kills(self):
        self.run_short('kills')


if __name__ == '__main__':
    harness.main()
