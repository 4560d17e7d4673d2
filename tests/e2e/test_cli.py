"""routerctl against a real daemon: what each command prints, where, and how it exits."""
import json
import os
import signal
import subprocess

import harness
from harness import TEXT, write_model


@harness.needs_llama_server
class CliTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()
        write_model(self.router.models / 'fox.gguf', '--name', 'Fox')
        write_model(self.router.models / 'box.gguf')
        self.router.start()

    def run_ok(self, *arguments, **options):
        run = self.router.ctl(*arguments, **options)
        self.assertEqual(run.returncode, 0, f'{arguments}: {run.stderr}')
        return run.stdout

    def run_json(self, *arguments):
        return json.loads(self.run_ok(*arguments, '--format', 'json'))

    def test_every_command_speaks_json(self):
        for command in (['status'], ['ls'], ['show', 'fox'], ['load', 'fox', '--wait'], ['ps'],
                        ['restart', 'fox'], ['switch', 'box', '--dry-run'], ['switch', 'box'],
                        ['rescan'], ['disable', 'fox'], ['enable', 'fox'], ['tier', 'fox', 'fast'],
                        ['thinking', 'fox', 'on'], ['pin', 'fox'], ['unpin', 'fox'],
                        ['alias', 'fox', 'reynard'], ['set', 'fox', 'context=2048'],
                        ['unset', 'fox', 'context'], ['profile', 'create', 'work'],
                        ['profile', 'ls'], ['profile', 'show', 'work'], ['profile', 'use', 'work'],
                        ['profile', 'use', '--none'], ['profile', 'rm', 'work'],
                        ['logs', 'box', '-n', '5'], ['config', 'check'], ['config', 'show'],
                        ['doctor'], ['version'], ['run', 'box', 'Hi'], ['unload', 'box']):
            with self.subTest(' '.join(command)):
                self.run_json(*command)

    def test_a_life(self):
        self.assertEqual(sorted(self.run_ok('ls', '-q').split()), ['box', 'fox'])
        self.assertEqual(self.run_ok('ps', '-q'), '')
        loaded = self.run_json('load', 'fox', '--wait')
        self.assertEqual((loaded['model'], loaded['state']), ('fox', 'ready'))
        self.assertEqual(self.run_ok('ps', '-q').split(), ['fox'])
        self.assertEqual(self.run_ok('run', 'fox', 'Who', 'are', 'you?'), TEXT + '\n')
        self.assertEqual(self.run_ok('run', 'fox', stdin='Who are you?'), TEXT + '\n')
        before = self.router.instance('fox')['pid']
        self.run_ok('restart', 'fox')
        harness.wait_for(lambda: (self.router.instance('fox') or {}).get('state') == 'ready',
                         'the restart')
        self.assertNotEqual(self.router.instance('fox')['pid'], before)
        self.run_ok('unload', '--all')
        self.assertEqual(self.run_ok('ps', '-q'), '')
        self.assertEqual(self.router.ctl('stop', 'fox').returncode, 3)

    def test_tables_can_be_cut_by_awk(self):
        self.run_ok('load', 'fox', '--wait')
        for command, headings in (
                ('ls', 'NAME QUANT PARAMS SIZE CTX TIER CAPS STATE SOURCE'),
                ('ps', 'NAME STATE SLOTS QUEUE MEM DEVICE CTX TOK/S UNTIL PID PORT')):
            first, *rows = self.run_ok(command).splitlines()
            self.assertEqual(first.split(), headings.split())
            self.assertIn('fox', [row.split()[0] for row in rows])

    def test_a_switch_tells_its_stages_and_their_times(self):
        run = self.router.ctl('switch', 'fox')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('fox', run.stdout)
        self.assertRegex(run.stderr, r'load fox.* [\d.]+ m?s\n')
        self.assertEqual(self.run_json('status')['default_model'], 'fox')
        plan = self.run_json('switch', 'box', '--dry-run')
        self.assertEqual((plan['model'], plan['load'], plan['evict']), ('box', True, []))
        self.assertEqual(self.run_json('status')['default_model'], 'fox')

    def test_the_command_line_shown_is_the_one_that_runs(self):
        self.run_ok('set', 'fox', 'context=2048', 'args=["--no-warmup"]')
        shown = self.run_json('show', 'fox')['cmdline']
        self.run_ok('load', 'fox', '--wait')
        pid = self.router.instance('fox')['pid']
        with open(f'/proc/{pid}/cmdline') as words:
            self.assertEqual(words.read().split('\0')[:-1], shown)
        self.assertIn('--no-warmup', shown)
        self.assertIn('--no-warmup', self.run_ok('show', 'fox', '--cmdline'))

    def test_exit_codes(self):
        for code, command in ((2, ['lss']), (2, ['load']), (4, ['load', 'nobody']),
                              (4, ['show', 'nobody']), (3, ['unload', 'fox']),
                              (4, ['profile', 'use', 'nobody']), (2, ['tier', 'fox', 'quick']),
                              (4, ['logs', 'nobody']), (4, ['switch', 'nobody'])):
            with self.subTest(' '.join(command)):
                run = self.router.ctl(*command)
                self.assertEqual(run.returncode, code, run.stderr + run.stdout)
                self.assertEqual(run.stdout, '')
                self.assertTrue(run.stderr)

    def test_an_unknown_name_is_answered_with_the_nearest(self):
        self.assertIn('fox', self.router.ctl('load', 'fxo').stderr)

    def test_logs_follow_the_server_until_interrupted(self):
        self.run_ok('load', 'fox', '--wait')
        follower = subprocess.Popen([harness.ROUTERCTL, 'logs', '-f', 'fox'], text=True,
                                    env=self.router.environment, stdout=subprocess.PIPE)
        self.addCleanup(follower.stdout.close)
        self.assertTrue(follower.stdout.readline())
        os.kill(follower.pid, signal.SIGINT)
        self.assertEqual(follower.wait(10), 130)

    def test_events_tell_of_a_load(self):
        follower = subprocess.Popen([harness.ROUTERCTL, 'events', '-f', '--format', 'json'],
                                    text=True, env=self.router.environment, stdout=subprocess.PIPE)
        self.addCleanup(follower.stdout.close)
        self.run_ok('load', 'fox', '--wait')
        self.run_ok('unload', 'fox')
        seen = set()
        while not {'instance.starting', 'instance.ready'} <= seen:
            seen.add(json.loads(follower.stdout.readline())['type'])
        follower.terminate()
        follower.wait(10)


if __name__ == '__main__':
    harness.main()
