"""Clients of streams, thousands at once in one epoll loop, each checked for all of its answer."""
import collections
import select
import socket
import time

SILENCE = 60  # seconds without a byte, then a stream is broken
HEAD = ('POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n'
        'Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n')


class Broken(Exception):
    """What was wrong with an answer."""


def request(words='', key='', path='/v1/chat/completions', body=None):
    """A whole request; `words` say what server.py is to answer."""
    if body is None:
        body = b'{"model": "m", "user": "held: %s", "stream": true}' % words.encode()
    return HEAD.format(path=path, key=key, length=len(body)).encode() + body


def connect(port, receive_buffer=0):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(SILENCE)
    sock.connect(('127.0.0.1', port))
    return sock


def dechunked(raw):
    """The data of a chunked body. Raises Broken unless it is whole and nothing follows."""
    out, at = [], 0
    while True:
        end = raw.find(b'\r\n', at)
        if end < 0:
            raise Broken('ended between chunks')
        try:
            size = int(raw[at:end], 16)
        except ValueError:
            raise Broken(f'has the chunk size {bytes(raw[at:end][:20])}') from None
        at = end + 2 + size
        if raw[at:at + 2] != b'\r\n':
            raise Broken('ended in a chunk')
        if size == 0:
            break
        out.append(raw[end + 2:at])
        at += 2
    if at + 2 != len(raw):
        raise Broken('has bytes behind its end')
    return b''.join(out)


def events(count):
    return b''.join(b'data: %d\n\n' % number for number in range(count))


def check(raw, wanted):
    """Raises Broken unless `raw` is a whole answer of 200 with the body `wanted`."""
    head, _, body = bytes(raw).partition(b'\r\n\r\n')
    if not head.startswith(b'HTTP/1.1 200 '):
        raise Broken(f'was answered with {(head or raw)[:60]!r}')
    if dechunked(body) != wanted:
        raise Broken('has another sequence')


class Stream:
    def __init__(self, sock, wanted):
        self.socket, self.wanted = sock, wanted
        self.raw, self.begun = bytearray(), time.monotonic()
        self.heard = self.begun

    def read(self):
        """True when there is no more to come."""
        data = self.socket.recv(1 << 16)
        self.raw += data
        self.heard = time.monotonic()
        return not data or self.raw.endswith(b'\r\n0\r\n\r\n')


class Streams:
    """Runs what `plan` gives, (not before which second, request, body wanted), `most` at once."""

    def __init__(self, port, plan, most, each_second=None):
        self.port, self.plan, self.most = port, collections.deque(plan), most
        self.each_second = each_second or (lambda second, run: None)
        self.open, self.whole, self.broken = {}, 0, collections.Counter()
        self.epoll = select.epoll()

    def begin(self, sent, wanted):
        try:
            sock = connect(self.port)
            sock.sendall(sent)
        except OSError as error:
            self.broken[f'could not begin: {error}'] += 1
            return
        self.open[sock.fileno()] = Stream(sock, wanted)
        self.epoll.register(sock, select.EPOLLIN)

    def end(self, stream, fault=None):
        del self.open[stream.socket.fileno()]
        stream.socket.close()
        try:
            if fault:
                raise Broken(fault)
            check(stream.raw, stream.wanted)
            self.whole += 1
        except Broken as broken:
            seconds = time.monotonic() - stream.begun
            self.broken[f'{broken} (after {seconds:.0f} s, {len(stream.raw)} bytes)'] += 1

    def read(self, stream):
        try:
            if stream.read():
                self.end(stream)
        except OSError as error:
            self.end(stream, f'was cut: {error.strerror}')

    def begin_due(self, seconds):
        for _ in range(100):  # then those that are open have their turn
            if not self.plan or len(self.open) >= self.most or self.plan[0][0] > seconds:
                return
            self.begin(*self.plan.popleft()[1:])

    def run(self):
        began, second = time.monotonic(), 0
        while self.plan or self.open:
            self.begin_due(time.monotonic() - began)
            for fd, _ in self.epoll.poll(0.01, 1024):
                self.read(self.open[fd])
            if time.monotonic() - began >= second + 1:
                second = int(time.monotonic() - began)
                self.each_second(second, self)
                silent = time.monotonic() - SILENCE
                for stream in [one for one in self.open.values() if one.heard < silent]:
                    self.end(stream, f'was silent for {SILENCE} s')
        return self
