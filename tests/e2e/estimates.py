#!/usr/bin/env python3
"""Compares estimates of memory with what a real llama-server takes.

Each model is written, loaded by a server of its own, and asked for a few tokens after a prompt of
more than one physical batch, so that every buffer is used. Measured is the most host memory that
was resident (VmHWM of /proc/PID/status), pages of the mapped file included: they count once they
were touched, and a load touches all of them. Compared are the estimate from the file alone, and the
estimate after it has learned from one load, for a second load of the same model.

An estimate is what the server comes to with its context full. Masks of attention are the one buffer
that fills with the context and not with the first prompts: 2 bytes a cell for each of 512 tokens, so
a model here that has a big context is big itself.

usage: LLAMA_SERVER_PATH=… tests/e2e/estimates.py    prints a table; exit status 1 when one is off
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
from sized_models import Shape, write  # noqa: E402

ESTIMATE_PRINT = pathlib.Path(os.environ.get('ESTIMATE_PRINT', harness.BUILD / 'tests/support/estimate_print'))
MIB = 1 << 20
FIRST, FIRST_BYTES = 0.10, 32 * MIB  # how far off an estimate may be: either
LEARNED = 0.03
PROMPT = 640  # tokens: more than the 512 that are computed at a time
QUICK = ('f32 cache', 'sliding window', 'recurrent')  # in seconds, for every run of the tests

# name, model, the server's arguments
MODELS = [
    ('small', Shape(layers=8), ['-np', '1', '-c', '8192']),
    ('deep', Shape(layers=24, width=384, heads=6, kv_heads=6), ['-np', '1', '-c', '4096']),
    ('wide', Shape(layers=4, width=1024, heads=16, kv_heads=16), ['-np', '2', '-c', '8192']),
    ('grouped heads', Shape(layers=16, width=768, heads=12, kv_heads=2), ['-np', '1']),
    ('long heads', Shape('qwen3', layers=12, heads=8, kv_heads=2, key_length=128,
                         value_length=128), ['-np', '1', '-c', '16384', '-ub', '256']),
    ('vocabulary', Shape(layers=6, vocabulary=64000), ['-np', '1']),
    ('many slots', Shape(layers=8), ['-np', '8', '-c', '16384']),
    ('unified', Shape(layers=16), ['-np', '4', '-kvu', '-c', '8192']),
    ('q8_0 cache', Shape(layers=12, width=768, heads=12, kv_heads=12),
     ['-np', '2', '-c', '8192', '-ctk', 'q8_0', '-ctv', 'q8_0']),
    ('q4_0 cache', Shape(layers=12, width=768, heads=12, kv_heads=12),
     ['-np', '1', '-c', '8192', '-ctk', 'q4_0', '-ctv', 'q4_0']),
    ('f32 cache', Shape(layers=6), ['-np', '1', '-c', '4096', '-ctk', 'f32', '-ctv', 'f32']),
    ('experts', Shape(layers=4, experts=8, experts_used=2, ffn=1024), ['-np', '2', '-c', '8192']),
    ('sliding window', Shape('gemma3', layers=18, window=512, kv_heads=4), ['-np', '2', '-c', '8192']),
    ('recurrent', Shape('mamba', layers=16, width=768), ['-np', '4']),
    ('q4_0 weights', Shape(layers=8, width=1024, heads=16, kv_heads=4, weights='q4_0', ffn=4096),
     ['-np', '1']),
    ('q8_0 weights', Shape(layers=12, width=768, heads=12, kv_heads=4, weights='q8_0'),
     ['-np', '1', '-lm', 'none']),
]


def figures(pid):
    """Bytes by their names in /proc/PID/status."""
    out = {}
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        name, _, value = line.partition(':')
        if value.endswith(' kB'):
            out[name] = int(value.split()[0]) * 1024
    return out


class Server:
    """A llama-server in a folder of its own, as a context."""

    def __init__(self, folder, model, arguments):
        self.socket = folder / 'server.sock'
        self.log = folder / 'server.log'
        self.command = [harness.LLAMA_SERVER, '-m', model, '--host', self.socket, '-t', '1', '-lv',
                        '4', '--no-webui', *arguments]

    def __enter__(self):
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        try:
            harness.wait_for(self.healthy, 'llama-server to load', 120)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def ask(self, method, path, body=None):
        connection = harness.UnixConnection(self.socket, 300)
        try:
            connection.request(method, path, body and json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(self.log.read_text(errors='replace')[-2000:])
        try:
            return self.ask('GET', '/health')[0] == 200
        except OSError:
            return False

    def work(self):
        """(resident when ready, most resident after a prompt and a short answer)"""
        ready = figures(self.process.pid)['VmRSS']
        status, body = self.ask('POST', '/completion', {
            'prompt': [300 + token % 32 for token in range(PROMPT)], 'n_predict': 4})
        if status != 200:
            raise AssertionError(f'{status}: {body[:500]}')
        return ready, figures(self.process.pid)['VmHWM']


def estimates_of(model, arguments, log, ready, peak):
    """By the daemon's own code: (from the file alone, after having learned from that load)."""
    done = subprocess.run([ESTIMATE_PRINT, model, log, str(ready), str(peak), *arguments],
                          check=True, stdout=subprocess.PIPE)
    both = json.loads(done.stdout)
    return both['fresh'], both['learned']


def compare(folder, shape, arguments):
    """(first estimate, learned estimate, measured at the first load, at the second), bytes"""
    model = folder / 'model.gguf'
    write(model, shape)
    with Server(folder, model, arguments) as server:
        ready, first_peak = server.work()
        fresh, learned = estimates_of(model, arguments, server.log, ready, first_peak)
    with Server(folder, model, arguments) as server:
        _, peak = server.work()
    return fresh, learned, first_peak, peak


def is_near(value, measured):
    return abs(value - measured) <= max(FIRST * measured, FIRST_BYTES)


def main():
    if not harness.LLAMA_SERVER:
        print('skipped: no llama-server: set LLAMA_SERVER_PATH or run scripts/get-llama-server')
        return harness.SKIPPED
    print(f'{"model":16} {"weights":>8} {"cache":>8} {"compute":>8} {"other":>7} {"estimate":>9} '
          f'{"measured":>9} {"error":>7} {"learned":>9} {"again":>9} {"error":>7}')
    off = []
    wanted = sys.argv[1:]
    for name, shape, arguments in MODELS:
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix='routerd-') as folder:
            fresh, learned, first, again = compare(pathlib.Path(folder), shape, arguments)
        host, resident, later = fresh['host'], fresh['resident'], learned['resident']
        errors = resident / first - 1, later / again - 1
        parts = [host['weights'], host['kv'] + host['recurrent'], host['compute'],
                 resident - host['weights'] - host['kv'] - host['recurrent'] - host['compute']]
        print(f'{name:16}', *(f'{part / MIB:{width}.1f}' for part, width in zip(parts, (8, 8, 8, 7))),
              f'{resident / MIB:9.1f} {first / MIB:9.1f} {errors[0]:+7.1%}',
              f'{later / MIB:9.1f} {again / MIB:9.1f} {errors[1]:+7.1%}', flush=True)
        if not is_near(resident, first) or abs(errors[1]) > LEARNED:
            off.append(name)
    if off:
        print('off: ' + ', '.join(off))
    return 1 if off else 0


if __name__ == '__main__':
    sys.exit(main())
