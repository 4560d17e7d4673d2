"""Downloads, and kills at any moment of them: each goes on by itself, and loses little."""
import collections
import json
import random
import subprocess
import time

import target
from origin import MIB, Origin, Watch, made_up, sha256
from processes import wait_for

SIZE = 96 * MIB
LOST = 8 * MIB  # bytes that may be fetched again after a kill
RATE = 6 * MIB  # bytes a second of a connection: what was sent is here, not on its way
CONNECTIONS = 8
LONGEST = 0.8  # seconds of a download before a kill
CONFIG = """
[pull]
dir = "{folder}/models"
connections = {connections}
stall_timeout = "5s"
allow = ["{origin}"]
"""


class Downloads:
    """One after the other, of one daemon and one origin; `again` has what each kill cost."""

    def __init__(self, router, origin, model):
        self.router, self.origin = router, origin
        self.folder = router.folder / 'models'
        self.content = model + made_up(SIZE - len(model), 1)
        self.digest = sha256(self.content)
        self.path, self.number, self.finished = None, None, 0
        self.again, self.owed, self.counted = [], 0, 0

    def begin(self):
        self.path = f'/m{self.finished}.gguf'
        self.owed = self.counted = 0
        url = self.origin.serve(self.path, self.content)
        asked = {'ref': url, 'sha256': self.digest}
        self.number = self.router.control('POST', 'pulls', json.dumps(asked))['id']

    def state(self):
        pull = self.router.control('GET', f'pulls/{self.number}')
        if pull['state'] in ('failed', 'paused'):
            raise target.Failed(f'pull {self.number} is {pull["state"]}: {pull["error"]}')
        return pull['state']

    def goes_on(self, before):
        return self.origin.bytes_sent(self.path) > before or self.state() == 'complete'

    def count(self):
        """What was fetched again since the last look. A kill's loss may be made good only after
        the next kill: so what all kills of this download may cost is what it is held against."""
        now = self.origin.refetched(self.path)
        self.again.append(now - self.counted)
        self.counted = now
        if now > self.owed:
            raise target.Failed(f'{self.path}: {now} bytes were fetched again, and {self.owed} '
                                'may be')

    def finish(self):
        """It is whole: what it is, and what it cost."""
        name = self.path[1:]
        found = sha256((self.folder / name).read_bytes())
        if found != self.digest:
            raise target.Failed(f'{name} has the digest {found}')
        self.count()
        (self.folder / name).unlink()
        self.router.control('DELETE', f'pulls/{self.number}')
        self.finished += 1
        self.path = None


def tiny_model(bench):
    path = bench.folder / 'tiny.gguf'
    subprocess.run([bench.arguments.tiny_model, path], check=True, stdout=subprocess.DEVNULL)
    return path.read_bytes()


def wrong_ones(watch, digest):
    return [f'{path.name} was seen with other content' for path, digests in dict(watch.seen).items()
            if digests != {digest}]


def wait_until_ready(router):
    def look():
        if router.process.poll() is not None:
            raise target.Failed(f'it ended with {router.process.returncode}: {router.said()}')
        try:
            return router.is_ready()
        except OSError:
            return False

    wait_for(look, 'the daemon to be ready')


def killed(bench, kills=100):
    """The kills are what is counted: a download that ends before its kill makes room for the
    next."""
    kills = 5 if bench.short else kills
    chance, moments = random.Random(kills), collections.Counter()
    origin = Origin(rate=RATE)
    bench.cleanup.callback(origin.close)
    router = bench.router('pulls', models=(), preload=())
    with open(router.folder / '.config/routerd/routerd.toml', 'a') as config:
        config.write(CONFIG.format(folder=router.folder, connections=CONNECTIONS,
                                   origin=origin.origin))
    downloads = Downloads(router, origin, tiny_model(bench))
    watch = Watch(downloads.folder)
    bench.cleanup.callback(watch.close)
    while sum(moments.values()) < kills:
        router.launch()
        if downloads.path and chance.random() < 0.1:
            time.sleep(chance.uniform(0, 0.1))
            kill(router, downloads)
            moments['while it starts'] += 1
            continue
        wait_until_ready(router)
        if downloads.path is None:
            downloads.begin()
        else:
            before = origin.bytes_sent(downloads.path)
            wait_for(lambda: downloads.goes_on(before), 'the download to go on by itself')
        time.sleep(chance.uniform(0, LONGEST))
        if downloads.state() == 'complete':
            downloads.finish()
            router.stop()
            continue
        kill(router, downloads)
        moments['under way'] += 1
        faults = wrong_ones(watch, downloads.digest)
        if faults:
            raise target.Failed('; '.join(faults))
        if sum(moments.values()) % 20 == 0:
            bench.note(f'{sum(moments.values())} kills, {downloads.finished} downloads, '
                       f'{max(downloads.again, default=0) >> 10} KiB again at most')
    if downloads.path:
        router.launch()
        wait_until_ready(router)
        wait_for(lambda: downloads.state() == 'complete', 'the last download to be whole', 120)
        downloads.finish()
    faults = wrong_ones(watch, downloads.digest)
    again = downloads.again or [0]
    return bench.verdict(
        not faults and watch.looks > kills,
        f'{kills} kills, {moments["while it starts"]} of them while it starts; '
        f'{downloads.finished} downloads of {SIZE // MIB} MiB went on by themselves and are whole; '
        f'fetched again {sum(again) / kills / MIB:.1f} MiB a kill, {max(again) / MIB:.1f} at most; '
        f'{"; ".join(faults) or "none was visible before"}')


def kill(router, downloads):
    router.kill()
    if router.process.returncode != -9:
        raise target.Failed(f'it ended with {router.process.returncode} before the kill')
    downloads.count()
    downloads.owed += LOST
