"""Thousands that are slow to say what they want, beside others that are not.

What is judged is how long the others wait beside them, against how long they wait alone. A third
measurement, with the slow ones at another daemon, tells what they cost the machine whomever they
talk to; it is printed and judges nothing.
"""
import collections
import itertools
import multiprocessing
import os
import select
import statistics
import time

import client
from processes import wait_for

RISE = 1.1  # of the others' p99, beside the slow ones over alone
ALONE, ELSEWHERE, BESIDE = WAYS = 'alone', 'elsewhere', 'beside them'
PAUSE = 1.0  # seconds between two bytes of a slow client
TURN = 0.005  # seconds between those of one slow client and the next
NEW = 2000  # of them a second come, at most
RATE, AT_ONCE = 500, 32  # of the others: requests a second, connections
HEAD = b'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Slow: '
BODY = HEAD[:-len(b'X-Slow: ')] + b'Content-Length: 100000\r\n\r\n{"x": "'


class SlowClients:
    """Each sends a byte a second, and comes again when it was closed. They take their turns by many
    at a time, like packets from a network: thousands of wake-ups a second of theirs would be what
    is measured."""

    def __init__(self, port, heads, bodies):
        self.port, self.begins, self.open = port, [HEAD] * heads + [BODY] * bodies, {}
        self.numbers, self.poller, self.may_begin = {}, select.epoll(), 0

    def step(self, number):
        sock = self.open.get(number)
        if sock is None:
            return self.begin(number)
        try:
            sock.send(b'x')
        except OSError:
            self.close(number)

    def begin(self, number):
        if self.may_begin == 0:
            return
        self.may_begin -= 1
        try:
            sock = client.connect(self.port)
            sock.sendall(self.begins[number])
        except OSError:
            return
        sock.setblocking(False)
        self.open[number], self.numbers[sock.fileno()] = sock, number
        self.poller.register(sock, select.EPOLLIN)

    def close(self, number):
        sock = self.open.pop(number)
        del self.numbers[sock.fileno()]
        sock.close()

    def run(self, held):
        began, turns = time.monotonic(), round(PAUSE / TURN)
        for turn in itertools.count():
            time.sleep(max(0, began + turn * TURN - time.monotonic()))
            for fd, _ in self.poller.poll(0):
                self.close(self.numbers[fd])  # an answer, or the end: it took too long
            self.may_begin = round(NEW * TURN)
            for number in range(turn % turns, len(self.begins), turns):
                self.step(number)
            held.value = len(self.open)


def run_slow(port, heads, bodies, held, judged):
    if judged:  # else it may wait for ever beside others, as in CI
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # its own cost is not asked
    SlowClients(port, heads, bodies).run(held)


class Slow:
    """Slow clients while the block lasts; `judged`: by the clock."""

    def __init__(self, port, heads, bodies, judged):
        self.wanted, self.held = heads + bodies, multiprocessing.Value('i', 0)
        self.process = multiprocessing.Process(target=run_slow, daemon=True,
                                               args=(port, heads, bodies, self.held, judged))

    def __enter__(self):
        self.process.start()
        try:
            wait_for(lambda: self.held.value >= 0.98 * self.wanted,
                     f'nearly all of {self.wanted} slow clients to be held')
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()


def load(port, seconds, sent=client.request('answer')):
    """How long each of the others waited for its answer, in seconds, sorted."""
    poller, idle, busy, took = select.epoll(), collections.deque(), {}, []
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
            sock, number = idle.popleft(), number + 1  # none is idle for long
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


def measure(way, routers, count, seconds, judged):
    """How long the others waited for their answers, once those of the last time are gone."""
    for router in routers:
        router.wait_until_left()
    first, second = (router.port for router in routers)
    if way == ALONE:
        return load(first, seconds)
    with Slow(second if way == ELSEWHERE else first, count, count, judged):
        return load(first, seconds)


def beside_load(bench, count=2000):
    """By turns, so that what else runs on the machine counts for all, and often: one p99 differs
    from the next of the same kind by more than a tenth."""
    count, rounds, seconds = (100, 1, 2) if bench.short else (count, 21, 12)
    routers = bench.router('slow'), bench.router('elsewhere')
    load(routers[0].port, 1)
    p99, ratios = {way: [] for way in WAYS}, {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 else reversed(WAYS):
            took = measure(way, routers, count, seconds, judged=not bench.short)
            p99[way].append(percentile(took, 99) * 1e6)
        for way in WAYS:
            ratios[way].append(p99[BESIDE][-1] / p99[way][-1])
        bench.note('p99 ' + ', '.join(f'{p99[way][-1]:.0f} us {way}' for way in WAYS))
    rise = statistics.median(ratios[ALONE])
    said = ', '.join(f'{statistics.median(p99[way]):.0f} us {way}' for way in WAYS)
    return bench.verdict(
        bench.short or rise <= RISE,
        f'{count} slow heads, {count} slow bodies: p99 of {RATE} others a second {said}: '
        f'x {rise:.2f} beside them over alone (x {statistics.median(ratios[ELSEWHERE]):.2f} over '
        'elsewhere)')
