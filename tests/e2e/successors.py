"""Daemons that take over from one another, as a test's own processes."""
import harness
from processes import Successor, become_reaper


class UpgradingTest(harness.E2ETest):
    """`self.router.process` is the one that serves."""

    @classmethod
    def setUpClass(cls):
        become_reaper()

    def upgrade(self, router):
        """The process that was replaced."""
        done = router.ctl('upgrade', '--json')
        self.assertEqual(done.returncode, 0, done)
        return self.replaced(router)

    def replaced(self, router):
        before = router.process
        router.process = Successor(router.status()['pid'])
        self.assertNotEqual(router.process.pid, before.pid)
        return before
