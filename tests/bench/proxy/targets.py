"""What is measured: nginx and routerd, each in front of a stand-in for llama-server of its own.

Everything listens on free loopback ports, keeps its files in a folder of the caller's, and is ended
by its process id.
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

from processes import end, free_port, is_alive, wait_for_start

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get('ROUTERD_BUILD_DIR', ROOT / 'build/bench'))
UPSTREAM = BUILD / 'tests/bench/proxy/bench_upstream'
LOAD = BUILD / 'tests/bench/proxy/bench_load'
TINY_MODEL = BUILD / 'tools/tiny_model/routerd-tiny-model'
NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
KEY = 'sk-bench'
SLOTS = 4096  # of the model, more than its key `parallel` takes: no case may queue


def ask(port, path):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
    try:
        connection.request('GET', path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Program:
    """A process of ours, with its output in a file."""

    def __init__(self, words, log, environment=None):
        self.name, self.log = os.path.basename(str(words[0])), log
        with open(log, 'ab') as out:
            self.process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, env=environment)
        self.pid = self.process.pid

    def wait_until(self, is_ready, what, seconds=30):
        try:
            wait_for_start(self.process, is_ready, what, seconds)
        except AssertionError as error:
            said = self.log.read_text(errors='replace')[-2000:]
            self.stop()
            raise SystemExit(f'proxy_bench: start {self.name}: {error}; it said:\n{said}') from None

    def stop(self):
        end(self.process, 30)


class Upstream:
    """A stand-in that nobody manages, on a TCP port."""

    def __init__(self, folder):
        self.port = free_port()
        self.program = Program([UPSTREAM, '--host', '127.0.0.1', '--port', self.port],
                               folder / 'upstream.log')
        self.pids = [self.program.pid]
        self.program.wait_until(lambda: ask(self.port, '/health'), 'its /health')

    def stop(self):
        self.program.stop()


class Nginx:
    name = 'nginx'

    def __init__(self, folder, upstream, certificate=None):
        self.folder, self.upstream, self.certificate = folder / 'nginx', upstream, certificate
        self.key = ''
        self.start()

    def start(self):
        self.port = free_port()
        self.folder.mkdir(exist_ok=True)
        config = self.folder / 'nginx.conf'
        config.write_text(self.config())
        self.program = Program([NGINX, '-p', self.folder, '-c', config], self.folder / 'output.log')
        self.program.wait_until(lambda: self.workers() and self.listens(), 'its port')
        self.pids = [self.program.pid, *self.workers()]
        self.helpers, self.stats_port = self.upstream.pids, self.upstream.port

    def config(self):
        build = subprocess.run([NGINX, '-V'], capture_output=True, text=True).stderr
        temporary = '\n'.join(f'{name}_temp_path {self.folder}/{name};'
                              for name in ('proxy', 'fastcgi', 'uwsgi', 'scgi')
                              if f'--without-http_{name}_module' not in build)
        user = 'user root;' if os.getuid() == 0 else ''
        listen = f'listen 127.0.0.1:{self.port} backlog=4096'
        if self.certificate:
            listen += (f' ssl; ssl_certificate {self.certificate[0]}; '
                       f'ssl_certificate_key {self.certificate[1]}')
        return f"""
daemon off; {user} worker_processes 1; worker_rlimit_nofile 16384;
pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 16384; }}
http {{
    access_log off; client_max_body_size 0; client_body_temp_path {self.folder}/body;
    {temporary}
    keepalive_timeout 600s; keepalive_requests 1000000000;
    upstream model {{
        server 127.0.0.1:{self.upstream.port};
        keepalive 4096; keepalive_requests 1000000000; keepalive_timeout 600s;
    }}
    server {{
        {listen};
        location / {{
            proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off; proxy_request_buffering off; proxy_buffer_size 16k;
            proxy_buffers 8 16k; proxy_read_timeout 600s;
        }}
    }}
}}
"""

    def listens(self):
        with socket.create_connection(('127.0.0.1', self.port), 1):
            return True

    def workers(self):
        path = f'/proc/{self.program.pid}/task/{self.program.pid}/children'
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def stop(self):
        self.program.stop()

    def restart(self):
        self.stop()
        self.start()


class Router:
    name = 'routerd'

    def __init__(self, folder, routerd, workers=1, certificate=None):
        self.folder, self.routerd = folder, routerd
        self.workers, self.certificate = workers, certificate
        self.key = KEY
        self.environment = {'HOME': str(folder), 'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8',
                            'XDG_RUNTIME_DIR': str(folder / 'run')}
        (folder / 'models').mkdir(parents=True)
        (folder / 'run').mkdir(mode=0o700)
        subprocess.run([TINY_MODEL, folder / 'models/m1.gguf'], check=True,
                       stdout=subprocess.DEVNULL)
        self.start()

    def config(self):
        tls = ''
        if self.certificate:
            tls = f'tls_certificate = "{self.certificate[0]}"\ntls_key = "{self.certificate[1]}"'
        return f"""
[http]
listen = ["{'https://' if self.certificate else ''}127.0.0.1:{self.port}"]
workers = {self.workers}
{tls}
[auth]
api_key = "{KEY}"
[models]
dirs = ["{self.folder}/models"]
stores = []
preload = ["m1"]
[llama_server]
path = "{UPSTREAM}"
[limits]
idle_unload = "0s"
[model."m1"]
context = 64
args = ["-np", "{SLOTS}"]
env = {{ BENCH_UPSTREAM_PORT = "{self.stats_port}" }}
"""

    def start(self):
        self.port, self.stats_port = free_port(), free_port()
        path = self.folder / '.config/routerd/routerd.toml'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.config())
        self.program = Program([self.routerd, '--user'], self.folder / 'routerd.log',
                               self.environment)
        self.program.wait_until(lambda: ask(self.stats_port, '/health'), 'its model m1')
        self.pids = [self.program.pid]
        self.helpers = [ask(self.stats_port, '/stats')['pid']]

    def stop(self):
        self.program.stop()
        for pid in self.helpers:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)  # a daemon that was killed leaves it to the next one

    def restart(self):
        self.stop()
        self.start()


def check(routerd, folder, **settings):
    """What `routerd --check` prints of its keys, and what it says where it refuses a setting."""
    environment = {'HOME': str(folder), 'PATH': '/usr/bin:/bin', **settings}
    done = subprocess.run([routerd, '--user', '--check'], env=environment, capture_output=True,
                          text=True)
    return done.stdout, done.stderr.strip() if done.returncode else ''


def why_no_tls(routerd, folder):
    keys, _ = check(routerd, folder)
    lacking = [key for key in ('http.tls_certificate', 'http.tls_key')
               if not re.search(rf'^{re.escape(key)}\b', keys, re.M)]
    return f'this build has no TLS: routerd --check knows no {lacking[0]}' if lacking else ''


def why_no_workers(routerd, folder, count):
    return check(routerd, folder, ROUTERD_HTTP_WORKERS=str(count))[1]


def make_certificate(folder):
    """Of this run only, signed by itself: (certificate, key)."""
    certificate, key = folder / 'certificate.pem', folder / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
                    '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                    '-out', certificate, '-keyout', key], check=True, capture_output=True)
    return certificate, key
