"""Thousands that are slow to say what they want, beside others that are not.

The others ask two daemons by turns, of which one has the slow clients. What is judged is how long
they wait there, against how long they wait at the other one at the same time: both have the same
machine, with all that the slow clients do to it. Against how long they wait before there are any
is printed, too; from one minute to the next that differs by more than the tenth that is asked
about.
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

RISE = 1.1  # of the others' p99, beside the slow ones over elsewhere
PAUSE = 1.0  # seconds between two bytes of a slow client
TURN = 0.005  # seconds between those of one slow client and the next
NEW = 2000  # of them a second come, at most
RATE, AT_ONCE = 500, 32  # of the others: requests a second, connections to each daemon
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


class Others:
    """They ask for a whole answer at a steady rate, each on a connection that is kept."""

    def __init__(self, ports):
        self.ports, self.poller, self.busy = ports, select.epoll(), {}
        self.took = {port: [] for port in ports}
        self.idle = {port: collections.deque(self.connect(port) for _ in range(AT_ONCE))
                     for port in ports}

    def connect(self, port):
        sock = client.connect(port)
        self.poller.register(sock, select.EPOLLIN)
        return sock

    def ask(self, port, due, sent=client.request('answer')):
        sock = self.idle[port].popleft()  # none is idle for long
        sock.sendall(sent)
        self.busy[sock.fileno()] = sock, port, due

    def take_answers(self, seconds):
        for fd, _ in self.poller.poll(seconds):
            sock, port, asked = self.busy.pop(fd)
            if not sock.recv(1 << 16).startswith(b'HTTP/1.1 200'):
                raise OSError('one of the others was not answered')
            self.took[port].append(time.monotonic() - asked)
            self.idle[port].append(sock)

    def run(self, count):
        """So many requests, to the ports by turns."""
        began, number = time.monotonic(), 0
        while self.busy or number < count:
            port, due = self.ports[number % len(self.ports)], began + number / RATE
            now = time.monotonic()
            may_ask = number < count and bool(self.idle[port])
            if may_ask and now >= due:
                self.ask(port, max(now, due))
                number += 1
            self.take_answers(max(0, due - now) if may_ask else 1)
        for socks in self.idle.values():
            for sock in socks:
                sock.close()


def load(ports, seconds):
    """The p99 of how long the others waited for their answers from each port, in microseconds."""
    others = Others(ports)
    others.run(seconds * RATE)
    return [percentile(sorted(others.took[port]), 99) * 1e6 for port in ports]


def percentile(took, percent):
    return took[min(len(took) - 1, len(took) * percent // 100)]


def beside_load(bench, count=2000):
    """Often: one p99 differs from the next of the same kind by more than a tenth."""
    count, rounds, seconds = (100, 1, 2) if bench.short else (count, 21, 16)
    routers = bench.router('slow'), bench.router('elsewhere')
    ports = [router.port for router in routers]
    load(ports, 1)
    alone, beside, elsewhere = [], [], []
    for _ in range(rounds):
        for router in routers:
            router.wait_until_left()
        alone.append(load(ports, seconds)[0])
        with Slow(ports[0], count, count, judged=not bench.short):
            both = load(ports, seconds)
        beside.append(both[0])
        elsewhere.append(both[1])
        bench.note(f'p99 {beside[-1]:.0f} us beside them, {elsewhere[-1]:.0f} us elsewhere, '
                   f'{alone[-1]:.0f} us alone')
    over = [statistics.median(mine / base for mine, base in zip(beside, bases))
            for bases in (elsewhere, alone)]
    return bench.verdict(
        bench.short or over[0] <= RISE,
        f'{count} slow heads, {count} slow bodies: p99 of {RATE} others a second '
        f'{statistics.median(beside):.0f} us beside them, {statistics.median(elsewhere):.0f} us at '
        f'another daemon meanwhile, {statistics.median(alone):.0f} us alone: x {over[0]:.2f} over '
        f'the other daemon (x {over[1]:.2f} over alone)')
