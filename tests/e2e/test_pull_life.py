"""Downloads, and what happens to the daemon and the disk meanwhile."""
import contextlib
import sqlite3
import subprocess
import unittest

import harness
from harness import wait_for
from origin import MIB, Fault, Origin
from successors import UpgradingTest
from test_killed import can_mount
from test_pull import PullTest, model


class InterruptedTest(PullTest):
    """What a daemon finds that was not there to see it."""

    def setUp(self):
        super().setUp()
        self.content = model(size=24 * MIB)
        self.origin = self.player(Origin())
        gate = self.origin.hold('/fox.gguf', 9 * MIB)
        url = self.origin.serve('/fox.gguf', self.content)
        self.start(self.origin)
        self.number = self.begin(url)
        wait_for(lambda: self.pull(self.number)['done'] == 9 * MIB, 'all that was sent to be here')
        self.gate = gate

    def come_back(self):
        """The same origin, after it was away."""
        back = self.player(Origin(port=self.origin.port))
        back.serve('/fox.gguf', self.content)
        return back

    def test_a_power_cut_takes_what_had_not_reached_the_disk(self):
        self.router.kill()
        with contextlib.closing(sqlite3.connect(self.router.state / 'state.db')) as database:
            database.execute("UPDATE transfers SET boot_id = 'of another boot', synced = ?",
                             (f'0-{MIB}',))
            database.commit()
        part, = self.models.rglob('*.part')
        with open(part, 'r+b') as file:
            file.seek(MIB)
            file.write(bytes(8 * MIB))
        self.gate.open()
        self.router.start()
        self.assertEqual(self.wait_until(self.number)['state'], 'complete')
        self.assert_fetched(fox=self.content)
        self.assertEqual(self.origin.refetched('/fox.gguf'), 8 * MIB)

    def test_the_origin_is_away_when_it_starts_again(self):
        self.router.kill()
        self.origin.close()
        self.router.start()
        pull = self.wait_until(self.number, 'retrying')
        self.assertIn('connect', pull['error'].lower())
        self.come_back()
        self.assertEqual(self.wait_until(self.number)['state'], 'complete')
        self.assert_fetched(fox=self.content)

    def test_the_origin_goes_away_and_comes_back(self):
        self.origin.close()
        self.wait_until(self.number, 'retrying')
        back = self.come_back()
        self.assertEqual(self.wait_until(self.number)['state'], 'complete')
        self.assert_fetched(fox=self.content)
        self.assertLessEqual(back.bytes_sent('/fox.gguf'), len(self.content) - 9 * MIB)

    def test_events_tell_of_it(self):
        self.ask('POST', f'/{self.number}/pause')
        self.gate.open()
        self.ask('POST', f'/{self.number}/resume')
        self.wait_until(self.number, 'complete')
        told = lambda: self.router.get('/control/v1/events?type=pull')['items']
        wait_for(lambda: told()[-1]['type'] == 'pull.complete', 'the last event')
        events = told()
        self.assertEqual([event['type'] for event in events],
                         ['pull.begun', 'pull.paused', 'pull.resumed', 'pull.complete'])
        self.assertEqual(events[-1]['model'], 'fox')
        self.assertEqual({dict(event['details'])['pull'] for event in events}, {self.number})


class UpgradeTest(PullTest, UpgradingTest):
    def test_a_download_goes_on_in_the_next_process(self):
        content = model(size=24 * MIB)
        origin = self.player(Origin())
        gate = origin.hold('/fox.gguf', 9 * MIB)
        url = origin.serve('/fox.gguf', content)
        self.start(origin)
        number = self.begin(url)
        wait_for(lambda: self.pull(number)['done'] == 9 * MIB, 'all that was sent to be here')
        before = self.upgrade(self.router)
        self.assertEqual(before.wait(60), 0)
        gate.open()
        self.assertEqual(self.wait_until(number)['state'], 'complete')
        self.assert_fetched(fox=content)
        self.assertLessEqual(origin.refetched('/fox.gguf'), 8 * MIB)


@unittest.skipUnless(can_mount(), 'a small file system of its own needs root, who may mount')
class SmallDiskTest(PullTest):
    def setUp(self):
        super().setUp()
        self.models.mkdir(parents=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'none', self.models], check=True)
        self.addCleanup(subprocess.run, ['umount', '--lazy', self.models], check=True)

    def test_a_disk_that_fills_pauses_it(self):
        """The origin does not say how large it is, so nobody could know before."""
        origin = self.player(Origin())
        content = model(size=8 * MIB)
        url = origin.serve('/fox.gguf', content, Fault(framing='chunked'))
        self.start(origin)
        number = self.begin(url)
        pull = self.wait_until(number, 'paused')
        self.assertIn('disk full', pull['error'])
        self.assertIn(f'routerctl pulls resume {number}', pull['hint'])
        self.assertEqual(self.digests(), {})
        subprocess.run(['mount', '-o', 'remount,size=32m', self.models], check=True)
        self.ask('POST', f'/{number}/resume')
        self.assertEqual(self.wait_until(number)['state'], 'complete')
        self.assert_fetched(fox=content)


if __name__ == '__main__':
    harness.main()
