"""Servers that outlive the daemon: the next one serves from them, and nobody is left over."""
import contextlib
import http.client
import os
import pathlib
import random
import signal
import statistics
import time

import client
import target
from processes import is_alive, settled, wait_for

FIRST_ANSWER = 0.1  # seconds from a start to the first answer of a server that was adopted
LEFT_OVER = 2.0  # seconds after a start during which what nobody owns may still be there
STREAMS = 8  # of each loaded model
# Of each server there are three processes: itself, a child, and one in a session of its own.
HELPERS = 'sleep 1000000 &\nsetsid sleep 1000000 &'
LOADED, LATER = ('m0', 'm1'), 'm2'
LOG_SIZE = 4 << 20  # bytes, [llama_server] log_size
LOG_SHARE = 0.1  # of a processor, that a flood of log may cost


class Stream:
    """A client that is in the middle of an answer."""

    def __init__(self, port, model):
        body = b'{"model": "%s", "user": "held: stream 100000 0.05"}' % model.encode()
        self.socket = client.connect(port)
        self.socket.sendall(client.request(body=body))
        received = b''
        while b'data: ' not in received:
            more = self.socket.recv(65536)
            if not more:
                raise target.Failed(f'a stream of {model} ended with {received[-500:]!r}')
            received += more

    def close(self):
        self.socket.close()


def marks(pid):
    """Of a process that a daemon started: which daemon's it is, and of which of its servers."""
    try:
        lines = pathlib.Path(f'/proc/{pid}/environ').read_bytes().split(b'\0')
    except OSError:
        return None, None
    found = dict(line.split(b'=', 1) for line in lines if line.startswith(b'ROUTERD_'))
    return (found.get(b'ROUTERD_OWNER', b'').decode(),
            found.get(b'ROUTERD_INSTANCE', b'').decode().rpartition('#')[2])


def owned_processes(state):
    """The living processes that daemons with this state directory started, by server."""
    found = {}
    for entry in os.scandir('/proc'):
        if entry.name.isdigit():
            owner, instance = marks(entry.name)
            if owner == str(state) and is_alive(entry.name):
                found.setdefault(instance, []).append(int(entry.name))
    return found


def first_answer(router, began, model):
    """Seconds from `began` to a whole answer of the model."""
    body = f'{{"model": "{model}", "user": "held: answer"}}'
    while True:
        if router.process.poll() is not None:
            raise target.Failed(f'it ended with {router.process.returncode}: {router.said()}')
        try:
            status, said = router.ask('POST', '/v1/chat/completions', body)
        except (OSError, http.client.HTTPException):  # it does not listen yet
            time.sleep(0.001)
            continue
        if status != 200:
            raise target.Failed(f'the first answer of {model} is {status}: {said[:500]!r}')
        return time.monotonic() - began


def running(router):
    """Process id and number of each model's server, as the daemon says."""
    return {item['model']: (item['pid'], item['id'])
            for item in router.control('GET', 'instances')['items'] if item['pid']}


def wait_until_nobody_is_left_over(router, began):
    """Whose server is not the daemon's any more must be gone; raises Failed where it stays."""
    def strays():
        owned = {str(number) for _, number in running(router).values()}
        return {instance: pids for instance, pids in owned_processes(router.state).items()
                if instance not in owned}

    try:
        wait_for(lambda: not strays(), 'those that nobody owns to be gone',
                 began + LEFT_OVER - time.monotonic())
    except AssertionError:
        raise target.Failed(f'{LEFT_OVER} s after a start there still are {strays()}; the daemon '
                            f'has {running(router)}') from None


