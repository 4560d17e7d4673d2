"""What the long tests have in common: their command line, daemons that end with them, verdicts."""
import argparse
import contextlib
import pathlib
import resource
import signal
import sys
import tempfile
import time

import target


class Bench:
    """What a case needs: daemons, which it ends, and a place for its verdict."""

    def __init__(self, arguments, folder, cleanup):
        self.arguments, self.short = arguments, arguments.short
        self.folder, self.cleanup = folder, cleanup
        self.case, self.routers = '', []

    def router(self, name, **options):
        router = target.Router(self.arguments, self.folder / name, **options)
        self.cleanup.callback(router.stop)
        self.routers.append(router)
        return router

    def bounded(self, router, cost, most):
        """Whether what was measured of the daemon's memory is no more than it may be."""
        return cost <= most or router.is_sanitized()

    def note(self, text):
        print(f'  {text}', file=sys.stderr, flush=True)

    def verdict(self, passed, text):
        print(f'{"pass" if passed else "FAIL"}  {self.case}: {text}', flush=True)
        if not passed and self.routers and self.routers[-1].said():
            self.note(f'routerd said:\n{self.routers[-1].said()}')
        return passed


def whole_path(text):
    """Of a program that is started in another folder."""
    return pathlib.Path(text).resolve()


def read_arguments(text, cases, own):
    parser = argparse.ArgumentParser(description=text, usage=argparse.SUPPRESS,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    hidden = argparse.SUPPRESS  # the text above says it
    parser.add_argument('cases', nargs='*', help=hidden)
    parser.add_argument('--short', action='store_true', help=hidden)
    parser.add_argument('--routerd', default=target.ROUTERD, type=whole_path, help=hidden)
    parser.add_argument('--tiny-model', default=target.TINY_MODEL, type=whole_path, help=hidden)
    for name, default in own.items():
        parser.add_argument(f'--{name}', default=default, type=type(default), help=hidden)
    arguments = parser.parse_args()
    for case in arguments.cases:
        if case not in cases:
            parser.error(f'there is no case \'{case}\'; there are {" ".join(cases)}')
    for program in (arguments.routerd, arguments.tiny_model):
        if not program.is_file():
            parser.error(f'{program} is not there: cmake --preset release && '
                         'cmake --build build/release')
    return arguments


def run(case, parts, arguments, folder):
    """Each part has daemons of its own, which end with it."""
    passed = True
    for part in parts:
        with contextlib.ExitStack() as cleanup:
            bench = Bench(arguments, folder / f'{case}-{part.__name__}', cleanup)
            bench.case = case
            try:
                passed &= part(bench)
            except (target.Failed, AssertionError, OSError) as error:
                passed = bench.verdict(False, f'broke off: {error}')
    return passed


def main(text, cases, **own):
    """Runs the cases that the command line names. `text`: what --help says; `cases`: the parts of
    each, which take a Bench and say whether they passed; `own`: options of theirs, with what they
    are unless given."""
    arguments = read_arguments(text, cases, own)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # those who are started inherit it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so end what was started
    began, passed = time.monotonic(), True
    with tempfile.TemporaryDirectory(prefix='soak-') as folder:
        for case in arguments.cases or cases:
            passed &= run(case, cases[case], arguments, pathlib.Path(folder))
    print(f'{"all passed" if passed else "not all passed"} in {time.monotonic() - began:.0f} s')
    return 0 if passed else 1
