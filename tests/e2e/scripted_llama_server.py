#!/usr/bin/env python3
"""Plays llama-server by a script: each POST takes the next line of the file `plan` in the folder
$SCRIPT_FOLDER, and is noted in `seen` there with the number of its connection.

  answer       a whole answer; the connection is kept
  answer-close a whole answer, then the connection is closed without a word
  answer-deaf  a whole answer, then the next request is left unread and the connection closed
  stream       a whole answer in chunks, then what comes is read and the connection closed, as
               llama-server does with the connection of each stream
  held         a stream of numbered events, one each 20 ms, until the file `let-go` is there
  close        the request is read, then the connection is closed
  part         half of an answer, then the connection is closed
  quote        an error that quotes the request; the connection is kept
  busy         429 with Retry-After, in chunks; the connection is kept
  away         503; the connection is kept
  bare         a head that says nothing of a length; the connection is kept
  early        a whole answer, the connection's last, before the request's body is read, which
               happens when the file `let-go` is there

The SHA-256 of each body is noted in `bodies`.
"""
import hashlib
import json
import os
import pathlib
import select
import socket
import sys
import threading
import time

FOLDER = pathlib.Path(os.environ['SCRIPT_FOLDER'])
LOCK = threading.Lock()
BODY = b'{"choices":[{"message":{"content":"hello"}}]}'
HEAD = b'HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
ANSWER = HEAD % (b'200 OK', len(BODY)) + BODY
ERROR = b'{"error":{"message":"too much to do"}}'
REFUSALS = {
    'busy': b'HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n'
            b'Retry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n'
            b'%x\r\n%s\r\n0\r\n\r\n' % (len(ERROR), ERROR),
    'away': HEAD % (b'503 Service Unavailable', len(ERROR)) + ERROR,
    'bare': b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
}
EVENT = b'data: [DONE]\n\n'
STREAM = (b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'
          b'Keep-Alive: timeout=5, max=100\r\n\r\n%x\r\n%s\r\n0\r\n\r\n' % (len(EVENT), EVENT))


def hold(connection):
    head, _, _ = STREAM.partition(b'\r\n\r\n')
    connection.sendall(head + b'\r\n\r\n')
    number = 0
    while not (FOLDER / 'let-go').exists():
        event = b'data: {"number":%d}\n\n' % number
        connection.sendall(b'%x\r\n%s\r\n' % (len(event), event))
        number += 1
        time.sleep(0.02)
    connection.sendall(b'%x\r\n%s\r\n0\r\n\r\n' % (len(EVENT), EVENT))


def argument(name, otherwise=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def next_step(line, number):
    with LOCK:
        with open(FOLDER / 'seen', 'a') as seen:
            seen.write(f'{number} {line}\n')
        plan = (FOLDER / 'plan').read_text().split()
        (FOLDER / 'plan').write_text('\n'.join(plan[1:]))
        return plan[0] if plan else 'answer'


def read_head(reader):
    """The request line, and how long the body is."""
    line = reader.readline().decode().strip()
    length = 0
    while (field := reader.readline().strip()):
        name, _, value = field.partition(b':')
        if name.lower() == b'content-length':
            length = int(value)
    return line, length


def read_body(reader, length):
    body = reader.read(length)
    if body:
        with LOCK, open(FOLDER / 'bodies', 'a') as bodies:
            bodies.write(hashlib.sha256(body).hexdigest() + '\n')
    return body


def wait_to_be_let_go():
    while not (FOLDER / 'let-go').exists():
        time.sleep(0.02)


def serve(connection, number):
    reader = connection.makefile('rb')
    with connection, reader:
        while True:
            line, length = read_head(reader)
            if not line:
                return
            is_planned = line.startswith(('POST', 'HEAD', 'GET /slots'))
            step = next_step(line, number) if is_planned else 'answer'
            if step == 'early':
                connection.sendall(ANSWER.replace(b'\r\n', b'\r\nConnection: close\r\n', 1))
                wait_to_be_let_go()
                read_body(reader, length)
                return
            body = read_body(reader, length)
            if step == 'quote':
                error = json.dumps({'error': {'message': f'cannot read {body}'}}).encode()
                connection.sendall(HEAD % (b'400 Bad Request', len(error)) + error)
                continue
            if step in REFUSALS:
                connection.sendall(REFUSALS[step])
                continue
            if step == 'part':
                connection.sendall(ANSWER[:-10])
            elif step == 'held':
                hold(connection)
            elif step == 'stream':
                connection.sendall(STREAM)
                connection.recv(65536)
            elif step != 'close':
                connection.sendall(ANSWER)
            if step == 'answer-deaf':
                select.select([connection], [], [])
            if step != 'answer':
                return


def main():
    if '--version' in sys.argv or '--help' in sys.argv:
        print('version: 1 (scripted)')
        return
    host = argument('--host')
    if host.startswith('/'):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(host)
    else:
        listener = socket.socket()
        listener.bind((host, int(argument('--port'))))
    listener.listen(64)
    number = 0
    while True:
        connection, _ = listener.accept()
        number += 1
        threading.Thread(target=serve, args=(connection, number), daemon=True).start()


main()
