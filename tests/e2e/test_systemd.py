"""What a service manager asks of a daemon, with this test in its part; and its units, looked over."""
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import TEXT, chat_text, wait_for, write_model
from processes import Successor, become_reaper

UNITS = harness.ROOT / 'packaging/systemd'
NO_GPU, GPU = 1.5, 2.5  # of systemd-analyze security: what a unit may be exposed to at most


@contextlib.contextmanager
def held(thread):
    """While it is entered, one thread of a process does not run."""
    attach, detach = 16, 17  # PTRACE_ATTACH, PTRACE_DETACH
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    ptrace.restype = ctypes.c_long
    if ptrace(attach, thread, None, None) != 0:
        raise unittest.SkipTest(f'no thread can be held here: {os.strerror(ctypes.get_errno())}')
    os.waitpid(thread, 0x40000000)  # __WALL: until it stands
    try:
        yield
    finally:
        ptrace(detach, thread, None, None)


class ManagerTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.home / 'notify'))
        self.manager.settimeout(60)
        self.router.environment['NOTIFY_SOCKET'] = str(self.home / 'notify')

    def message(self, wanted):
        """The next that has `wanted` in it; no other may come first but signs of life."""
        while True:
            text = self.manager.recv(4096).decode()
            if wanted in text.split('\n'):
                return dict(line.split('=', 1) for line in text.split('\n'))
            self.assertEqual(text, 'WATCHDOG=1', f'while {wanted} was waited for')

    def test_it_is_told_of_each_change(self):
        process = self.router.spawn()
        self.message('READY=1')
        self.assertEqual(self.router.request('GET', '/readyz').status, 200)
        process.send_signal(signal.SIGHUP)
        self.assertGreater(int(self.message('RELOADING=1')['MONOTONIC_USEC']), 0)
        self.message('READY=1')
        process.send_signal(signal.SIGTERM)
        self.message('STOPPING=1')
        self.assertEqual(process.wait(60), 0)

    def test_it_is_told_which_process_is_the_service_now(self):
        become_reaper()
        self.router.environment.update(WATCHDOG_USEC='300000')
        process = self.router.spawn()
        self.message('READY=1')
        process.send_signal(signal.SIGUSR2)
        successor = int(self.message('READY=1')['MAINPID'])
        self.router.process = Successor(successor)
        self.assertEqual(self.router.status()['pid'], successor)
        self.assertEqual(process.wait(60), 0)
        self.message('WATCHDOG=1')  # by the one that serves now

    def test_it_gets_signs_of_life_of_all_loops(self):
        self.router.environment['WATCHDOG_USEC'] = '300000'
        self.router.environment['ROUTERD_HTTP_WORKERS'] = '3'
        process = self.router.spawn()
        self.message('READY=1')
        for _ in range(3):
            self.message('WATCHDOG=1')
        worker, _ = [int(task.name) for task in pathlib.Path(f'/proc/{process.pid}/task').iterdir()
                     if (task / 'comm').read_text() == 'routerd-worker\n']
        with held(worker):
            self.manager.settimeout(1)
            with self.assertRaises(TimeoutError, msg='a sign of life, though one loop hangs'):
                for _ in range(10):  # one may have been on its way
                    self.message('WATCHDOG=1')
        self.manager.settimeout(60)
        self.message('WATCHDOG=1')

    def test_a_watchdog_for_another_process_is_not_fed(self):
        self.router.environment.update(WATCHDOG_USEC='3000', WATCHDOG_PID='1')
        self.router.spawn()
        self.message('READY=1')
        self.router.process.send_signal(signal.SIGTERM)
        self.assertNotIn('WATCHDOG', str(self.manager.recv(4096)))  # STOPPING is the next


