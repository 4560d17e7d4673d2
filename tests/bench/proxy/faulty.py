"""A small proxy that does one thing wrong, for the self-test of the load generator."""
import contextlib
import itertools
import socket
import threading

TOKEN = b'"stamp":"'


def is_token(chunk):
    return TOKEN in chunk


def nothing(chunks):
    yield from chunks


def of_token(place, change):
    """change() gives what comes in the place of the token at `place`."""
    def apply(chunks):
        tokens = itertools.count()
        for chunk in chunks:
            if is_token(chunk) and next(tokens) == place:
                yield from change(chunk, chunks)
            else:
                yield chunk
    return apply


def swap(chunk, chunks):
    later = next(chunks)
    yield later
    yield chunk


def without(text):
    """Leaves out the chunks that hold `text`."""
    return lambda chunks: (chunk for chunk in chunks if text not in chunk)


def behind_the_end(chunks):
    for chunk in chunks:
        yield chunk
        if b'[DONE]' in chunk and not is_token(chunk):
            yield b'data: {"choices":[],"finish_reason":"stop"}\n\n'


def wrong_usage(chunks):
    for chunk in chunks:
        yield chunk if is_token(chunk) else chunk.replace(b'"completion_tokens":', b'"a":1,"b":')


def alter(chunk, _chunks):
    yield chunk.replace(b'"m1"', b'"m2"')


class Cut(Exception):
    pass


def cut(chunk, _chunks):
    yield chunk
    raise Cut


# By name: what becomes of a stream's chunks, and what the load generator should say of it.
FAULTS = {
    'none': (nothing, None),
    'drop a token': (of_token(5, lambda _chunk, _chunks: iter(())), 'a token is missing'),
    'drop the last token': (of_token(39, lambda _chunk, _chunks: iter(())), 'a token is missing'),
    'repeat a token': (of_token(5, lambda chunk, _chunks: iter((chunk, chunk))),
                       'a token came again'),
    'swap two tokens': (of_token(5, swap), 'a token is missing'),
    'alter a token': (of_token(6, alter), 'an event is altered'),
    'cut the connection': (of_token(20, cut), 'closed before its end'),
    'leave out [DONE]': (without(b'data: [DONE]\n\n'), 'no [DONE]'),
    'go on behind [DONE]': (behind_the_end, 'events behind [DONE]'),
    'alter the usage': (wrong_usage, 'no right usage'),
    'alter the request': (nothing, 'the request is altered'),
}


class FaultyProxy:
    """One thread a connection; never looks whether its client is still there."""

    def __init__(self, upstream_port, fault):
        self.upstream_port, self.fault = upstream_port, fault
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(('127.0.0.1', self.upstream_port)) as upstream:
            requests, answers = client.makefile('rb'), upstream.makefile('rb')
            try:
                while self._exchange(requests, client, answers, upstream):
                    pass
            except (OSError, Cut):
                pass
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _exchange(self, requests, client, answers, upstream):
        head, fields = read_head(requests)
        if not head:
            return False
        body = requests.read(int(fields.get(b'content-length', 0)))
        if self.fault == 'alter the request':
            body = body[:-1] + b' '
        upstream.sendall(head + body)
        head, fields = read_head(answers)
        client.sendall(head)
        if b'content-length' in fields:
            client.sendall(answers.read(int(fields[b'content-length'])))
            return True
        alter_stream, _ = FAULTS[self.fault]
        for chunk in alter_stream(read_chunks(answers)):
            client.sendall(b'%x\r\n%s\r\n' % (len(chunk), chunk))
        client.sendall(b'0\r\n\r\n')
        return True


def read_head(stream):
    lines = []
    while not lines or lines[-1] not in (b'\r\n', b''):
        lines.append(stream.readline())
    if lines[-1] == b'':
        return b'', {}
    pairs = (line.split(b':', 1) for line in lines[1:-1])
    return b''.join(lines), {name.lower(): value.strip() for name, value in pairs}


def read_chunks(stream):
    while True:
        line = stream.readline()
        if not line:
            raise Cut
        size = int(line, 16)
        chunk = stream.read(size + 2)[:-2]
        if size == 0:
            return
        yield chunk
