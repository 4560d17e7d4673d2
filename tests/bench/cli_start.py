#!/usr/bin/env python3
"""How long `routerctl ps` takes as a whole process, beside a `curl` that asks the same socket.

usage: ROUTERD_BUILD_DIR=build/release tests/bench/cli_start.py [ROUNDS]
"""
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))
import harness  # noqa: E402


def run(command, environment):
    """Wall time and processor time of one process, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix='routerd-') as folder:
        router = harness.Daemon(pathlib.Path(folder) / 'd')
        harness.write_model(router.models / 'fox.gguf')
        router.start()
        try:
            router.ctl('load', 'fox', '--wait')
            commands = {
                'routerctl ps': [harness.ROUTERCTL, 'ps'],
                'curl': ['curl', '-s', '--unix-socket', router.socket,
                         'http://routerd/control/v1/instances'],
            }
            times = {name: [] for name in commands}
            for _ in range(count):  # in turn: what else the machine does hits both
                for name, command in commands.items():
                    times[name].append(run(command, router.environment))
        finally:
            router.stop()
    for name, rounds in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*rounds))
        print(f'{name:14} wall {wall:6.2f} ms   cpu {cpu:6.2f} ms   (medians of {count})')
    ratios = [a[0] / b[0] for a, b in zip(times['routerctl ps'], times['curl'])]
    print(f'routerctl ps / curl, wall: {statistics.median(ratios):.2f}')


if __name__ == '__main__':
    main()