class SocketTest(harness.E2ETest):
    """Sockets that are open before the daemon, and stay open after it."""

    def setUp(self):
        super().setUp()
        self.router = self.daemon()
        self.public = self.listening(socket.AF_INET, ('127.0.0.1', 0))
        self.control = self.listening(socket.AF_UNIX, str(self.router.socket))
        self.port = self.public.getsockname()[1]

    def listening(self, family, address):
        sock = socket.socket(family)
        self.addCleanup(sock.close)
        sock.bind(address)
        sock.listen(16)
        return sock

    def start(self, names='http:control', sockets=None, ready=True):
        """As systemd does: descriptors from 3 on, and the process's own number in LISTEN_PID."""
        sockets = sockets or (self.public, self.control)
        files = ' '.join(f'{3 + i}<&{100 + i}' for i in range(len(sockets)))
        script = f'exec {files}; export LISTEN_PID=$$; exec "$0" --user'
        environment = {**self.router.environment, 'LISTEN_FDS': str(len(sockets)),
                       'LISTEN_FDNAMES': names}
        with open(self.router.log, 'ab') as log:
            for i, sock in enumerate(sockets):
                os.dup2(sock.fileno(), 100 + i)
            try:
                self.router.process = subprocess.Popen(
                    ['bash', '-c', script, harness.ROUTERD], env=environment,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                    pass_fds=range(100, 100 + len(sockets)))
            finally:
                for i in range(len(sockets)):
                    os.close(100 + i)
        if ready:
            wait_for(lambda: self.router.request('GET', '/readyz', via='socket').status == 200,
                     'the daemon')
        return self.router.process

    @harness.needs_llama_server
    def test_who_connects_before_the_start_and_after_the_end_is_answered(self):
        write_model(self.router.models / 'fox.gguf')
        early = harness.RawClient(('127.0.0.1', self.port), harness.chat_body('fox'))
        self.start()
        self.assertIn(TEXT.encode(), early.read_to_end())
        early.close()
        urls = self.router.status()['listen']
        self.assertCountEqual(urls, [f'http://127.0.0.1:{self.port}',
                                     f'unix://{self.router.socket}'])
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)
        self.assertEqual(self.router.ctl('status').returncode, 0)
        self.assertEqual(self.router.stop(), 0)
        self.assertTrue(self.router.socket.exists(), 'the file of a socket that is not its own')
        between = harness.RawClient(('127.0.0.1', self.port), harness.chat_body('fox'))
        self.start()
        self.assertIn(TEXT.encode(), between.read_to_end())
        between.close()

    def test_its_own_servers_and_programs_do_not_get_them(self):
        process = self.start()
        pid = process.pid
        for name in ('3', '4'):
            said = pathlib.Path(f'/proc/{pid}/fdinfo/{name}').read_text()
            mode = int(re.search(r'flags:\s+0(\d+)', said)[1], 8)
            self.assertTrue(mode & os.O_CLOEXEC, f'descriptor {name} would be inherited')

    def test_the_control_socket_is_known_by_its_path_too(self):
        self.start('a.socket:b.socket')
        self.assertEqual(self.router.request('GET', '/control/v1/status', via='socket').status, 200)

    def test_a_socket_for_everybody_needs_a_key(self):
        everybody = self.listening(socket.AF_INET, ('0.0.0.0', 0))
        process = self.start('http', [everybody], ready=False)
        self.assertEqual(process.wait(60), 1)
        self.assertIn('api_key', self.router.log.read_text())

    def test_what_does_not_listen_is_refused(self):
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(datagram.close)
        process = self.start('odd', [datagram], ready=False)
        self.assertEqual(process.wait(60), 1)
        self.assertIn("'odd'", self.router.log.read_text())


@unittest.skipUnless(shutil.which('systemd-analyze'), 'no systemd-analyze on this machine')
class UnitsTest(unittest.TestCase):
    def exposure(self, *drop_ins):
        """Of the service with these drop-ins, as one unit."""
        text = (UNITS / 'system/routerd.service').read_text().partition('[Install]')[0]
        text += ''.join((UNITS / f'drop-in/{name}.conf').read_text() for name in drop_ins)
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, 'routerd.service')
            unit.write_text(text)
            done = subprocess.run(['systemd-analyze', 'security', '--no-pager', '--offline=true',
                                   unit], capture_output=True, text=True, timeout=60)
        found = re.search(r'Overall exposure level for routerd.service: ([\d.]+)', done.stdout)
        self.assertTrue(found, done)
        return float(found[1])

    def test_the_service_is_exposed_to_little(self):
        self.assertLessEqual(self.exposure(), NO_GPU)
        self.assertLessEqual(self.exposure('gpu'), GPU)
        self.assertLessEqual(self.exposure('gpu', 'network'), GPU)

    def test_they_say_what_routerd_wants_of_malloc(self):
        source = (harness.ROOT / 'cmd/routerd/tuning.cpp').read_text()
        wanted = re.search(r'wanted = "([^"]+)"', source)[1]
        for folder in ('system', 'user'):
            text = (UNITS / folder / 'routerd.service').read_text()
            self.assertIn(f'\nEnvironment=GLIBC_TUNABLES={wanted}\n', text)

    def test_systemd_understands_the_units(self):
        units = [*UNITS.glob('system/*'), *UNITS.glob('user/*')]
        self.assertEqual(len(units), 4)
        for folder in ('system', 'user'):
            done = subprocess.run(['systemd-analyze', 'verify', '--man=no', f'--{folder}',
                                   *UNITS.glob(f'{folder}/*')],
                                  capture_output=True, text=True, timeout=60)
            complaints = [line for line in (done.stdout + done.stderr).splitlines()
                          if 'routerd' in line and 'is not executable' not in line]
            self.assertEqual(complaints, [])


if __name__ == '__main__':
    harness.main()
