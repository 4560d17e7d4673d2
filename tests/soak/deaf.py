"""What a client costs that does not read what it asked for."""
import select
import time

import client
from processes import settled

MOST = 1 << 20  # bytes, of the daemon's memory and in its sockets


def cost_of(router, before, held):
    """Bytes for each of the clients that are held, and how to say it. Lets them go."""
    memory, kernel = (router.memory() - before) / len(held), router.in_kernel() / len(held)
    for sock in held:
        sock.close()
    return memory + kernel, (f'{memory / 1024:.1f} KiB each of the daemon\'s memory and '
                             f'{kernel / 1024:.1f} KiB each in its sockets')


def floods(bench):
    """All that was taken from the server lies somewhere: in the daemon, or in the kernel."""
    count = 20 if bench.short else 100
    router = bench.router('deaf')
    before = router.memory()
    held = [client.connect(router.port) for _ in range(count)]
    for sock in held:
        sock.sendall(client.request('flood'))
    taken = settled(router.taken) / count
    cost, said = cost_of(router, before, held)
    return bench.verdict(0 < taken <= MOST and bench.bounded(router, cost, MOST),
                         f'{count} that read nothing of a flood: {said}; {taken / 1024:.1f} KiB '
                         'each were taken from its server in all')


def stuff(sockets, data, seconds):
    """Sends `data` again and again, as much as is taken; gives the bytes."""
    poller = select.poll()
    by_fd = {sock.fileno(): sock for sock in sockets}
    for fd, sock in by_fd.items():
        sock.setblocking(False)
        poller.register(fd, select.POLLOUT)
    sent, deadline = 0, time.monotonic() + seconds
    while by_fd and time.monotonic() < deadline:
        for fd, _ in poller.poll(100):
            try:
                sent += by_fd[fd].send(data)
            except BlockingIOError:
                continue
            except OSError:
                poller.unregister(fd)
                by_fd.pop(fd)
    return sent


def pipelines(bench):
    """Those that go on asking meanwhile."""
    count, seconds = 20, 2 if bench.short else 10
    passed = True
    for what, sent in (('models', b'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'),
                       ('completions', client.request('answer'))):
        router = bench.router(f'pipelines-{what}')
        before = router.memory()
        held = [client.connect(router.port) for _ in range(count)]
        stuffed = stuff(held, sent * 500, seconds) / count
        cost, said = cost_of(router, before, held)
        passed &= bench.verdict(bench.bounded(router, cost, MOST),
                                f'{count} that ask for {what} and read nothing: '
                                f'{said}; {stuffed / 1024:.0f} KiB each they could send')
    return passed
