"""Metrics and the history of requests, over a real server and a restart."""
import json
import re

import harness
from harness import wait_for, write_model


def samples(text):
    """{(name, labels as written): value} of Prometheus' text format."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith('#'):
            series, _, value = line.rpartition(' ')
            found[series] = float(value)
    return found


@harness.needs_llama_server
class TelemetryTest(harness.E2ETest):
    def start(self):
        router = self.daemon()
        write_model(router.models / 'a.gguf')
        self.router = router.start()
        return router

    def history(self, *arguments):
        run = self.router.ctl('requests', '--json', *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)['items']

    def metrics(self):
        response = self.router.request('GET', '/metrics')
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers['content-type'].startswith('text/plain; version=0.0.4'))
        return samples(response.body.decode())

    def test_a_request_is_counted_and_remembered(self):
        router = self.start()
        self.assertEqual(self.history(), [])
        self.assertEqual(router.chat('a', max_tokens=3).status, 200)
        self.assertEqual(router.chat('nobody', max_tokens=3).status, 404)
        failed, good = wait_for(lambda: len(self.history()) == 2 and self.history(), 'both')
        self.assertEqual((failed['status'], failed['model']), (404, None))
        self.assertIn('nobody', failed['error'])
        self.assertEqual((good['status'], good['model'], good['error']), (200, 'a', None))
        self.assertEqual(good['endpoint'], '/v1/chat/completions')
        self.assertGreater(good['took_ms'], 0)
        self.assertGreaterEqual(good['queued_ms'], good['loaded_ms'])
        self.assertEqual([row['status'] for row in self.history('--failed')], [404])
        self.assertEqual([row['status'] for row in self.history('--model', 'a')], [200])
        self.assertEqual(self.history('--slow', '1h'), [])
        self.assertNotIn('fox', json.dumps(self.history()), 'nothing of what was asked')

        now = self.metrics()
        self.assertEqual(now['router_models_loaded'], 1)
        self.assertEqual(now['router_request_duration_seconds_count{model="a"}'], 1)
        answered = [series for series in now
                    if re.match(r'router_requests_total\{.*model="a".*status="200"', series)]
        self.assertEqual([now[series] for series in answered], [1])
        self.assertFalse([series for series in now if 'nobody' in series])
        self.assertEqual(now['router_model_load_seconds_count{model="a"}'], 1)

    def test_the_history_survives_a_restart(self):
        router = self.start()
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        before = wait_for(self.history, 'it to be over')
        self.assertEqual(router.stop(), 0)
        router.start()
        self.assertEqual(self.history(), before)
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        after = wait_for(lambda: len(self.history()) == 2 and self.history(), 'the second')
        self.assertGreater(after[0]['id'], before[0]['id'])
        summary = router.request('GET', '/v1/telemetry/summary').json()
        self.assertEqual(summary['total']['requests'], 2)


if __name__ == '__main__':
    harness.main()