def adopted(bench, cycles=1000):
    cycles = 8 if bench.short else cycles
    router = bench.router('servers', models=(*LOADED, LATER), preload=(), answer='answer',
                          aside=HELPERS)
    bench.cleanup.callback(lambda: [os.kill(pid, signal.SIGKILL)
                                    for pids in owned_processes(router.state).values()
                                    for pid in pids])
    chance, took, died = random.Random(cycles), [], 0
    router.start(router.is_ready)
    for model in LOADED:
        router.control('POST', f'models/{model}/load')
    for cycle in range(cycles):
        before = running(router)
        streams = [Stream(router.port, model) for model in LOADED for _ in range(STREAMS)]
        loading = client.connect(router.port)
        loading.sendall(client.request(path=f'/control/v1/models/{LATER}/load', body=b'{}'))
        time.sleep(chance.uniform(0, 0.08))  # so that the kill meets every step of a load
        router.kill()
        for open_one in (*streams, loading):
            open_one.close()
        victim = chance.choice(LOADED) if chance.random() < 0.1 else None
        if victim:  # it dies with the daemon, its helpers do not
            os.kill(before[victim][0], signal.SIGKILL)
            wait_for(lambda: not is_alive(before[victim][0]), 'the server to be gone')
            died += 1
        began = time.monotonic()
        router.launch()
        asked = next(model for model in LOADED if model != victim)
        took.append(first_answer(router, began, asked))
        wait_until_nobody_is_left_over(router, began)
        after = running(router)
        for model in LOADED:
            if model != victim and after.get(model) != before[model]:
                raise target.Failed(f'after {cycle + 1} kills {model} is {after.get(model)} and not '
                                    f'{before[model]}')
        if victim:
            router.control('POST', f'models/{victim}/load')
        router.control('POST', f'models/{LATER}/unload')
        if cycle % 100 == 99:
            bench.note(f'{cycle + 1} kills, {died} with a server, first answer '
                       f'{statistics.median(took) * 1000:.0f} ms')
    in_time = max(took) <= FIRST_ANSWER or bench.short or router.is_sanitized()
    router.stop()
    left = owned_processes(router.state)
    return bench.verdict(
        in_time and not left,
        f'{cycles} kills, {died} of them with a server: all others were served from the same '
        f'process, {sum(map(len, left.values()))} left over at the end; first answer after '
        f'{statistics.median(took) * 1000:.0f} ms, {max(took) * 1000:.0f} at most')


def cost(router):
    """Descriptors, threads and children that ended and were not waited for. Logs are left aside: a
    model whose server is started while another of it ends has one more, once."""
    process = pathlib.Path(f'/proc/{router.pid}')
    descriptors, zombies = 0, 0
    for entry in os.scandir(process / 'fd'):
        with contextlib.suppress(OSError):
            descriptors += not os.readlink(entry.path).endswith('.log')
    for entry in os.scandir('/proc'):
        if entry.name.isdigit() and not is_alive(entry.name):
            try:
                fields = pathlib.Path(entry.path, 'stat').read_text().rpartition(')')[2].split()
            except OSError:
                continue
            zombies += fields[0] == 'Z' and int(fields[1]) == router.pid
    return descriptors, len(os.listdir(process / 'task')), zombies


def cycled(bench, cycles=10_000):
    """Loads and unloads leave the daemon as it was."""
    cycles = 6 if bench.short else cycles
    router = bench.router('cycles', models=LOADED, preload=())
    router.start(router.is_ready)

    def both():
        for verb in ('load', 'unload'):
            router.control('POST', f'models/{LOADED[0]}/{verb}?wait=false')  # at the same time
            router.control('POST', f'models/{LOADED[1]}/{verb}')
            router.control('POST', f'models/{LOADED[0]}/{verb}')

    both()
    before, memory = settled(lambda: cost(router)), router.memory()
    for cycle in range(cycles // len(LOADED)):
        both()
        if cycle % 500 == 499:
            bench.note(f'{(cycle + 1) * len(LOADED)} loads and unloads, {router.memory() >> 10} KiB')
    after, grown = settled(lambda: cost(router)), router.memory() - memory
    return bench.verdict(after == before and after[2] == 0,
                         f'{cycles} loads and unloads: descriptors, threads, zombies {before} before '
                         f'and {after} after; {grown >> 10} KiB more memory')


def size_of(folder):
    """Bytes of its files, some of which may be on their way to another name."""
    total = 0
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            total += entry.stat().st_size
    return total


def flooded(bench, seconds=600):
    """A server that writes 64 MiB a second into its log costs little, and its log stays small."""
    seconds = 3 if bench.short else seconds
    router = bench.router('flood', aside=f'export HELD_LOG={64 << 20}')
    memory, used, began = router.memory(), router.cpu_seconds(), time.monotonic()
    largest = 0
    while time.monotonic() - began < seconds:
        time.sleep(0.1)
        largest = max(largest, size_of(router.state / 'logs'))
        if not router.answers():
            raise target.Failed('the server does not answer beside its log')
    share = (router.cpu_seconds() - used) / (time.monotonic() - began)
    grown = router.memory() - memory
    most = 4 * LOG_SIZE
    return bench.verdict(
        (share < LOG_SHARE or bench.short or router.is_sanitized()) and largest < most and
        bench.bounded(router, grown, 4 << 20),
        f'{seconds} s of 64 MiB a second: {share * 100:.1f} % of a processor, log {largest >> 20} '
        f'MiB at most, {grown >> 10} KiB more memory')
