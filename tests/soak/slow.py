"""Thousands that are slow to say what they want, beside others that are not."""
import heapq
import multiprocessing
import os
import select
import statistics
import time

import client

RISE = 1.1  # of the others' p99
PAUSE = 1.0  # seconds between two bytes of a slow client
RATE, AT_ONCE = 500, 32  # of the others: requests a second, connections
HEAD = b'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Slow: '
BODY = HEAD[:-len(b'X-Slow: ')] + b'Content-Length: 100000\r\n\r\n{"x": "'


class SlowClients:
    """Each sends a byte a second, and comes again when it was closed."""

    def __init__(self, port, heads, bodies):
        self.port, self.due, self.open = port, [], {}
        for number, begin in enumerate([HEAD] * heads + [BODY] * bodies):
            heapq.heappush(self.due, (time.monotonic() + number / 2000, number, begin))

    def step(self, number, begin):
        sock = self.open.get(number)
        try:
            if sock is None:
                sock = self.open[number] = client.connect(self.port)
                sock.sendall(begin)
                sock.setblocking(False)
            else:
                sock.send(b'x')
        except OSError:
            if number in self.open:
                self.open.pop(number).close()
            return
        self.forget_if_closed(number, sock)

    def forget_if_closed(self, number, sock):
        try:
            sock.recv(4096)  # an answer, or the end: it took too long
            self.open.pop(number).close()
        except BlockingIOError:
            pass
        except OSError:
            self.open.pop(number).close()

    def run(self, held):
        while True:
            when, number, begin = heapq.heappop(self.due)
            time.sleep(max(0, when - time.monotonic()))
            self.step(number, begin)
            held.value = len(self.open)
            heapq.heappush(self.due, (when + PAUSE, number, begin))


def run_slow(port, heads, bodies, held):
    os.nice(10)  # what it costs the machine is not what is asked
    SlowClients(port, heads, bodies).run(held)


class Slow:
    """Slow clients while the block lasts."""

    def __init__(self, port, heads, bodies):
        self.wanted, self.held = heads + bodies, multiprocessing.Value('i', 0)
        self.process = multiprocessing.Process(target=run_slow, daemon=True,
                                               args=(port, heads, bodies, self.held))

    def __enter__(self):
        self.process.start()
        deadline = time.monotonic() + 60
        while self.held.value < 0.98 * self.wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


def load(port, seconds, sent=client.request('answer')):
    """How long each of the others waited for its answer, in seconds, sorted."""
    poller, idle, busy, took = select.epoll(), [], {}, []
    for _ in range(AT_ONCE):
        sock = client.connect(port)
        poller.register(sock, select.EPOLLIN)
        idle.append(sock)
    began = time.monotonic()
    number = 0
    while busy or number < seconds * RATE:
        due = began + number / RATE
        now = time.monotonic()
        if idle and now >= due and number < seconds * RATE:
            sock, number = idle.pop(), number + 1
            sock.sendall(sent)
            busy[sock.fileno()] = sock, max(now, due)
        for fd, _ in poller.poll(max(0, due - now) if idle and number < seconds * RATE else 1):
            sock, then = busy.pop(fd)
            if not sock.recv(1 << 16).startswith(b'HTTP/1.1 200'):
                raise OSError('one of the others was not answered')
            took.append(time.monotonic() - then)
            idle.append(sock)
    for sock in idle:
        sock.close()
    return sorted(took)


def percentile(took, percent):
    return took[min(len(took) - 1, len(took) * percent // 100)]


def beside_load(bench, count=2000):
    """By turns with and without them, so that what else runs on the machine counts for both."""
    count, pairs, seconds = (100, 1, 2) if bench.short else (count, 9, 10)
    router = bench.router('slow')
    load(router.port, 1)
    ratios, held, figures = {50: [], 99: []}, [], {True: [], False: []}
    for pair in range(pairs):
        took = {}
        for is_beside in (pair % 2 == 0, pair % 2 == 1):
            if is_beside:
                with Slow(router.port, count, count) as slow:
                    took[True] = load(router.port, seconds)
                    held.append(slow.held.value)
            else:
                took[False] = load(router.port, seconds)
                time.sleep(0.5)
        for percent, each in ratios.items():
            each.append(percentile(took[True], percent) / percentile(took[False], percent))
        for is_beside, each in took.items():
            figures[is_beside].append(percentile(each, 99) * 1e6)
        bench.note(f'pair {pair + 1}: p50 x {ratios[50][-1]:.2f}, p99 x {ratios[99][-1]:.2f}, '
                   f'{held[-1]} slow ones held')
    rise = statistics.median(ratios[99])
    return bench.verdict(
        (bench.short or rise <= RISE) and min(held) >= 0.95 * 2 * count,
        f'{count} slow heads and {count} slow bodies (at least {min(held)} held): p99 of {RATE} '
        f'others a second {statistics.median(figures[False]):.0f} us without, '
        f'{statistics.median(figures[True]):.0f} us beside them, x {rise:.2f} '
        f'(p50 x {statistics.median(ratios[50]):.2f})')
