"""Reloads and upgrades under hundreds of streams: nobody who talks to the daemon notices."""
import http.client
import pathlib
import random
import statistics
import threading
import time

import client
import target
from processes import Successor, become_reaper, free_port, is_alive, wait_for

STREAMS = 500  # at once
EVENTS, INTERVAL = (10, 60), 0.1  # of a stream: how many, in seconds


class Callers:
    """Threads that ask for something small again and again, on one connection or on new ones."""

    def __init__(self, port, count=4):
        self.port, self.done, self.faults, self.answers = port, False, [], 0
        self.threads = [threading.Thread(target=self.call, args=(i % 2 == 0,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def call(self, keeps):
        connection = self.connect()
        while not self.done:
            try:
                if not keeps:
                    connection.close()
                    connection = self.connect()
                before = connection.sock
                connection.request('GET', '/livez')
                status = connection.getresponse().read() == b'live\n'
                if not status or (keeps and connection.sock is not before):
                    self.faults.append('another answer, or a connection that was not kept')
                self.answers += 1
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(f'{type(error).__name__}: {error}')
                connection = self.connect()
            time.sleep(0.005)
        connection.close()

    def connect(self):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        connection.connect()
        return connection

    def stop(self):
        self.done = True
        for thread in self.threads:
            thread.join()


class Streaming:
    """Keeps so many streams open while work() runs in a thread, and tells how they went."""

    def __init__(self, port, streams, work):
        self.streams, self.work, self.error, self.over = streams, work, None, False
        plan = [self.one() for _ in range(streams)]
        self.run = client.Streams(port, plan, streams, self.each_second)
        self.thread = threading.Thread(target=self.go)

    @staticmethod
    def one():
        count = random.randint(*EVENTS)
        return 0, client.request(f'stream {count} {INTERVAL}'), client.events(count)

    def each_second(self, _second, run):
        if not self.over:
            run.plan.extend(self.one() for _ in range(2 * self.streams - len(run.plan)))
        else:
            run.plan.clear()

    def go(self):
        try:
            wait_for(lambda: len(self.run.open) == self.streams, 'all streams to run')
            self.work()
        except Exception as error:  # shown with the verdict
            self.error = error
        self.over = True

    def finish(self):
        self.thread.start()
        self.run.run()
        self.thread.join()
        if self.error:
            raise target.Failed(f'{type(self.error).__name__}: {self.error}')
        return self.run


def said_of(run, callers):
    faults = ', '.join(f'{count} {what}' for what, count in run.broken.most_common(3))
    return (f'{run.whole} streams whole, {sum(run.broken.values())} broken'
            f'{": " + faults if faults else ""}; {callers.answers} other answers, '
            f'{len(callers.faults)} faults{": " + callers.faults[0] if callers.faults else ""}')


def server_of(router):
    return router.control('GET', 'instances')['items'][0]['pid']


def under_streams(bench, router, work):
    """(how it went, whether all went well) of streams and callers while work() runs."""
    streams = 60 if bench.short else STREAMS
    callers = Callers(router.port)
    try:
        run = Streaming(router.port, streams, work).finish()
    finally:
        callers.stop()
    return said_of(run, callers), not run.broken and not callers.faults and run.whole >= streams


def reloaded(bench, times=1000):
    """Every file differs from the one before: in an address, a limit, a level or a model's rule."""
    times = 40 if bench.short else times
    router = bench.router('reloads')
    server, other, took = server_of(router), free_port(), []
    path = router.folder / '.config/routerd/routerd.toml'
    text = path.read_text()
    first = f'listen = ["127.0.0.1:{router.port}"]'
    changes = [(first, f'listen = ["127.0.0.1:{other}", "127.0.0.1:{router.port}"]'),
               ('stall_timeout = "15m"', 'stall_timeout = "14m"'),
               ('level = "warn"', 'level = "error"'),
               ('size = 20000', 'size = 19999'),
               ('context = 64', 'context = 64\naliases = ["n"]')]

    def work():
        for i in range(times):
            new = path.with_suffix('.new')
            new.write_text(text if i % 2 else text.replace(*changes[i // 2 % len(changes)]))
            new.rename(path)
            began = time.monotonic()
            changed = router.control('POST', 'config/reload')['changed']
            took.append(time.monotonic() - began)
            if not changed:
                raise target.Failed(f'reload {i} changed nothing')
            if i % 100 == 99:
                bench.note(f'{i + 1} reloads')
            time.sleep(0.02)  # so that streams begin and end among them

    said, passed = under_streams(bench, router, work)
    same = server_of(router) == server
    return bench.verdict(passed and same,
                         f'{times} reloads, {statistics.median(took) * 1000:.0f} ms in the median: '
                         f'{said}; the model\'s server is {"the same" if same else "another"}')


def upgraded(bench, times=20):
    """Each takes over from the one before, some of which still answer."""
    times = 4 if bench.short else times
    become_reaper()
    router = bench.router('upgrades')
    server, replaced, took, most = server_of(router), [], [], 0

    def work():
        nonlocal most
        for i in range(times):
            began = time.monotonic()
            result = router.control('POST', 'upgrade')
            took.append(time.monotonic() - began)
            replaced.append(router.process)
            router.process = Successor(result['pid'])
            router.pid = result['pid']
            most = max(most, sum(process.poll() is None for process in replaced))
            bench.note(f'upgrade {i + 1}: {took[-1] * 1000:.0f} ms, {result["requests"]} requests '
                       'left with the one before')
            time.sleep(0.2)

    said, passed = under_streams(bench, router, work)
    ends = [process.wait(60) for process in replaced]
    same = server_of(router) == server
    left = [entry for entry in pathlib.Path('/proc').iterdir() if entry.name.isdigit()
            and is_alive(entry.name) and entry.name != str(router.pid)
            and str(router.program).encode() == one_word(entry)]
    mine = [entry for entry in left if str(router.folder).encode() in environment(entry)]
    return bench.verdict(
        passed and same and not any(ends) and not mine,
        f'{times} upgrades, {statistics.median(took) * 1000:.0f} ms in the median, '
        f'{max(took) * 1000:.0f} at most, up to {most} processes replaced that still answered: '
        f'{said}; the model\'s server is {"the same" if same else "another"}, ends {set(ends)}, '
        f'{len(mine)} left over')


def one_word(entry):
    try:
        return (entry / 'cmdline').read_bytes().split(b'\0')[0]
    except OSError:
        return b''


def environment(entry):
    try:
        return (entry / 'environ').read_bytes()
    except OSError:
        return b''
