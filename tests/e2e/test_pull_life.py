"""Downloads, and what happens to the daemon and the disk meanwhile."""
import subprocess
import unittest

import harness
from harness import wait_for
from origin import MIB, Fault, Origin
from successors import UpgradingTest
from test_killed import can_mount
from test_pull import PullTest, model


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
