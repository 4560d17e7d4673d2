"""What may never break, and what may be costly, in short; tests/soak/held does it for long."""
import subprocess
import sys
import unittest

import harness

PROGRAM = harness.ROOT / 'tests/soak/held'


class HeldTest(unittest.TestCase):
    def hold(self, case):
        done = subprocess.run([sys.executable, PROGRAM, '--short', '--routerd', harness.ROUTERD,
                               '--tiny-model', harness.TINY_MODEL, case],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_streams_that_are_held_are_whole(self):
        self.hold('hold')

    def test_streams_that_come_and_go_are_whole(self):
        self.hold('pass')

    def test_slow_clients_are_held_while_others_are_answered(self):
        self.hold('slow')

    def test_a_client_that_does_not_read_costs_little(self):
        self.hold('deaf')

    def test_a_request_costs_no_more_than_ten_times_its_bytes(self):
        self.hold('size')

    def test_memory_does_not_grow_with_requests(self):
        self.hold('churn')


if __name__ == '__main__':
    harness.main()
