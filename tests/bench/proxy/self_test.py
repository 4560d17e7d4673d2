"""Plants faults and checks that the load generator notices each: figures of a tool that cannot fail
say nothing."""
import os
import types

import faulty
import measuring
import targets

STREAM = ['stream', '--connections', '8', '--tokens', '40', '--interval-us', '500', '--timeout', '5']
UNARY = ['unary', '--connections', '4', '--seconds', '0.3', '--warmup', '0', '--body', '70000']


def at(port, upstream):
    return types.SimpleNamespace(name='the self-test\'s', port=port, stats_port=upstream.port,
                                 pids=upstream.pids, helpers=upstream.pids, key='')


def checks(upstream):
    """(what, whether it is as it should be, what was seen)."""
    direct = at(upstream.port, upstream)

    def load(words, target=direct):
        return measuring.load(target, words)

    for name, words in (('streams', STREAM), ('flat out', [*STREAM[:5], '--batch', '7']),
                        ('answers', UNARY)):
        report = load(words)
        yield f'direct, {name}', report['broken'] == 0 and report.get('good', 8) == 8, report
    yield from faults(upstream, load)
    yield from leaving(upstream, load)
    # 400 requests/s for a connection that takes 5 ms each: who counts from the sending sees 5 ms.
    report = load(['unary', '--connections', '1', '--rate', '400', '--delay-us', '5000',
                   '--seconds', '1', '--warmup', '0'])
    yield 'open loop counts the waiting', report['latency_p99_us'] > 200_000, report
    yield cpu_time(upstream, load)


def cpu_time(upstream, load):
    """The load generator's figure beside what the kernel counts in ticks."""
    before = cpu_seconds(upstream.pids[0])
    report = load(['unary', '--connections', '16', '--seconds', '1', '--warmup', '0'])
    ticks = cpu_seconds(upstream.pids[0]) - before
    reported = report['cpu_us_per_request'] * report['requests'] / 1e6
    is_same = 0.7 * ticks - 0.03 < reported < 1.3 * ticks + 0.03
    return 'CPU time', is_same, {'reported': reported, 'ticks': ticks}


def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat') as stat:
        fields = stat.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def faults(upstream, load):
    for fault, (_, reason) in faulty.FAULTS.items():
        proxy = faulty.FaultyProxy(upstream.port, fault)
        target = at(proxy.port, upstream)
        report = load(STREAM, target)
        noticed = report.get(f'broken: {reason}', 0)
        as_wanted = report['good'] == 8 if fault == 'none' else noticed == 8 == report['broken']
        yield f'fault: {fault}', as_wanted, report
        if fault in ('none', 'alter the request'):
            report = load(UNARY, target)
            as_wanted = (report['broken'] > 0) == (fault != 'none')
            yield f'fault: {fault}, no stream', as_wanted, report
        proxy.stop()


def leaving(upstream, load):
    words = ['abort', '--unary', '--connections', '8']
    report = load(words)
    seen = report['left'] == 8 and report['not_seen'] == 0 and report['still_open'] == 0
    yield 'direct, clients leave', seen, report
    proxy = faulty.FaultyProxy(upstream.port, 'none')
    report = load(words, at(proxy.port, upstream))
    yield 'fault: leaving is not passed on', report['not_seen'] == 8, report
    proxy.stop()


def run(folder, cleanup):
    upstream = targets.Upstream(folder)
    cleanup.callback(upstream.stop)
    failed = 0
    for what, good, seen in checks(upstream):
        print(f'{"ok" if good else "FAILED":8}{what}' + ('' if good else f': {seen}'), flush=True)
        failed += not good
    print(f'{failed} failed')
    return 1 if failed else 0
