"""What end-to-end tests are made of: a daemon of their own, models whose answer is known, clients.

Every test has its own folder, its own daemon on a free port and its own models; nothing is shared
but the programs, so tests may run side by side. When a test fails, the daemon's log is printed.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'support'))
from processes import (command_line, is_alive, sanitizer_options, wait_for,  # noqa: E402
                       wait_for_start)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('ROUTERD_BUILD_DIR', ROOT / 'build/debug'))
ROUTERD = BUILD / 'cmd/routerd/routerd'
ROUTERCTL = BUILD / 'cmd/routerctl/routerctl'
TINY_MODEL = BUILD / 'tools/tiny_model/routerd-tiny-model'

TEXT = 'The quick brown fox jumps over the lazy dog, and that is all there is to say.'
SLOW = ['--layers', '4', '--dim', '1024', '--ffn', '4096']  # some 20 ms a token
SKIPPED = 77  # the exit status by which ctest knows a test file that had nothing to run


def find_llama_server():
    """As the daemon's own users get one: named, on PATH, or unpacked by scripts/get-llama-server."""
    data = os.environ.get('XDG_DATA_HOME') or os.path.expanduser('~/.local/share')
    for path in (os.environ.get('LLAMA_SERVER_PATH'), shutil.which('llama-server'),
                 f'{data}/routerd/llama-server/bin/llama-server'):
        if path and os.access(path, os.X_OK):
            return path
    return None


LLAMA_SERVER = find_llama_server()
needs_llama_server = unittest.skipUnless(
    LLAMA_SERVER, 'no llama-server: set LLAMA_SERVER_PATH or run scripts/get-llama-server')


def short_lived(environment):
    """For a program that does one thing and ends. Looking for leaks is a third of what its process
    costs under ASan; the unit tests of its code look for them too."""
    options = filter(None, (environment.get('ASAN_OPTIONS'), 'detect_leaks=0'))
    return {**environment, 'ASAN_OPTIONS': ':'.join(options)}


def write_model(path, *options, text=TEXT):
    subprocess.run([TINY_MODEL, path, '--text', text, *options], check=True,
                   env=short_lived(os.environ), stdout=subprocess.DEVNULL)
    return path


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'{self.status} {self.body[:500]!r}'


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def sse_events(body):
    """The events of a stream, as (name, data); comments are left out."""
    out = []
    for block in body.replace('\r\n', '\n').split('\n\n'):
        name, data = 'message', []
        for line in block.split('\n'):
            if line.startswith('event:'):
                name = line[6:].strip()
            elif line.startswith('data:'):
                data.append(line[5:].strip())
        if data:
            out.append((name, '\n'.join(data)))
    return out


def chat_body(model, stream=False, **more):
    return {'model': model, 'stream': stream,
            'messages': [{'role': 'user', 'content': 'Tell me about the fox.'}], **more}


def chat_text(response):
    """What an answer of /v1/chat/completions says, streamed or not."""
    if not response.headers.get('content-type', '').startswith('text/event-stream'):
        return response.json()['choices'][0]['message']['content']
    out = ''
    for _, data in sse_events(response.body.decode()):
        if data != '[DONE]':
            for choice in json.loads(data)['choices']:
                out += choice['delta'].get('content') or ''
    return out


