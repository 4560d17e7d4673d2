"""What may never break, and what may be costly, in short; tests/soak/held does it for long."""
import harness


class HeldTest(harness.SoakTest):
    program = 'held'

    def test_streams_that_are_held_are_whole(self):
        self.run_short('hold')

    def test_streams_that_come_and_go_are_whole(self):
        self.run_short('pass')

    def test_slow_clients_are_held_while_others_are_answered(self):
        self.run_short('slow')

    def test_a_client_that_does_not_read_costs_little(self):
        self.run_short('deaf')

    def test_a_request_costs_no_more_than_ten_times_its_bytes(self):
        self.run_short('size')

    def test_memory_does_not_grow_with_requests(self):
        self.run_short('churn')


if __name__ == '__main__':
    harness.main()
