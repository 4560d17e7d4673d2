"""Servers that misbehave in every way that is known, played by shared/hostile's bad_llama_server.py:
what their clients see, what is left of them, and that others do not mind."""
import contextlib
import http.client
import os
import pathlib
import re
import signal
import time
import unittest

import harness
from harness import is_alive, wait_for, write_model
from processes import least

BAD = harness.ROOT.parent / 'shared/hostile/bad_llama_server.py'
LIMITS = """
[limits]
start_timeout = "3s"
stop_timeout = "1s"
drain_timeout = "2s"
first_byte_timeout = "4s"
stall_timeout = "3s"
probe_interval = "500ms"
quarantine_after = 3
[queue]
min_residency = "0s"
"""


@unittest.skipUnless(BAD.exists(), 'no shared/hostile/bad_llama_server.py beside the project')
class SupervisionTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        program = self.home / 'llama-server'
        program.write_text('#!/bin/sh\n'
                           'case "$*" in *--version* | *--help*) echo "version: 1"; exit ;; esac\n'
                           f'echo $$ >>{self.home}/starts\nexec python3 {BAD} "$@"\n')
        program.chmod(0o755)
        self.router = self.daemon(LIMITS, llama_server=program)

    def start(self, *faults, good=True):
        """A daemon with a model of each fault, and a good one that runs; the names of the bad."""
        for fault in ('ok', *faults):
            write_model(self.router.models / f'x--{fault}.gguf')
        self.router.start()
        if good:
            self.assert_good()
        return [f'x-{fault}' for fault in faults]

    def assert_good(self):
        """The server beside it is not touched."""
        answer = self.router.chat('x-ok')
        self.assertEqual(answer.status, 200, answer)
        pid = answer.json()['pid']
        self.assertEqual(getattr(self, 'good', pid), pid, 'the good server is another one')
        self.good = pid

    def starts(self):
        path = self.home / 'starts'
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def processes(self, model=None):
        """Of this daemon's servers, or of one model's: all that live, helpers included."""
        found = []
        for entry in os.scandir('/proc'):
            if not entry.name.isdigit() or not is_alive(entry.name):
                continue
            try:
                environment = pathlib.Path(entry.path, 'environ').read_bytes()
                line = pathlib.Path(entry.path, 'cmdline').read_bytes()
            except OSError:
                continue
            if f'ROUTERD_OWNER={self.router.state}\0'.encode() in environment and \
                    (model is None or f'{model.replace("x-", "x--")}.gguf'.encode() in line):
                found.append(int(entry.name))
        return found

    def wait_until_gone(self, model):
        wait_for(lambda: not self.processes(model), f'the processes of {model} to be gone')

    def refused(self, model, *words, status=(502, 503)):
        answer = self.router.chat(model)
        self.assertIn(answer.status, status, answer)
        message = answer.json()['error']['message']
        for word in words:
            self.assertIn(word, message)
        return answer

    # While it loads.

    def test_it_exits_while_it_loads(self):
        for model, word in zip(self.start('crash-load', 'exit0-load', 'segv-load'),
                               ('failed to load model', 'status 0', 'SIGSEGV')):
            with self.subTest(model):
                answer = self.refused(model, word)
                self.assertIn('retry-after', answer.headers)
                self.wait_until_gone(model)
        self.assert_good()
        self.assertEqual(list(self.home.rglob('core*')), [])

    def test_all_who_wait_are_told(self):
        model, = self.start('crash-load')
        answers = self.together(8, lambda _: self.router.chat(model))
        self.assertEqual({answer.status for answer in answers}, {503})
        self.assertEqual(len(self.starts()), 2)  # the good one, and one for all eight

    def test_a_crash_loop_is_slowed_down(self):
        model, = self.start('crash-load')
        before = len(self.starts())
        answers = [self.router.chat(model) for _ in range(100)]
        for answer in answers:
            self.assertEqual(answer.status, 503)
            self.assertGreater(int(answer.headers['retry-after']), 0)
        self.assertLessEqual(len(self.starts()) - before, 3)
        self.assert_good()

    def test_it_never_becomes_ready(self):
        models = self.start('hang-load', 'no-listen', 'wrong-port', 'health-slow')
        answers = self.together(len(models), lambda i: self.router.chat(models[i]))
        for model, answer in zip(models, answers):
            with self.subTest(model):
                self.assertIn(answer.status, (503, 504), answer)
                self.assertIn('start_timeout', answer.json()['error']['message'])
                self.wait_until_gone(model)
        self.assert_good()

    def test_it_takes_its_time_and_then_serves(self):
        model, = self.start('load-1')
        self.assertEqual(self.router.chat(model).status, 200)

    # While it serves.

    def test_it_crashes_in_the_middle_of_a_stream(self):
        model, = self.start('crash-stream')
        client = self.router.raw_chat(model, stream=True)
        received = client.read_to_end()
        client.close()
        self.assertIn(b'"t4"', received)
        self.assertNotIn(b'[DONE]', received)
        self.assertFalse(received.endswith(b'0\r\n\r\n'))
        self.assertIn(b'upstream_error', received)
        wait_for(lambda: self.answered(model), 'it to serve again')
        self.assert_good()

    def test_it_crashes_after_some_requests(self):
        model, = self.start('crash-2')
        statuses = []
        for _ in range(5):
            statuses.append(wait_for(lambda: self.answered(model), 'an answer').status)
        self.assertEqual(statuses[:2], [200, 200])
        self.assertIn(502, statuses)
        self.assert_good()

    def answered(self, model):
        """Not while its restart is put off."""
        answer = self.router.chat(model)
        return answer if answer.status != 503 else None

    def test_it_stops_in_the_middle_of_a_stream(self):
        model, = self.start('hang-stream')
        client = self.router.raw_chat(model, stream=True)
        received = client.read_to_end()
        client.close()
        self.assertIn(b'"t4"', received)
        self.assertNotIn(b'[DONE]', received)
        self.assertFalse(received.endswith(b'0\r\n\r\n'))
        self.assert_good()

    def test_it_falls_silent_and_is_replaced(self):
        model, = self.start('hang-after-ready')
        self.router.ctl('load', model)
        first = self.router.instance(model)['pid']
        wait_for(lambda: (self.router.instance(model) or {}).get('pid') != first,
                 'it to be taken for hung')
        wait_for(lambda: not is_alive(first), 'it to be gone')
        self.assert_good()

    def test_it_is_stopped_from_outside(self):
        model, = self.start('load-0')
        self.assertEqual(self.router.chat(model).status, 200)
        first = self.router.instance(model)['pid']
        os.kill(first, signal.SIGSTOP)
        wait_for(lambda: not is_alive(first), 'it to be taken for hung and ended')
        wait_for(lambda: self.answered(model), 'it to serve again')
        self.assert_good()

    # When it is to end.

    def test_it_does_not_end_when_asked(self):
        models = self.start('ignore-term', 'slow-term-60', 'grandchild', 'zombie')
        for model in models:
            with self.subTest(model):
                self.assertEqual(self.router.chat(model).status, 200)
                self.assertTrue(self.processes(model))
                done = self.router.ctl('unload', model)
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(self.processes(model), [])
        self.assertEqual(self.defunct(), [])
        self.assert_good()

    def test_it_runs_away_into_the_background(self):
        model, = self.start('daemonize')
        self.refused(model, 'status 0')
        self.wait_until_gone(model)
        self.assertEqual(self.defunct(), [])
        self.assert_good()

    def defunct(self):
        found = []
        for entry in os.scandir('/proc'):
            with contextlib.suppress(OSError, ValueError):
                after = pathlib.Path(entry.path, 'stat').read_text().rpartition(')')[2].split()
                if after[0] == 'Z' and int(after[1]) == self.router.process.pid:
                    found.append(int(entry.name))
        return found

    # What it says.

    def test_it_says_far_too_much(self):
        models = self.start('flood', 'long-line', 'binary-log')
        log_size, files = 4 << 20, 2
        for model in models:
            with self.subTest(model):
                self.assertEqual(self.router.chat(model).status, 200)
                done = self.router.ctl('logs', model, '-n', '50')
                self.assertEqual(done.returncode, 0, done.stderr[-500:])
                self.assertFalse(set(done.stdout) - set('\n\t') & set(map(chr, range(32))),
                                 'control characters reach the terminal')
        wait_for(lambda: self.written() > 64 << 20, 'the flood to go on')
        # A moment later: nobody but the daemon cuts what they write, and they may be faster.
        wait_for(lambda: sum(path.stat().st_size for path in self.router.state.glob('logs/*')) <
                 (len(models) + 1) * files * (log_size + (1 << 20)), 'the logs to be cut')
        self.assertEqual(self.router.chat(models[0]).status, 200)
        self.assert_good()

    def written(self):
        """Bytes that its servers have written so far."""
        total = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                text = pathlib.Path(f'/proc/{pid}/io').read_text()
                total += int(re.search(r'wchar: (\d+)', text)[1])
        return total

    def test_it_closes_its_output_and_goes_on(self):
        model, = self.start('close-out')
        for _ in range(3):
            self.assertEqual(self.router.chat(model).status, 200)
        self.assertEqual(self.starts().count(self.router.instance(model)['pid']), 1)
        self.assertEqual(len(self.starts()), 2)

    # What it inherits, and what it leaves.

    def test_it_gets_nothing_of_the_daemons(self):
        model, = self.start('fd-leak')
        self.router.environment['SECRET'] = 'canary'
        for _ in range(3):
            self.assertEqual(self.router.chat(model).status, 200)
        said = self.router.ctl('logs', model).stdout
        first = next(line for line in said.splitlines() if 'BADLLAMA' in line)
        self.assertEqual(re.search(r'fds=\[([\d, ]*)\]', first)[1].split(', ')[:3],
                         ['0', '1', '2'])
        # 3: the folder that the list was read from
        self.assertLessEqual(len(re.search(r'fds=\[([\d, ]*)\]', first)[1].split(', ')), 4)
        self.assertNotIn('NOTIFY_SOCKET', first)
        pid = self.router.instance(model)['pid']
        self.assertEqual(os.sched_getscheduler(pid), os.SCHED_OTHER, 'the loop that started it is '
                         'SCHED_BATCH, unless it has to wait for processors')

    def test_loads_and_unloads_leave_nothing(self):
        model, = self.start('load-0')
        self.cycle(model)
        # Each probe takes a descriptor for a moment; connections that nobody uses are kept for four
        # seconds.
        before = least(self.held, seconds=6)
        for _ in range(15):
            self.cycle(model)
        wait_for(lambda: all(now <= then for now, then in zip(self.held(), before)),
                 f'no more than {before} descriptors and threads to be held')
        self.assertEqual(self.defunct(), [])

    def cycle(self, model):
        self.assertEqual(self.router.ctl('load', model).returncode, 0)
        self.assertEqual(self.router.ctl('unload', model).returncode, 0)

    def held(self):
        """Descriptors and threads of the daemon."""
        process = pathlib.Path(f'/proc/{self.router.process.pid}')
        return len(list((process / 'fd').iterdir())), len(list((process / 'task').iterdir()))

    def test_programs_that_cannot_be_started(self):
        cases = {'missing': None, 'not executable': (b'#!/bin/sh\n', 0o644),
                 'of another machine': (b'\x7fELF' + bytes(60), 0o755),
                 'without its interpreter': (b'#!/no/such/thing\n', 0o755)}
        for i, (what, content) in enumerate(cases.items()):
            with self.subTest(what):
                program = self.home / f'program{i}'
                if content:
                    program.write_bytes(content[0])
                    program.chmod(content[1])
                router = self.router = harness.Daemon(self.home / f'd{i}', LIMITS, program)
                self.addCleanup(self._end, router)
                write_model(router.models / 'x.gguf')
                router.start()
                answer = router.chat('x')
                self.assertEqual(answer.status, 503, answer)
                self.assertIn(str(program), answer.body.decode())
                self.assertEqual(router.servers(), [])
                self.assertEqual(router.stop(), 0)

    # Together.

    def test_loads_unloads_and_streams_at_once(self):
        limits = LIMITS.replace('drain_timeout = "2s"', 'drain_timeout = "60s"\nmax_loaded = 1')
        self.router.configure(limits, self.home / 'llama-server')
        models = ['x-ok', *self.start('load-0', 'close-out', good=False)]
        end = time.monotonic() + 8
        seen = []

        def client(number):
            turn = number
            while time.monotonic() < end:
                turn += 1
                model = models[turn % len(models)]
                if number < 2:
                    self.router.ctl('unload' if turn % 2 else 'load', model, timeout=60)
                    continue
                try:
                    answer = self.router.chat(model, stream=number % 2 == 0)
                except http.client.IncompleteRead as cut:  # it had heard of its wait before
                    self.assertIn(b'unloaded by a command', cut.partial)
                    continue
                body = answer.body
                whole = b'[DONE]' in body or (number % 2 and b'"ok"' in body)
                seen.append((answer.status, bool(whole)))
                self.assertIn(answer.status, (200, 503), answer)
                self.assertTrue(answer.status != 200 or whole, answer)

        self.together(8, client)
        self.assertGreater(sum(status == 200 for status, _ in seen), 5, seen)
        self.assertLessEqual(len({self.router.instance(model)['pid'] for model in models
                                  if self.router.instance(model)}), 1)

    def test_it_takes_all_memory(self):
        groups = pathlib.Path('/sys/fs/cgroup/memory')
        if not (groups / 'memory.limit_in_bytes').exists() or not os.access(groups, os.W_OK):
            self.skipTest('no memory control groups that may be changed')
        self.router.configure(LIMITS.replace('start_timeout = "3s"', 'start_timeout = "60s"'),
                              self.home / 'llama-server')
        model, = self.start('oom-load')
        group = groups / f'routerd-test-{os.getpid()}'
        group.mkdir()
        self.addCleanup(self.remove_group, group)
        (group / 'memory.limit_in_bytes').write_text(str(160 << 20))
        (group / 'cgroup.procs').write_text(str(self.router.process.pid))
        answer = self.refused(model)
        message = answer.json()['error']['message']
        self.assertIn('SIGKILL', message)
        self.assertIn('memory', message)
        self.assertTrue(is_alive(self.router.process.pid))
        before = len(self.starts())
        for _ in range(20):
            self.refused(model)
        self.assertLessEqual(len(self.starts()) - before, 1)
        self.assert_good()

    def remove_group(self, group):
        for pid in (group / 'cgroup.procs').read_text().split():
            with contextlib.suppress(OSError):
                (group.parent / 'cgroup.procs').write_text(pid)
        wait_for(lambda: not (group / 'cgroup.procs').read_text(), 'the group to be empty')
        group.rmdir()


if __name__ == '__main__':
    harness.main()
