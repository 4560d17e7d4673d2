"""What the router says of itself: memory, estimates, the queue, and why it did what it did."""
import http.client
import json
import threading

import harness
from harness import wait_for, write_model

# About 200 MiB each, all in all: two of them fit into 520 MiB, and three do not.
MIDDLING = ('--dim', '1024', '--layers', '6', '--ctx', '1024')


class Waiting:
    """A chat on a thread of its own. How it ended is in `outcome`: a Response, or what was raised."""

    def __init__(self, router, model, request_id):
        self.outcome = None

        def ask():
            try:
                self.outcome = router.request(
                    'POST', '/v1/chat/completions', harness.chat_body(model, max_tokens=1),
                    headers={'X-Request-ID': request_id})
            except (OSError, http.client.HTTPException) as error:
                self.outcome = error

        self.thread = threading.Thread(target=ask)
        self.thread.start()

    def end(self, seconds=60):
        self.thread.join(seconds)
        if self.thread.is_alive():
            raise AssertionError(f'the client still waits after {seconds} s')
        return self.outcome


@harness.needs_llama_server
class ExplainTest(harness.E2ETest):
    def start(self, models, **options):
        router = self.daemon(config='[memory]\nbudget = { host = "520MiB" }\n'
                                    '[queue]\nmin_residency = "0s"\n', **options)
        for name in models:
            write_model(router.models / f'{name}.gguf', *MIDDLING)
        self.router = router.start()
        return router

    def ctl(self, *arguments, status=0):
        run = self.router.ctl(*arguments)
        self.assertEqual(run.returncode, status, f'{arguments}: {run.stdout}{run.stderr}')
        return run.stdout

    def json(self, *arguments, status=0):
        return json.loads(self.ctl(*arguments, '--json', status=status))

    def ask(self, *models):
        for model in models:
            response = self.router.chat(model, max_tokens=1)
            self.assertEqual(response.status, 200, response)

    def decisions(self, name):
        return self.json('why', name)['items']

    def test_memory_and_estimates_follow_what_is_loaded(self):
        self.start(['a', 'b', 'c'])
        before = self.json('estimate', 'a')
        self.assertEqual(before['verdict'], 'fits')
        self.assertFalse(before['learned'])
        self.assertEqual([row['device'] for row in before['devices']], ['host'])
        self.assertGreater(before['devices'][0]['weights_bytes'], 100 << 20)
        self.assertEqual(self.json('memory')['items'][0]['models'], [])

        self.ask('a')
        loaded = self.json('estimate', 'a')
        self.assertEqual(loaded['verdict'], 'loaded')
        self.assertTrue(loaded['learned'])
        host = self.json('vram')['items'][0]
        self.assertEqual([holder['model'] for holder in host['models']], ['a'])
        self.assertLessEqual(host['usable_bytes'], 520 << 20)
        self.assertGreater(host['reserved_bytes'], 100 << 20)
        self.assertEqual(host['free_bytes'],
                         host['usable_bytes'] - host['foreign_bytes'] - host['reserved_bytes'])
        self.assertLess(self.json('estimate', 'b')['devices'][0]['free_bytes'],
                        before['devices'][0]['free_bytes'])

        self.ask('b')
        evicts = self.json('estimate', 'c')
        self.assertEqual(evicts['verdict'], 'evicts')
        self.assertEqual(len(evicts['evict']), 1, evicts)
        self.assertIn("makes room for 'c'", evicts['evict'][0]['reason'])
        text = self.ctl('estimate', 'c')
        self.assertIn('c: evicts: ', text)
        self.assertIn(f'would unload {evicts["evict"][0]["model"]}: ', text)
        self.assertEqual(sorted(holder['model'] for holder in
                                self.json('memory')['items'][0]['models']), ['a', 'b'])

    def test_an_estimate_refuses_what_would_never_fit(self):
        router = self.start(['a'])
        write_model(router.models / 'huge.gguf', '--dim', '1024', '--layers', '40', '--ctx', '1024')
        self.ctl('rescan')
        huge = self.json('estimate', 'huge', status=5)
        self.assertEqual(huge['verdict'], 'would_not_fit')
        self.assertIn("on 'host'", huge['reason'])
        self.assertEqual(self.json('estimate', 'a')['verdict'], 'fits')
        wide = self.json('estimate', 'a', '--parallel', '64', '--ctx', '8192', status=5)
        self.assertEqual(wide['slots'], 64)
        self.assertEqual(wide['verdict'], 'would_not_fit')
        self.ctl('estimate', 'none', status=4)
        self.ctl('estimate', 'a', '--cache-type', 'q9', status=2)

    def test_a_request_that_waits_is_listed_and_can_be_cancelled(self):
        gate = self.gate()
        router = self.start(['a'], llama_server=gate.program)
        gate.shut()
        waiting = Waiting(router, 'a', 'req-waits')
        other = Waiting(router, 'a', 'req-other')
        wait_for(lambda: len(self.json('queue')['items']) == 2, 'both requests to wait')
        rows = {row['id']: row for row in self.json('queue', 'ls')['items']}
        self.assertEqual(sorted(rows), ['req-other', 'req-waits'])
        self.assertEqual(rows['req-waits']['model'], 'a')
        self.assertEqual(sorted(row['position'] for row in rows.values()), [1, 2])
        self.assertIn('req-waits', self.ctl('queue'))

        self.assertEqual(self.ctl('queue', 'cancel', 'req-waits'), 'req-waits\n')
        outcome = waiting.end()  # while the gate is shut: nothing else can end it
        self.assertEqual(outcome.status, 499, outcome)
        self.assertIn('taken out of the queue', outcome.json()['error']['message'])
        self.ctl('queue', 'cancel', 'req-waits', status=4)
        self.assertEqual([row['id'] for row in self.json('queue')['items']], ['req-other'])
        gate.open()
        self.assertEqual(other.end().status, 200)
        self.assertEqual(self.json('queue')['items'], [])
        self.assertEqual([row['type'] for row in self.decisions('req-waits')
                          if row['request'] == 'req-waits'],
                         ['request.waits', 'request.cancelled'])

    def test_why_names_the_eviction_and_its_reason(self):
        self.start(['a', 'b', 'c'])
        self.ask('a', 'b', *['a'] * 20, 'c')
        rows = self.decisions('b')
        evicted = [row for row in rows if row['type'] == 'instance.stopping']
        self.assertEqual(len(evicted), 1, rows)
        self.assertEqual(evicted[0]['details']['reason'], 'makes_room')
        self.assertEqual(evicted[0]['details']['other'], 'c')
        self.assertIn("makes room for 'c'", self.ctl('why', 'b'))
        self.assertIn("makes room for 'c'", self.ctl('why', 'c'), 'it is told to both')
        numbers = [row['id'] for row in rows]
        self.assertEqual(numbers, sorted(numbers))

    def test_why_tells_what_a_request_waited_for(self):
        router = self.start(['a'])
        self.assertEqual(Waiting(router, 'a', 'req-first').end().status, 200)
        self.assertEqual(Waiting(router, 'a', 'req-second').end().status, 200)
        first = self.decisions('req-first')
        self.assertEqual([row['type'] for row in first],
                         ['request.waits', 'instance.starting', 'instance.ready',
                          'request.granted'])
        self.assertEqual(first[0]['details']['waits_for'], 'loading')
        self.assertGreater(int(first[-1]['details']['loaded_ms']), 0)
        self.assertEqual(len(self.decisions('req-second')), 1)
        self.assertIn('at once', self.ctl('why', 'req-second'))
        self.ctl('why', 'req-never', status=4)


if __name__ == '__main__':
    harness.main()
