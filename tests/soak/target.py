"""What is held: a routerd of its own in front of a stand-in for llama-server (server.py).

It listens on a free loopback port, keeps its files in a folder of the caller's, and is ended, with
the server that it started, by process id.
"""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess

from processes import (command_line, end, free_port, is_alive, sanitizer_options, wait_for,
                       wait_for_start)

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get('ROUTERD_BUILD_DIR', ROOT / 'build/release'))
ROUTERD = BUILD / 'cmd/routerd/routerd'
TINY_MODEL = BUILD / 'tools/tiny_model/routerd-tiny-model'
KEY = 'sk-held'
LISTENS = '0A'  # a socket's state in /proc/net/tcp
CONFIG = """
[http]
listen = ["127.0.0.1:{port}"]
{http}
[auth]
api_key = "{key}"
[models]
dirs = ["{folder}/models"]
stores = []
preload = {preload}
[limits]
parallel = 12000
idle_unload = "0s"
first_byte_timeout = "15m"
stall_timeout = "15m"
[queue]
size = 20000
[llama_server]
path = "{folder}/llama-server"
[log]
level = "warn"
"""
MODEL = """[model.{name}]
context = 64
env = {{ HELD_ANSWER = "{answer}" }}
"""


def of_unit(name):
    """What the service's unit sets in its environment."""
    text = (ROOT / 'packaging/systemd/system/routerd.service').read_text()
    return re.search(rf'^Environment={name}=(.*)$', text, re.M)[1]


class Failed(Exception):
    """The daemon did not come up, or ended."""


class Router:
    """In a folder of its own; `answer` is what its servers say unless a request asks for more.
    `preload`: those of its models that are there from the start. `aside`: what the script that is a
    server does first."""

    def __init__(self, programs, folder, answer='answer', key='', http='', models=('m',),
                 preload=('m',), aside=''):
        self.program, self.folder, self.key, self.port = programs.routerd, folder, key, free_port()
        self.log, self.servers = folder / 'routerd.log', folder / 'servers'
        self.process = None
        (folder / 'models').mkdir(parents=True)
        (folder / 'run').mkdir(mode=0o700)
        for name in models:
            subprocess.run([programs.tiny_model, folder / f'models/{name}.gguf'], check=True,
                           stdout=subprocess.DEVNULL)
        server = folder / 'llama-server'
        server.write_text(f'#!/bin/sh\necho $$ >>{self.servers}\n{aside}\n'
                          f'exec python3 {HERE}/server.py "$@"\n')
        server.chmod(0o755)
        config = folder / '.config/routerd/routerd.toml'
        config.parent.mkdir(parents=True)
        config.write_text(
            CONFIG.format(port=self.port, folder=folder, key=key, http=http,
                          preload=json.dumps(preload)) +
            ''.join(MODEL.format(name=name, answer=answer) for name in models))
        if preload:
            self.start()

    @property
    def state(self):
        return self.folder / '.local/state/routerd'

    def launch(self, under=()):
        """Starts the program as its unit does, by the command `under` where there is one, and does
        not wait for it."""
        environment = {'HOME': str(self.folder), 'PATH': os.environ.get('PATH', '/usr/bin:/bin'),
                       'LANG': 'C.UTF-8', 'XDG_RUNTIME_DIR': str(self.folder / 'run'),
                       'GLIBC_TUNABLES': of_unit('GLIBC_TUNABLES'), **sanitizer_options()}
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen([*under, self.program, '--user'], env=environment,
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            cwd=self.folder)
        self.pid = self.process.pid

    def start(self, answers=None):
        """`answers`: what is waited for, else an answer of the model."""
        self.launch()
        try:
            wait_for_start(self.process, answers or self.answers, 'the first answer of routerd')
        except AssertionError as error:
            self.stop()
            raise Failed(f'{error}; it said:\n{self.said()}') from None

    def answers(self):
        return self.ask('POST', '/v1/chat/completions', '{"user": "held: answer"}')[0] == 200

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        fields = {'Authorization': f'Bearer {self.key}', 'Content-Type': 'application/json'}
        try:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def control(self, method, path, body=None):
        """What the control API answers; raises Failed unless that is what was asked for."""
        status, said = self.ask(method, '/control/v1/' + path, body)
        if not 200 <= status < 300:
            raise Failed(f'{method} {path}: {status} {said[:500]!r}')
        return json.loads(said)

    def is_ready(self):
        return self.ask('GET', '/readyz')[0] == 200

    def taken(self):
        """Bytes of floods that were taken from the server."""
        return json.loads(self.ask('GET', '/upstream/m/taken')[1])['taken']

    def said(self):
        return self.log.read_text(errors='replace')[-2000:]

    def memory(self):
        """Resident bytes. Not VmRSS: with counters for each processor that is a guess."""
        with open(f'/proc/{self.pid}/smaps_rollup') as lines:
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith('Rss:'))

    def cpu_seconds(self):
        """Of the daemon alone."""
        fields = pathlib.Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def is_sanitized(self):
        """Whether it was built with a sanitizer, whose own memory is many times the daemon's."""
        maps = pathlib.Path(f'/proc/{self.pid}/maps').read_text()
        return any(name in maps for name in ('libasan', 'libtsan'))

    def sockets(self):
        """The fields that /proc/net/tcp has of each socket on its port."""
        with open('/proc/net/tcp') as lines:
            rows = [line.split() for line in lines.readlines()[1:]]
        return [row for row in rows if int(row[1].rpartition(':')[2], 16) == self.port]

    def in_kernel(self):
        """Bytes that lie in its side of its clients' sockets, sent and received, and how many
        clients it has still to accept."""
        return sum(int(queue, 16) for row in self.sockets() for queue in row[4].split(':'))

    def connections(self):
        """How many of its clients' connections it has not closed."""
        return sum(row[3] != LISTENS and row[9] != '0' for row in self.sockets())  # 9: the inode

    def active(self):
        """Requests that it has not done with, the one that asks for this among them."""
        return self.control('GET', 'status')['requests']['active']

    def wait_until_left(self):
        """Until it has noticed that all its clients are gone."""
        wait_for(lambda: not self.connections() and self.active() <= 1,  # 1: the look itself
                 'routerd to notice that its clients are gone')

    def forget_peak(self):
        pathlib.Path(f'/proc/{self.pid}/clear_refs').write_text('5')

    def peak(self):
        with open(f'/proc/{self.pid}/status') as lines:
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith('VmHWM'))

    def kill(self):
        """As the kernel would: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process:
            end(self.process, 60)
        for pid in self.started():
            if is_alive(pid) and self.owns(pid):
                os.kill(pid, signal.SIGKILL)

    def started(self):
        """The process ids of all its servers ever started, in order."""
        return [int(pid) for pid in self.servers.read_text().split()] if self.servers.exists() else []

    def owns(self, pid):
        """Whether it still is the server that was started, not another process of that number."""
        return os.fsencode(str(self.folder)) in command_line(pid)
