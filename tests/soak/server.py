#!/usr/bin/env python3
"""Plays llama-server for thousands of requests at once: one process, one epoll loop.

A GET is answered at once. What a POST is answered with, `$HELD_ANSWER` says, or the request itself
in the first bytes of its body, as the field "user" with "held: " in front:

  answer           a whole answer
  stream N S       N events, numbered from 0, one each S seconds (0: as fast as they are taken)
  flood            an answer without an end, as fast as it is taken
  wait             nothing, until the router closes

GET /taken says how many bytes of floods were taken so far. $HELD_LOG: bytes a second of log that it
writes beside all that.
"""
import heapq
import itertools
import json
import os
import re
import resource
import select
import socket
import sys
import threading
import time

BODY = b'{"choices":[{"message":{"content":"hello"}}]}'
JSON_HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
STREAM_HEAD = (b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
               b'Transfer-Encoding: chunked\r\n\r\n')
ANSWER = JSON_HEAD % len(BODY) + BODY
PIECE = b'4000\r\n' + b'data: ' + b'x' * (0x4000 - 8) + b'\n\n' + b'\r\n'
LENGTH = re.compile(rb'\r\ncontent-length: *(\d+)', re.I)
WORDS = re.compile(rb'"user": ?"held: ([^"]*)"')
LOOKED_AT = 512  # bytes of a body


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ''


def chunk(number):
    data = b'data: %d\n\n' % number
    return b'%x\r\n%s\r\n' % (len(data), data)


class Connection:
    """Reads requests one after the other and writes an answer to each."""

    def __init__(self, server, sock):
        self.server, self.socket = server, sock
        self.input, self.output = b'', b''
        self.left = None  # bytes of the body that are not here yet; None: in a head
        self.begin = b''  # of the body
        self.line = b''
        self.floods = False
        self.events = select.EPOLLIN
        self.stream = None  # (next number, count, interval, when it began)

    def on_readable(self):
        data = self.socket.recv(1 << 18)
        if not data:
            return self.server.drop(self)
        if self.left is None:
            self.input += data
            return self.read_head()
        self.read_body(data)

    def read_head(self):
        end = self.input.find(b'\r\n\r\n')
        if end < 0:
            return
        head, rest = self.input[:end + 2], self.input[end + 4:]
        self.input, self.begin = b'', b''
        self.line = head[:head.index(b'\r\n')]
        length = LENGTH.search(head)
        self.left = int(length[1]) if length else 0
        self.read_body(rest)

    def read_body(self, data):
        mine = data[:self.left]
        self.left -= len(mine)
        if len(self.begin) < LOOKED_AT:
            self.begin = (self.begin + mine)[:LOOKED_AT]
        if self.left == 0:
            self.left = None
            self.input = data[len(mine):]
            self.answer()

    def answer(self):
        if self.line.startswith(b'GET '):
            return self.send(self.server.taken() if b'/taken' in self.line else ANSWER)
        words = WORDS.search(self.begin)
        kind, *numbers = words[1].decode().split() if words else self.server.usual
        if kind == 'stream':
            self.stream = [0, int(numbers[0]), float(numbers[1]), time.monotonic()]
            self.send(STREAM_HEAD)
            self.go_on()
        elif kind == 'flood':
            self.floods = True
            self.send(STREAM_HEAD)
        elif kind == 'answer':
            self.send(ANSWER)

    def go_on(self):
        """Sends the next event of a stream, or all that is left of one without pauses."""
        number, count, interval, began = self.stream
        if not interval:
            self.stream = None
            return self.send(b''.join(map(chunk, range(count))) + b'0\r\n\r\n')
        if number == count:
            self.stream = None
            return self.send(b'0\r\n\r\n')
        self.stream[0] = number + 1
        self.server.later(began + (number + 1) * interval, self)
        self.send(chunk(number))

    def send(self, data):
        self.output += data
        self.on_writable()

    def on_writable(self):
        while True:
            if self.floods and not self.output:
                self.output = PIECE
            if not self.output:
                return self.server.watch(self, select.EPOLLIN)
            try:
                sent = self.socket.send(self.output)
            except BlockingIOError:
                return self.server.watch(self, select.EPOLLIN | select.EPOLLOUT)
            self.output = self.output[sent:]
            self.server.flooded += sent if self.floods else 0


class Server:
    def __init__(self, listener, usual):
        self.listener, self.usual = listener, usual.split()
        self.connections, self.timers, self.order = {}, [], itertools.count()
        self.flooded = 0
        self.epoll = select.epoll()
        listener.setblocking(False)
        self.epoll.register(listener, select.EPOLLIN)

    def taken(self):
        body = json.dumps({'taken': self.flooded}).encode()
        return JSON_HEAD % len(body) + body

    def watch(self, connection, events):
        if connection.events != events:
            connection.events = events
            self.epoll.modify(connection.socket, events)

    def later(self, when, connection):
        heapq.heappush(self.timers, (when, next(self.order), connection))

    def drop(self, connection):
        self.connections.pop(connection.socket.fileno(), None)
        connection.socket.close()
        connection.stream, connection.floods = None, False

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        connection = self.connections[sock.fileno()] = Connection(self, sock)
        self.epoll.register(sock, select.EPOLLIN)

    def guarded(self, connection, work):
        try:
            work()
        except BlockingIOError:
            pass
        except OSError:
            self.drop(connection)

    def run_timers(self):
        now = time.monotonic()
        for _ in range(2000):  # then those that ask have their turn
            if not self.timers or self.timers[0][0] > now:
                return
            connection = heapq.heappop(self.timers)[2]
            if connection.stream:
                self.guarded(connection, connection.go_on)

    def run(self):
        while True:
            wait = self.timers[0][0] - time.monotonic() if self.timers else 60
            for fd, events in self.epoll.poll(max(0, wait), 1024):
                connection = self.connections.get(fd)
                if fd == self.listener.fileno():
                    self.accept()
                elif connection and events & ~select.EPOLLOUT:
                    self.guarded(connection, connection.on_readable)
                elif connection:
                    self.guarded(connection, connection.on_writable)
            self.run_timers()


def listen():
    host = argument('--host')
    unix = host.startswith('/')
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.bind(host if unix else (host, int(argument('--port'))))
    listener.listen(4096)
    return listener


def say(rate):
    """For ever, in lines of a kilobyte and a few pieces a second."""
    line, pause = b'x' * 1023 + b'\n', 0.03
    while True:
        os.write(2, line * int(rate * pause / len(line)))
        time.sleep(pause)


def main():
    if '--version' in sys.argv or '--help' in sys.argv:
        return print('version: 1 (held)')
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if 'HELD_LOG' in os.environ:
        threading.Thread(target=say, args=[float(os.environ['HELD_LOG'])], daemon=True).start()
    Server(listen(), os.environ.get('HELD_ANSWER', 'answer')).run()


if __name__ == '__main__':
    main()
