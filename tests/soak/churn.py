"""A million requests, a tenth of them broken off by their clients and a tenth errors."""
import collections
import multiprocessing
import signal
import socket
import struct
import time

import client
import target

GROWTH = 0.01  # of the resident memory
AT_ONCE = 32  # connections of a process
PROCESSES = 3
RESET = struct.pack('ii', 1, 0)  # for SO_LINGER: what was not read does not matter
KEY = target.KEY
ANSWERS = [('200', client.request('answer', KEY))]
ERRORS = [('404', client.request(key=KEY, body=b'{"model": "nobody"}')),
          ('400', client.request(key=KEY, body=b'{"model": "m", ')),
          ('401', client.request('answer', 'sk-wrong')),
          ('404', client.request('answer', KEY, '/v1/nothing')),
          ('400', b'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')]
WHOLE = client.request('answer', KEY)
# What is sent, and whether the client leaves only after it has heard something.
ABORTED = [(WHOLE[:60], False), (WHOLE[:-5], False), (client.request('wait', KEY), False),
           (WHOLE, False), (client.request('stream 1000 0.05', KEY), True)]


def is_whole(raw):
    """Whether this is an answer with all of its body."""
    head, found, body = raw.partition(b'\r\n\r\n')
    length = head.lower().rpartition(b'\r\ncontent-length: ')[2].partition(b'\r\n')[0]
    return found and len(body) >= int(length)


class Asker:
    """A kept connection, made anew where the daemon closed it."""

    def __init__(self, port):
        self.port = port
        self.socket = client.connect(port)

    def send(self, sent):
        self.socket.sendall(sent)

    def status(self):
        raw = b''
        while not is_whole(raw):
            more = self.socket.recv(1 << 16)
            if not more:
                return f'cut after {len(raw)} bytes'
            raw += more
        if b'\r\nconnection: close' in raw:
            self.socket.close()
            self.socket = client.connect(self.port)
        return raw[9:12].decode()


def break_off(port, number):
    sent, hears = ABORTED[number % len(ABORTED)]
    with client.connect(port) as sock:
        sock.sendall(sent)
        if hears:
            sock.recv(1 << 16)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def ask_many(port, count):
    """Of ten requests one is broken off and one is an error; says what was not as it should be."""
    askers, wrong = [Asker(port) for _ in range(AT_ONCE)], collections.Counter()
    done = number = 0
    while done < count:
        wanted = []
        for asker in askers:
            number += 1
            kinds = ERRORS if number % 9 == 0 else ANSWERS
            status, sent = kinds[number // 9 % len(kinds)]
            asker.send(sent)
            wanted.append(status)
        broken_off = (number + 8) // 9 - (number - len(askers) + 8) // 9
        for i in range(broken_off):
            break_off(port, number + i)
        for asker, status in zip(askers, wanted):
            got = asker.status()
            if got != status:
                wrong[f'{got} instead of {status}'] += 1
        done += len(askers) + broken_off
    for asker in askers:
        asker.socket.close()
    return done, wrong


def ask_apart(pipe, port, count):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pipe.send(ask_many(port, count))


def in_processes(port, count):
    """What ask_many() gives in each of some processes."""
    pipes = []
    for _ in range(PROCESSES):
        mine, theirs = multiprocessing.Pipe(duplex=False)
        multiprocessing.Process(target=ask_apart, args=(theirs, port, count), daemon=True).start()
        theirs.close()
        pipes.append(mine)
    try:
        return [pipe.recv() for pipe in pipes]
    except EOFError:
        raise target.Failed('one of those that ask broke off') from None


def run(router, count):
    """(requests, what was not as it should be, seconds), when no connection is open any more."""
    began = time.monotonic()
    parts = in_processes(router.port, count // PROCESSES)
    router.wait_until_left()
    done = sum(part[0] for part in parts)
    return done, sum((part[1] for part in parts), collections.Counter()), time.monotonic() - began


def million(bench, count=1_000_000, warm_up=50_000):
    """Before and after: with no connection open."""
    count, slack = (10_000, 1 << 20) if bench.short else (count, 0)
    router = bench.router('churn', key=KEY)
    wrong = run(router, min(warm_up, count))[1]
    before, done, seconds = router.memory(), 0, 0
    for _ in range(1 if bench.short else 10):
        part, faults, took = run(router, count // (1 if bench.short else 10))
        done, wrong, seconds = done + part, wrong + faults, seconds + took
        bench.note(f'{done} requests: {router.memory() >> 10} KiB')
    after = router.memory()
    faults = ''.join(f', {number} x {what}' for what, number in wrong.most_common(3))
    return bench.verdict(
        not wrong and bench.bounded(router, after, before * (1 + GROWTH) + slack),
        f'{done} requests in {seconds:.0f} s: {before >> 10} KiB before, {after >> 10} KiB after '
        f'({(after - before) / before:+.2%}){faults or ", each answered as it should be"}')
