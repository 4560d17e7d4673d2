"""Writes that fail: for each command that changes something, each write to the state directory in
turn meets a full disk, a broken disk, or a kill (strace's fault injection does that)."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import target
from changes import database_faults
from processes import end, wait_for

WRITES = ('pwrite64,write,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,'
          'unlinkat,mkdir')
FAULTS = ('error=ENOSPC', 'error=EIO', 'signal=KILL')
MOST = 200  # writes of one command; more means that the count never ends
OVERRIDES = {'context': '777', 'tier': 'fast'}
PROFILE = {'name': 'p', 'description': 'one', 'default_model': 'm0',
           'overrides': {'m1': {'context': '888', 'parallel': '3'}}}


def is_usable():
    """Whether strace is here and may do it."""
    return shutil.which('strace') is not None and subprocess.run(
        ['strace', '-f', '-e', 'inject=fsync:error=EIO', '-o', '/dev/null', 'true'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class Injector:
    """The n-th write to the state directory of `router` meets `fault`."""

    def __init__(self, router, fault, number):
        self.output = router.folder / 'strace.out'
        self.output.unlink(missing_ok=True)
        state = router.state
        places = [state, *(state / f'state.db{end}' for end in ('', '-wal', '-shm')),
                  *(state / f'state.db.schema-{version}.bak{end}' for version in range(1, 5)
                    for end in ('', '.part', '.part-journal'))]
        self.options = ['-f', '-qq', '-o', str(self.output), '-e', f'trace={WRITES}',
                        '-e', f'inject={WRITES}:{fault}:when={number}']
        for place in places:
            self.options += ['-P', str(place)]

    def happened(self):
        said = self.output.read_text(errors='replace')
        return '(INJECTED)' in said or 'killed by SIGKILL' in said

    @contextlib.contextmanager
    def on(self, pid):
        """While it is entered, a daemon that runs."""
        tracer = subprocess.Popen(['strace', *self.options, '-p', str(pid)],
                                  stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: all_traced(pid) or tracer.poll() is not None, 'strace to attach')
            yield
        finally:
            end(tracer, 10)


def all_traced(pid):
    try:
        texts = [(task / 'status').read_text()
                 for task in pathlib.Path(f'/proc/{pid}/task').iterdir()]
    except OSError:
        return False
    return all('TracerPid:\t0\n' not in text for text in texts)


def state_of(router):
    """All that the commands change."""
    status = router.control('GET', 'status')
    models = {name: router.control('GET', f'models/{name}')['overrides'] for name in ('m0', 'm1')}
    profiles = router.control('GET', 'profiles')['items']
    return {'profile': status['active_profile'], 'default': status['default_model'],
            'models': models, 'profiles': profiles}


# Each command: what comes before it, and itself.
SET = ('PATCH', 'models/m0', {'set': OVERRIDES})
CREATE = ('POST', 'profiles', PROFILE)
USE = ('POST', 'profiles/p/activate', {})
COMMANDS = {
    'set': ([], SET),
    'unset': ([SET], ('PATCH', 'models/m0', {'unset': list(OVERRIDES)})),
    'alias': ([], ('PATCH', 'models/m0', {'add_aliases': ['nick', 'name']})),
    'pin': ([], ('POST', 'models/m0/pin', {})),
    'profile create': ([], CREATE),
    'profile replace': ([CREATE], ('PUT', 'profiles/p', {**PROFILE, 'description': 'two'})),
    'profile rm': ([CREATE], ('DELETE', 'profiles/p', None)),
    'profile use': ([SET, CREATE], USE),
    'profile use --none': ([SET, CREATE, USE], ('POST', 'profiles/p/deactivate', {})),
    'switch': ([], ('POST', 'switch', {'model': 'm1'})),
}


class Lives:
    """A daemon that is killed often and each time begins from the same files."""

    def __init__(self, bench):
        self.bench = bench
        self.router = bench.router('faults', models=('m0', 'm1'), preload=())
        self.saved = bench.folder / 'saved'

    def ask(self, method, path, body):
        text = None if body is None else json.dumps(body)
        return self.router.ask(method, '/control/v1/' + path, text)

    def do(self, command):
        """Whether it was carried out, and what was said."""
        status, said = self.ask(*command)
        # A switch says how it goes as it goes, and how it went at the end.
        return 200 <= status < 300 and b'event: error' not in said, f'{status} {said[-600:]!r}'

    def begin(self, before):
        """Starts with an empty state and carries `before` out."""
        self.router.stop()
        shutil.rmtree(self.router.state, ignore_errors=True)
        self.router.start(self.router.is_ready)
        for command in before:
            done, said = self.do(command)
            if not done:
                raise target.Failed(f'{command}: {said}')

    def save(self):
        """What a clean stop left; restore() brings it back."""
        if end(self.router.process, 60) != 0:
            raise target.Failed('it did not stop cleanly')
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(self.router.state, self.saved)

    def restore(self):
        shutil.rmtree(self.router.state, ignore_errors=True)
        if self.saved.exists():
            shutil.copytree(self.saved, self.router.state)

    def sound(self):
        """Raises Failed when a crash now would leave a database that fails its check."""
        faults = database_faults(self.router, self.bench.folder / 'copy')
        faults += [path.name for path in self.router.state.glob('*.corrupt*')]
        if faults:
            raise target.Failed('; '.join(faults))


def one_write(lives, command, old, new, fault, number):
    """Whether there was such a write. Raises Failed when a promise was broken."""
    router, injector = lives.router, Injector(lives.router, fault, number)
    lives.restore()
    router.start(router.is_ready)
    with injector.on(router.pid):
        try:
            done, said = lives.do(command)
        except (OSError, http.client.HTTPException):
            done, said = False, 'none'
    if not injector.happened():
        end(router.process, 60)
        return False
    if fault.startswith('error'):
        check_error(lives, command, old, new, done, said)
    elif router.process.wait(60) != -signal.SIGKILL:
        raise target.Failed(f'it ended with {router.process.returncode}')
    lives.sound()
    router.start(router.is_ready)
    found = state_of(router)
    if found != new and (done or found != old):
        raise target.Failed(f'after the next start there is {found} where it was {old}, and the '
                            f'answer was {said}')
    router.kill()
    return True


def check_error(lives, command, old, new, done, said):
    """The daemon lives, says what was wrong, has changed nothing, and works again."""
    router = lives.router
    found = state_of(router)
    in_steps = command[1] == 'switch'  # the default model is one change, its load another
    if found != (new if done else old) and not (in_steps and found == new):
        raise target.Failed(f'{said}, and then there is {found}; before it {old}')
    if not done:
        if 'disk' not in said and 'I/O' not in said:
            raise target.Failed(f'the answer does not say what is wrong: {said}')
        again, said = lives.do(command)
        if not again or state_of(router) != new:
            raise target.Failed(f'it does not work again: {said}')
        # What was refused once and then done is found after a crash.
        router.kill()
        router.start(router.is_ready)
        if state_of(router) != new:
            raise target.Failed(f'after a kill there is {state_of(router)}, and not {new}')
    router.kill()


def each_write(name, fault, step, one):
    """Lets each write in turn meet the fault, until there is none any more; how many there were."""
    writes = 0
    for number in range(1, MOST, step):
        try:
            if not one(fault, number):
                return writes
        except (target.Failed, AssertionError) as error:
            raise target.Failed(f'{name}, write {number} meets {fault}: {error}') from None
        writes += 1
    raise target.Failed(f'{name}: more than {MOST} writes')


def in_commands(bench):
    if not is_usable():
        return bench.verdict(True, 'skipped: strace is not here, or may not trace')
    chosen = ('profile use',) if bench.short else COMMANDS
    lives, writes = Lives(bench), 0
    for name in chosen:
        before, command = COMMANDS[name]
        lives.begin(before)
        old = state_of(lives.router)
        lives.save()
        lives.router.start(lives.router.is_ready)
        done, said = lives.do(command)
        if not done:
            raise target.Failed(f'{name}: {said}')
        new = state_of(lives.router)
        end(lives.router.process, 60)
        for fault in FAULTS:
            writes += each_write(
                name, fault, 1, lambda *which: one_write(lives, command, old, new, *which))
        bench.note(f'{name}: {writes} writes so far')
    return bench.verdict(writes >= 3 * len(chosen),
                         f'{len(chosen)} commands, {writes} writes that failed or killed: each '
                         'change was whole or not there, and what was acknowledged was there')


def make_old(path):
    """Brings a database back to schema 1."""
    with sqlite3.connect(path) as database:
        database.executescript('DROP TABLE transfers; DROP TABLE pulls; DROP TABLE keys;'
                               'DROP TABLE requests; DROP TABLE corrections;'
                               'PRAGMA user_version = 1;')
    database.close()


def in_starts(bench):
    """The first start, which makes the database, and one that brings an old one to today's form."""
    if not is_usable():
        return bench.verdict(True, 'skipped: strace is not here, or may not trace')
    lives, writes = Lives(bench), 0
    router = lives.router
    lives.begin([])
    empty = state_of(router)
    lives.save()
    plans = [('first start', None, empty)]
    lives.begin([SET, CREATE, USE])
    full = state_of(router)
    lives.save()
    make_old(lives.saved / 'state.db')
    plans.append(('migration', lives.saved, full))
    for name, saved, wanted in plans:
        lives.saved = saved or bench.folder / 'nothing'
        for fault in FAULTS[-1:] if bench.short else FAULTS:
            writes += each_write(name, fault, 9 if bench.short else 1,
                                 lambda *which: one_start(lives, wanted, *which))
        bench.note(f'{name}: {writes} writes so far')
    return bench.verdict(writes >= 4, f'2 kinds of start, {writes} writes that failed or killed: '
                                      'the next start had all of the state')


def one_start(lives, wanted, fault, number):
    router, injector = lives.router, Injector(lives.router, fault, number)
    lives.restore()
    router.launch(['strace', *injector.options])
    ready = False
    while not ready and router.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            ready = router.is_ready()
        time.sleep(0.002)
    happened = injector.happened()
    if ready:
        for child in children(router.process.pid):
            os.kill(child, signal.SIGKILL)
        router.process.wait(60)
    if not happened:
        return False
    if not ready and fault.startswith('error') and 'state.db' not in router.said() and \
            'state directory' not in router.said():
        raise target.Failed(f'it does not say what is wrong: {router.said()}')
    lives.sound()
    router.start(router.is_ready)
    found = state_of(router)
    router.kill()
    if found != wanted:
        raise target.Failed(f'the next start has {found}, and not {wanted}')
    return True


def children(pid):
    return [int(child) for child in
            pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]
