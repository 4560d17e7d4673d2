"""What a model is thought to need against what a real server takes: the quickest models of
estimates.py, which compares many more."""
import unittest

import estimates
import harness


@harness.needs_llama_server
class EstimateTest(harness.E2ETest):
    def test_is_near_before_a_load_and_very_near_after_one(self):
        for name, shape, arguments in estimates.MODELS:
            if name not in estimates.QUICK:
                continue
            with self.subTest(name):
                fresh, learned, first, again = estimates.compare(self.home, shape, arguments)
                self.assertTrue(estimates.is_near(fresh['resident'], first),
                                f'{fresh} for {first} bytes')
                self.assertLess(abs(learned['resident'] / again - 1), estimates.LEARNED,
                                f'{learned} for {again} bytes')


if __name__ == '__main__':
    harness.main()
