"""HTTP that is not as it should be, by somebody else's cases; tests/soak/strict waits for deadlines too."""
import harness


class StrictTest(harness.SoakTest):
    program = 'strict'

    def test_what_is_malformed_is_refused_and_never_sent_on(self):
        self.run_short('cases')


if __name__ == '__main__':
    harness.main()
