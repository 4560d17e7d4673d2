"""What runs is decided in bytes: real servers and models of known size under a budget."""
import contextlib
import json
import sqlite3

import harness
from harness import wait_for, write_model

# About 200 MiB each, all in all: two of them fit into 520 MiB, and three do not.
MIDDLING = ('--dim', '1024', '--layers', '6', '--ctx', '1024')


@harness.needs_llama_server
class BudgetTest(harness.E2ETest):
    def start(self, budget):
        self.router = self.daemon(config=f'[memory]\nbudget = {{ host = "{budget}" }}\n'
                                         '[queue]\nmin_residency = "0s"\n')
        for name in ('a', 'b', 'c'):
            write_model(self.router.models / f'{name}.gguf', *MIDDLING)
        return self.router

    def loaded(self):
        return sorted(item['model'] for item in self.router.get('/control/v1/instances')['items'])

    def ask(self, *models):
        for model in models:
            response = self.router.chat(model, max_tokens=1)
            self.assertEqual(response.status, 200, response)

    def test_two_that_fit_stay_and_a_third_takes_the_place_of_the_one_less_asked_for(self):
        self.start('520MiB').start()
        self.ask('a', 'b')
        self.assertEqual(self.loaded(), ['a', 'b'])
        self.ask(*['a'] * 20)
        self.ask('c')
        self.assertEqual(self.loaded(), ['a', 'c'])
        events = self.router.ctl('events', '--format', 'json').stdout
        self.assertIn('makes_room', events)

    def test_what_would_never_fit_is_refused_at_once_and_costs_nobody_a_place(self):
        router = self.start('520MiB')
        write_model(router.models / 'huge.gguf', '--dim', '1024', '--layers', '40', '--ctx', '1024')
        router.start()
        self.ask('a')
        response = router.chat('huge')
        self.assertEqual(response.status, 503, response)
        error = response.json()['error']
        self.assertEqual(error['code'], 'would_not_fit')
        self.assertGreater(error['required_mb'], 800)
        self.assertLessEqual(error['available_mb'], 520)
        self.assertEqual(error['loaded_models'], ['a'])
        self.assertIn('retry-after', response.headers)
        self.assertEqual(self.loaded(), ['a'])
        run = router.ctl('load', 'huge', '--wait')
        self.assertEqual(run.returncode, 5, run.stderr)

    def test_a_context_that_nobody_asked_for_is_made_to_fit(self):
        router = self.start('520MiB')
        write_model(router.models / 'long.gguf', '--dim', '1024', '--layers', '6', '--ctx', '131072')
        router.start()
        command = router.ctl('show', 'long', '--cmdline').stdout.split()
        context = int(command[command.index('-c') + 1])
        self.assertTrue(4096 <= context < 131072, context)
        self.ask('long')
        self.assertEqual(router.instance('long')['context'], context)

    def estimate(self, model):
        run = self.router.ctl('estimate', model, '--json')
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def corrections(self):
        with contextlib.closing(sqlite3.connect(self.router.state / 'state.db')) as database:
            return database.execute('SELECT count(*) FROM corrections').fetchone()[0]

    def test_what_a_load_taught_is_known_after_a_restart(self):
        router = self.start('520MiB').start()
        guessed = self.estimate('a')
        self.assertFalse(guessed['learned'])
        self.ask('a')
        wait_for(lambda: self.corrections() == 1, 'the correction to be written')
        router.ctl('unload', 'a')
        learned = self.estimate('a')
        self.assertTrue(learned['learned'])
        self.assertNotEqual(learned['devices'][0]['needed_bytes'],
                            guessed['devices'][0]['needed_bytes'])
        router.stop()
        router.start()
        again = self.estimate('a')
        self.assertTrue(again['learned'])
        self.assertEqual(again['devices'][0]['needed_bytes'],
                         learned['devices'][0]['needed_bytes'])


if __name__ == '__main__':
    harness.main()
