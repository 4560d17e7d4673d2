"""Runs a case on both targets, one right after the other."""
import json
import subprocess
import time

import targets


class Bench:
    """The targets, started as cases ask for them, and what was measured."""

    def __init__(self, arguments, folder, cleanup):
        self.arguments, self.folder, self.cleanup = arguments, folder, cleanup
        self.running, self.results, self.made = {}, [], None
        self.upstream = targets.Upstream(folder)
        cleanup.callback(self.upstream.stop)

    def target(self, name, **options):
        key = (name, *sorted(options.items()))
        if key not in self.running:
            options = dict(options)
            if options.pop('tls', False):
                options['certificate'] = self.certificate()
            folder = self.folder / f'{name}-{len(self.running)}'
            folder.mkdir()
            if name == 'nginx':
                options.pop('workers', None)
                started = targets.Nginx(folder, self.upstream, **options)
            else:
                started = targets.Router(folder, self.arguments.routerd, **options)
            self.cleanup.callback(started.stop)
            self.running[key] = started
        return self.running[key]

    def certificate(self):
        if not self.made:
            self.made = targets.make_certificate(self.folder)
        return self.made

    def pair(self, case):
        """The one that is compared with, and ours."""
        if case.against == 'routerd':
            return self.target('routerd'), self.target('routerd', **case.options)
        return self.target('nginx', **case.options), self.target('routerd', **case.options)

    def run(self, case, repetition):
        both = list(enumerate(self.pair(case)))
        measured = [None, None]
        for place, target in both if repetition % 2 == 0 else reversed(both):
            measured[place] = {'target': target.name, **self.measure(case, target)}
            self.results.append({'case': case.name, 'repetition': repetition, 'place': place,
                                 **measured[place]})
        return measured

    def measure(self, case, target):
        if case.fresh:
            target.restart()
        if not case.load:
            time.sleep(1)  # what a start still does is no rest
            return {'rss_kib': sum(map(rss_kib, target.pids)), 'broken': 0}
        if case.fresh:  # what the first request alone brings is nobody's share
            load(target, ['unary', '--connections', '4', '--seconds', '0.2'])
        return load(target, case.words(self.arguments.quick))


def rss_kib(pid):
    with open(f'/proc/{pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS:'))


def load(target, words):
    command = [targets.LOAD, *words, '--port', target.port, '--stats-port', target.stats_port,
               '--pids', ','.join(map(str, target.pids)),
               '--helpers', ','.join(map(str, target.helpers))]
    if target.key:
        command += ['--key', target.key]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=120)
    if done.returncode not in (0, 1):
        raise SystemExit(f'proxy_bench: load {target.name} with \'{" ".join(words)}\': '
                         f'{done.stderr.strip()}')
    return json.loads(done.stdout)
