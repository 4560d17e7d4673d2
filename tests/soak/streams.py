"""Streams that are held for long, and many that come and go: none may be broken."""
import resource

import client

STREAM_BYTES = 16 << 10  # of the daemon's memory that one held stream may take
DESCRIPTORS = 2  # of the daemon for each stream


def said_of(run):
    faults = ', '.join(f'{count} {what}' for what, count in run.broken.most_common(3))
    return f'{run.whole} whole, {sum(run.broken.values())} broken{": " + faults if faults else ""}'


def most_streams():
    """What the limit of open files lets the daemon hold, some for itself left aside."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 300) // DESCRIPTORS


def hold(bench, wanted=10_000, seconds=600):
    """An event each `--interval` seconds, for that long."""
    if bench.short:
        wanted, seconds = 300, 5
    count, interval = min(wanted, most_streams()), bench.arguments.interval
    number = round(seconds / interval)
    answer = f'stream {number} {interval}'
    router = bench.router('hold', answer=answer)
    ramp = max(1, count / 500)
    memory = {'before': router.memory()}

    def look(second, run):
        if second >= ramp and 'held' not in memory:
            memory['held'] = router.memory()
        if second % 60 == 0:
            bench.note(f'{second} s: {len(run.open)} streams are open, {said_of(run)}, '
                       f'{router.memory() >> 10} KiB')

    sent, events = client.request(answer), client.events(number)
    plan = [(i / 500, sent, events) for i in range(count)]
    run = client.Streams(router.port, plan, count, look).run()
    each = (memory.get('held', 0) - memory['before']) / count
    less = '' if count == wanted else f' (not {wanted}: the limit of open files)'
    return bench.verdict(
        run.whole == count and bench.bounded(router, each, STREAM_BYTES),
        f'{count} streams{less} x {seconds} s, an event each {interval:g} s: {said_of(run)}; '
        f'{each / 1024:.1f} KiB each')


def pass_by(bench, count=20_000):
    """Every other one as fast as it can."""
    count = 1_000 if bench.short else count
    router = bench.router('pass')
    kinds = [(client.request('stream 40 0.1'), client.events(40)),
             (client.request('stream 400 0'), client.events(400))]
    plan = [(0, *kinds[i % 2]) for i in range(count)]
    run = client.Streams(router.port, plan, 400).run()
    return bench.verdict(run.whole == count, f'{count} streams, 400 at once: {said_of(run)}')