class RawClient:
    """A connection on which a test reads and leaves as it likes."""

    def __init__(self, address, body, path='/v1/chat/completions', headers=None):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(180)
        self.socket.connect(address)
        self.received = b''
        payload = json.dumps(body).encode()
        self.socket.sendall((f'POST {path} HTTP/1.1\r\nHost: localhost\r\n'
                             'Content-Type: application/json\r\n' +
                             ''.join(f'{name}: {value}\r\n' for name, value in
                                     (headers or {}).items()) +
                             f'Connection: close\r\n'
                             f'Content-Length: {len(payload)}\r\n\r\n').encode() + payload)

    def read_until(self, token):
        while token not in self.received:
            if not self._read():
                raise AssertionError(f'closed before {token!r}: {self.received[-2000:]!r}')
        return self.received

    def read_to_end(self):
        while self._read():
            pass
        return self.received

    def _read(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.received += more
        return bool(more)

    def close(self):
        self.socket.close()


class Gate:
    """A llama-server whose start is noted and, while the gate is shut, waits to be let in."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.fifo = folder / 'gate'
        self.program = folder / 'gated-llama-server'
        self.program.write_text(f"""#!/bin/sh
case "$*" in *--version* | *--help*) exec '{LLAMA_SERVER}' "$@" ;; esac
echo $$ >>'{folder}/starts'
if [ -p '{self.fifo}' ]; then read -r _ <'{self.fifo}'; fi
exec '{LLAMA_SERVER}' "$@"
""")
        self.program.chmod(0o755)

    def starts(self):
        """The process ids of all servers ever started, in order."""
        path = self.folder / 'starts'
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def shut(self):
        os.mkfifo(self.fifo)

    def open(self):
        """Lets in those who wait and all who come after."""
        fifo = os.open(self.fifo, os.O_RDWR)  # both ends: does not wait for a reader
        try:
            self.fifo.unlink()
            os.write(fifo, b'in\n' * 16)
            wait_for(lambda: not self._waiting(), 'the gate to be passed')
        finally:
            os.close(fifo)

    def _waiting(self):
        program = os.fsencode(str(self.program))
        return any(program in command_line(pid) for pid in self.starts())


class Daemon:
    """A routerd of a user's own, in a home of its own."""

    def __init__(self, home, config='', llama_server=None, listen='127.0.0.1:0', http=''):
        self.home = home
        self.models = home / 'models'
        self.models.mkdir(parents=True, exist_ok=True)
        self.runtime = home / 'run'
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.socket = self.runtime / 'routerd.sock'
        self.log = home / 'routerd.log'
        self.process = None
        self.before_start = None  # called in the new process
        self.environment = {
            'HOME': str(home), 'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8',
            'XDG_RUNTIME_DIR': str(self.runtime), 'XDG_STATE_HOME': str(home / 'state'),
            'XDG_DATA_HOME': str(home / 'data'), 'XDG_CONFIG_HOME': str(home / 'config'),
            'XDG_CACHE_HOME': str(home / 'cache'), **sanitizer_options()}
        self.configure(config, llama_server or LLAMA_SERVER, listen, http)

    @property
    def state(self):
        return self.home / 'state/routerd'

    def configure(self, config, llama_server, listen='127.0.0.1:0', http=''):
        """`config` may hold sections other than [http], [models] and [llama_server]; `http`: more
        lines of the first."""
        http = http if 'max_body' in http else f'max_body = "256KiB"\n{http}'
        path = self.home / 'config/routerd/routerd.toml'
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix('.new')  # a reload never sees half a file
        new.write_text(f"""
[http]
listen = ["{listen}"]
{http}
[models]
dirs = ["{self.models}"]
[llama_server]
path = "{llama_server}"
args = ["-t", "1"]
{config}
""")
        new.rename(path)

    def spawn(self, *arguments):
        """Starts the program and does not wait for it."""
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen([ROUTERD, '--user', *arguments], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.home, preexec_fn=self.before_start)
        return self.process

    def start(self):
        wait_for_start(self.spawn(), self.is_ready, 'the daemon to be ready')
        return self

    def is_ready(self):
        return self.request('GET', '/readyz', via='socket').status == 200

    def run_to_end(self, *arguments, seconds=20):
        """For starts that must fail: (exit status, what it printed)."""
        done = subprocess.run([ROUTERD, '--user', *arguments], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                              cwd=self.home)
        return done.returncode, done.stdout

    def stop(self, seconds=60):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self):
        """As the kernel would: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def servers(self):
        """The process ids of all model servers of this home, whoever owns them."""
        marker = os.fsencode(str(self.home))
        found = []
        for entry in os.scandir('/proc'):
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            line = command_line(entry.name)
            if marker in line and b'llama-server' in line and is_alive(entry.name):
                found.append(int(entry.name))
        return found

    def status(self):
        return self.get('/control/v1/status')

    def tcp_address(self):
        listen = next(url for url in self.status()['listen'] if url.startswith('http://'))
        host, _, port = listen.removeprefix('http://').rstrip('/').rpartition(':')
        return host, int(port)

    def request(self, method, path, body=None, headers=None, via='tcp', timeout=180):
        """`body`: bytes as they are, anything else as JSON."""
        if via == 'socket':
            connection = UnixConnection(self.socket, timeout)
        else:
            connection = http.client.HTTPConnection(*self.tcp_address(), timeout=timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, fields, answer.read())
        finally:
            connection.close()

    def get(self, path):
        """A resource of the control API."""
        response = self.request('GET', path, via='socket')
        if response.status != 200:
            raise AssertionError(f'GET {path}: {response}')
        return response.json()

    def chat(self, model, via='tcp', stream=False, headers=None, **more):
        return self.request('POST', '/v1/chat/completions', chat_body(model, stream, **more),
                            headers, via)

    def raw_chat(self, model, headers=None, **more):
        return RawClient(self.tcp_address(), chat_body(model, **more), headers=headers)

    def instance(self, model):
        """The model's running server as the daemon sees it, or None."""
        for item in self.get('/control/v1/instances')['items']:
            if item['model'] == model and item['state'] not in ('stopped', 'crashed', 'failed'):
                return item
        return None

    def ctl(self, *arguments, timeout=180, stdin=None):
        return subprocess.run([ROUTERCTL, *arguments], env=short_lived(self.environment),
                              capture_output=True, text=True, timeout=timeout, input=stdin)


class E2ETest(unittest.TestCase):
    """Gives each test a folder; ends what it started, and fails a test that left servers behind."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix='routerd-'))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.logs = ''

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and getattr(self, 'logs', ''):
            print(f'--- {self.id()}: the daemon\'s log\n{self.logs}---', file=sys.stderr)
        return result

    def daemon(self, config='', **options):
        daemon = Daemon(self.home / 'd', config, **options)
        self.addCleanup(self._end, daemon)
        return daemon

    def gate(self):
        return Gate(self.home / 'gate')

    def together(self, count, work):
        """Calls work(i) in `count` threads at once and returns what they gave; raises what they
        raised."""
        results, start = [None] * count, threading.Barrier(count)

        def one(index):
            start.wait()
            try:
                results[index] = work(index)
            except Exception as error:  # shown by the test
                results[index] = error

        threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    def _end(self, daemon):
        status = 0
        try:
            if daemon.process and daemon.process.poll() is None:
                status = daemon.stop()
        except subprocess.TimeoutExpired:
            daemon.kill()
            status = 'never: it was killed'
        left = daemon.servers()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if daemon.log.exists():
            self.logs += daemon.log.read_text(errors='replace')
        self.assertEqual(status, 0, 'the daemon did not stop cleanly')
        if daemon.process and daemon.process.returncode == 0:
            self.assertEqual(left, [], 'servers were left behind by a clean stop')


class SoakTest(unittest.TestCase):
    """Runs cases of a long test of tests/soak in their short form."""
    program = None  # its name

    def run_short(self, case):
        done = subprocess.run([sys.executable, ROOT / 'tests/soak' / self.program, '--short',
                               '--routerd', ROUTERD, '--tiny-model', TINY_MODEL, case],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=500)
        if done.returncode == SKIPPED:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout)


def main():
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.testsRun == len(result.skipped) else 0)
