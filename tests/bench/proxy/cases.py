"""The cases: how each is loaded, which figures count, and what they should be."""
import dataclasses

UNARY_MS, STREAM_SHARE = 500, 4  # --quick: how long, and by how much streams are shortened


@dataclasses.dataclass
class Figure:
    """One row of the table."""
    field: str  # of the load generator's report
    what: str
    unit: str
    goal: float
    of: str = 'ratio'  # to nginx in the same repetition, or 'absolute': routerd's own
    at_least: bool = False
    scale: float = 1  # from the report's unit to the row's

    def meets(self, value):
        return value >= self.goal if self.at_least else value <= self.goal

    def goal_text(self):
        sign = '>=' if self.at_least else '<='
        unit = f' {self.unit}' if self.of == 'absolute' and self.unit else ''
        return f'{sign} {self.goal:g}{unit}'


@dataclasses.dataclass
class Case:
    name: str
    what: str
    load: list  # the load generator's words; none: only looked at
    figures: list
    fresh: bool = False  # from processes just started: memory is never all given back
    against: str = 'nginx'
    options: dict = dataclasses.field(default_factory=dict)

    def words(self, quick):
        words = list(map(str, self.load))
        if quick and words[0] == 'unary':
            words += ['--seconds', str(UNARY_MS / 1000), '--warmup', '0.1']
        if quick and words[0] == 'stream':
            at = words.index('--tokens') + 1
            words[at] = str(max(1, int(words[at]) // STREAM_SHARE))
        return words


def cpu(goal, unit='request'):
    return Figure(f'cpu_us_per_{unit}', f'CPU per {unit}', 'us', goal)


def p50(goal):
    return Figure('latency_p50_us', 'p50', 'us', goal)


ABORT = [Figure('seen_after_p50_us', 'upstream saw it, p50', 'ms', 1.5, 'absolute', scale=0.001),
         Figure('not_seen', 'never seen', '', 0, 'absolute')]
# Over a while: what many requests at once need is not the memory of connections.
PARKED = ['idle', '--connections', 2000, '--seconds', 1, '--ramp-ms', 1000]

CASES = [
    Case('64', '64 connections, 1 KB', ['unary', '--connections', 64], [
        cpu(0.75), Figure('requests_per_s', 'requests/s', '/s', 1.25, at_least=True)]),
    Case('rate', '1,000 requests/s, open loop', ['unary', '--connections', 64, '--rate', 1000], [
        cpu(0.80), p50(1.0), Figure('latency_p99_us', 'p99', 'us', 1.0)]),
    Case('1', '1 connection, 1 KB', ['unary', '--connections', 1, '--seconds', 1], [p50(1.0)]),
    Case('1m', '8 connections, 1 MB',
         ['unary', '--connections', 8, '--body', 1 << 20], [cpu(0.60)]),
    # After the larger, which must leave no memory that is of no use here.
    Case('32k', '32 connections, 32 KB',
         ['unary', '--connections', 32, '--body', 32768], [cpu(0.55)]),
    Case('streams', '64 streams, a token each 10 ms',
         ['stream', '--connections', 64, '--tokens', 200, '--interval-us', 10000, '--ramp-ms', 10],
         [cpu(0.85, 'token'), Figure('delay_p50_us', 'delay of a token, p50', 'us', 1.0)]),
    Case('1000-streams', '1,000 streams, a token each 20 ms',
         ['stream', '--connections', 1000, '--tokens', 50, '--interval-us', 20000,
          '--ramp-ms', 200], [cpu(0.90, 'token')]),
    Case('flat-out', '64 streams, flat out',
         ['stream', '--connections', 64, '--tokens', 2000], [cpu(0.60, 'token')]),
    Case('leave', '50 clients leave in mid-stream',
         ['abort', '--connections', 50, '--interval-us', 20000], ABORT),
    Case('leave-unary', '50 clients leave as they wait',
         ['abort', '--unary', '--connections', 50], ABORT),
    Case('parked', '2,000 parked streams', PARKED,
         [Figure('kib_per_connection', 'memory of each', 'KiB', 8, 'absolute')], fresh=True),
    Case('idle', '2,000 idle connections', [*PARKED, '--unary'],
         [Figure('kib_per_connection', 'memory of each', 'KiB', 4, 'absolute')], fresh=True),
    Case('rest', 'just started', [],
         [Figure('rss_kib', 'resident', 'MiB', 20, 'absolute', scale=1 / 1024)], fresh=True),
]


def workers_case(count):
    return Case('workers', f'64 connections, {count} workers over 1', ['unary'], [cpu(1.15)],
                against='routerd', options={'workers': count})


def tls_case():
    return Case('tls', 'TLS, 64 kept connections', ['unary', '--tls'], [cpu(1.2)],
                options={'tls': True})
