"""What one request costs in memory at its peak, by its bytes."""
import client
from processes import settled, wait_for

MOST = 10  # times its bytes
FLOOR = 64 << 10  # bytes that a request of any size may cost: pages, buffers that are kept
MIB = 1 << 20
USER = b'{"model": "m", "user": "held: answer", "x": '


def filled(piece, size, begin=USER, end=b'}'):
    """A body of about `size` bytes of one piece again and again."""
    return begin + piece * (size // len(piece)) + end


def text(size):
    return filled(b'x', size, USER + b'"', b'"}')


def nested(size):
    return filled(b'[', size // 2, end=b']' * (size // 2) + b'}')


def members(size):
    return (USER + b'{' + b''.join(b'"%x":0,' % number for number in range(size // 9)) +
            b'"x":0}}')


def values(size):
    return filled(b'[],', size, USER + b'[', b'0]}')


def named(piece, size):
    return filled(piece, size, b'{"model": "', b'"}')


def chunked(body):
    head = client.request(body=b'')
    head = head.replace(b'Content-Length: 0', b'Transfer-Encoding: chunked')
    return head + b''.join(b'1\r\n%c\r\n' % byte for byte in body) + b'0\r\n\r\n'


def plain(body, path='/v1/chat/completions'):
    return client.request(body=body, path=path)


def requests(short):
    """(what, the request), one after the other."""
    sizes = [1] if short else [1, 16, 63]
    for size in sizes:
        yield f'{size} MiB of text', plain(text(size * MIB))
    yield 'chunks of one byte', chunked(text(MIB // (4 if short else 1)))
    size = (1 if short else 16) * MIB
    for make in (nested, members, values):
        yield f'{size // MIB} MiB of {make.__name__}', plain(make(size))
    yield f'{size // MIB} MiB of name', plain(named(b'x', size))
    yield f'{size // MIB} MiB of escaped name', plain(named(b'\\u0001', size))
    for path in ('/v1/models/eject', '/control/v1/estimate', '/control/v1/profiles'):
        for make in (nested, members, values):
            yield f'{size // MIB} MiB of {make.__name__} to {path}', plain(make(size), path)


def send(router, sent):
    """The status of the answer. What the daemon does not want to read it need not."""
    with client.connect(router.port) as sock:
        try:
            sock.sendall(sent)
            return sock.recv(1 << 16)[9:12].decode()
        except ConnectionError:
            return 'cut'


def cost(router, sent):
    """Bytes at the peak beyond what the daemon had before, and the status."""
    router.forget_peak()
    before = router.memory()
    status = send(router, sent)
    return max(0, router.peak() - before), status


def bodies(bench):
    passed = True
    for number, (what, sent) in enumerate(requests(bench.short)):
        router = bench.router(f'size-{number}')  # none that has memory to spare from the last one
        send(router, plain(text(1000)))
        grown, status = cost(router, sent)
        times = grown / len(sent)
        passed &= bench.verdict(bench.bounded(router, grown, MOST * len(sent) + FLOOR),
                                f'{what} ({len(sent)} bytes, answered {status}): {grown} bytes, '
                                f'{times:.1f} times')
        router.stop()
    return passed


def heads(bench):
    """Heads that are not whole yet, many at once, so that pages do not count."""
    start = b'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n'
    kinds = {'one long field': start + b'X-A: ' + b'x' * 7900 + b'\r\n',
             'many fields': start + b''.join(b'X-%d: y\r\n' % i for i in range(90)),
             'long fields': start + b''.join(b'X-%d: %s\r\n' % (i, b'y' * 7000) for i in range(4))}
    count, passed = 200, True
    for number, (what, sent) in enumerate(kinds.items()):
        router = bench.router(f'heads-{number}')  # for memory to spare, as above
        before = router.memory()
        held = [client.connect(router.port) for _ in range(count)]
        for sock in held:
            sock.sendall(sent)
        wait_for(lambda: not router.in_kernel(), 'routerd to read what was sent')
        each = (settled(router.memory, 0.3) - before) / count
        for sock in held:
            sock.close()
        passed &= bench.verdict(bench.bounded(router, each, MOST * len(sent)),
                                f'{count} heads of {what}, {len(sent)} bytes: {each:.0f} bytes '
                                f'each, {each / len(sent):.1f} times')
    return passed
