"""Changes, and kills at any moment of them: what was acknowledged is there afterwards, all of it."""
import http.client
import json
import random
import shutil
import sqlite3
import statistics
import threading
import time
import urllib.parse

import target

WRITERS = 4
READY = 1.0  # seconds from a start to the first answer
LONGEST = 0.15  # seconds of changes before a kill


class Refused(Exception):
    """The daemon answered, and not as it must."""


class Client:
    """A kept connection to the control API, made anew when it broke."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, body=None, good=(200,)):
        """Raises OSError or HTTPException when the daemon is not there or went away."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            self.connection.request(method, '/control/v1/' + path, text,
                                    {'Content-Type': 'application/json'})
            answer = self.connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.status not in good:
            raise Refused(f'{method} {path}: {answer.status} {said[:500]!r}')
        return json.loads(said)


class Writer:
    """Changes what is its own, one change after the other. `kept` is what was acknowledged, `asked`
    what will be if the change that is on its way is carried out."""

    def __init__(self, port, number):
        self.client, self.chance = Client(port), random.Random(number)
        self.kept = self.asked = self.nothing()
        self.count, self.fault = 0, None

    def run(self):
        """Until the daemon is gone."""
        try:
            while True:
                self.asked, request = self.choose()
                self.client.ask(*request, good=(200, 201))
                self.kept = self.asked
                self.count += 1
        except (OSError, http.client.HTTPException):
            pass
        except Refused as refused:
            self.fault = str(refused)

    def check(self):
        """Looks at what there is; the next changes go on from it."""
        found = self.look()
        if found not in (self.kept, self.asked):
            raise target.Failed(f'there is {found}; acknowledged was {self.kept}, and on its way '
                                f'{self.asked}')
        self.kept = self.asked = found


class ModelWriter(Writer):
    """Overrides of a model: many keys in each change."""

    def __init__(self, port, number):
        self.path = f'models/m{number}'
        super().__init__(port, number)

    def nothing(self):
        return {}

    def choose(self):
        if self.kept and self.chance.random() < 0.2:
            gone = self.chance.sample(sorted(self.kept), self.chance.randint(1, len(self.kept)))
            left = {key: text for key, text in self.kept.items() if key not in gone}
            return left, ('PATCH', self.path, {'unset': gone})
        number = self.chance.randint(1, 9999)
        change = {'context': str(number), 'tier': self.chance.choice(['fast', 'powerful']),
                  'parallel': str(number % 7 + 1), 'idle_unload': f'{number * 60 + 1}s'}  # seconds stay seconds
        return {**self.kept, **change}, ('PATCH', self.path, {'set': change})

    def look(self):
        return self.client.ask('GET', self.path)['overrides']


class ProfileWriter(Writer):
    """A profile that comes, changes and goes."""

    def __init__(self, port, number):
        self.name = f'p{number}'
        super().__init__(port, number)

    def nothing(self):
        return None

    def choose(self):
        if self.kept and self.chance.random() < 0.2:
            return None, ('DELETE', f'profiles/{self.name}')
        number = self.chance.randint(1, 9999)
        profile = {'name': self.name, 'description': f'{number} ' * 50,
                   'overrides': {'m0': {'context': str(number)}}, 'default_model': 'm1'}
        if self.kept:
            return profile, ('PUT', f'profiles/{self.name}', profile)
        return profile, ('POST', 'profiles', profile)

    def look(self):
        for item in self.client.ask('GET', 'profiles')['items']:
            if item['name'] == self.name:
                return {key: item[key]
                        for key in ('name', 'description', 'overrides', 'default_model')}
        return None


class UseWriter(Writer):
    """Two profiles of which one is in force: each time a default model, a model's overrides and the
    name change together."""

    def __init__(self, port, number):
        self.model = f'm{number}'
        super().__init__(port, number)

    def nothing(self):
        return None

    def prepare(self):
        for name, context in (('one', '111'), ('two', '222')):
            self.client.ask('POST', 'profiles', {
                'name': name, 'default_model': f'm{name == "two":d}',
                'overrides': {self.model: {'context': context, 'tier': 'fast'}}}, good=(201,))
        self.client.ask('POST', 'profiles/one/activate')
        self.kept = self.asked = self.state('one')

    def state(self, name):
        return {'profile': name, 'default': f'm{name == "two":d}',
                'context': '222' if name == 'two' else '111'}

    def choose(self):
        name = 'one' if self.kept['profile'] == 'two' else 'two'
        return self.state(name), ('POST', f'profiles/{name}/activate', {})

    def look(self):
        status = self.client.ask('GET', 'status')
        settings = self.client.ask('GET', f'models/{self.model}')['settings']
        return {'profile': status['active_profile'], 'default': status['default_model'],
                'context': settings['context']}


def database_faults(router, folder):
    """What SQLite finds wrong with a copy of the database as the kill left it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ('state.db', 'state.db-wal'):
        if (router.state / name).exists():
            shutil.copy(router.state / name, folder / name)
    if not (folder / 'state.db').exists():
        return []
    with sqlite3.connect(folder / 'state.db') as database:
        return [row[0] for row in database.execute('PRAGMA integrity_check') if row[0] != 'ok']


def wait_until_ready(router, began):
    """Seconds from `began` to the first answer."""
    while True:
        if router.process.poll() is not None:
            raise target.Failed(f'it ended with {router.process.returncode}: {router.said()}')
        try:
            if router.is_ready():
                return time.monotonic() - began
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.002)


def kept(bench, cycles=1000):
    cycles = 10 if bench.short else cycles
    models = [f'm{number}' for number in range(WRITERS + 1)]
    router = bench.router('changes', models=models, preload=())
    writers = [ModelWriter(router.port, number) for number in range(WRITERS)]
    writers += [ProfileWriter(router.port, number) for number in range(WRITERS)]
    writers.append(UseWriter(router.port, WRITERS))
    chance, ready, in_start = random.Random(cycles), [], 0
    for cycle in range(cycles):
        began = time.monotonic()
        router.launch()
        if ready and chance.random() < 0.2:  # while it starts
            time.sleep(chance.uniform(0, statistics.median(ready)))
            in_start += 1
        else:
            ready.append(wait_until_ready(router, began))
            if len(ready) == 1:
                writers[-1].prepare()
            for writer in writers:
                writer.check()
            threads = [threading.Thread(target=writer.run) for writer in writers]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0, LONGEST))
        router.kill()
        if router.process.returncode != -9:
            raise target.Failed(f'it ended with {router.process.returncode} before the kill')
        for thread in threads:
            thread.join()
        faults = [writer.fault for writer in writers if writer.fault]
        faults += database_faults(router, bench.folder / 'copy')
        faults += [path.name for path in router.state.glob('*.corrupt*')]
        if faults:
            raise target.Failed(f'after {cycle + 1} kills: {"; ".join(faults)}')
        if cycle % 100 == 99:
            bench.note(f'{cycle + 1} kills, {sum(writer.count for writer in writers)} changes')
    changes = sum(writer.count for writer in writers)
    in_time = max(ready) <= READY or bench.short or router.is_sanitized()
    return bench.verdict(
        in_time and changes > cycles,
        f'{cycles} kills, {in_start} of them during the start, {changes} changes acknowledged, none '
        f'lost and none half there; ready after {statistics.median(ready) * 1000:.0f} ms, '
        f'{max(ready) * 1000:.0f} at most')
