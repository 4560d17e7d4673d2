"""What the daemon remembers: the default model, overrides and running servers, over swaps, restarts
and kill -9."""
import json
import os
import signal

import harness
from harness import SLOW, TEXT, chat_text, is_alive, wait_for, write_model

OTHER = 'Pack my box with five dozen liquor jugs, and do it before noon.'
ONE_AT_A_TIME = '[limits]\nmax_loaded = 1\n[queue]\nmin_residency = "0s"\nmax_wait = "100ms"'


class SwitchingTest(harness.E2ETest):
    def two_models(self, config=''):
        router = self.daemon(config)
        write_model(router.models / 'fox.gguf')
        write_model(router.models / 'box.gguf', text=OTHER)
        return router.start()

    def ctl(self, router, *arguments):
        run = router.ctl(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        return run.stdout

    def loaded(self, router):
        return sorted(item['model'] for item in router.get('/control/v1/instances')['items']
                      if item['state'] == 'ready')


@harness.needs_llama_server
class SwapTest(SwitchingTest):
    def test_two_models_take_turns(self):
        router = self.two_models(ONE_AT_A_TIME)
        for _ in range(5):
            self.assertEqual(chat_text(router.chat('fox')), TEXT)
            self.assertEqual(self.loaded(router), ['fox'])
            self.assertEqual(chat_text(router.chat('box', stream=True)), OTHER)
            self.assertEqual(self.loaded(router), ['box'])
        self.assertEqual(len(router.servers()), 1)

    def test_many_clients_of_two_models_are_all_served(self):
        router = self.two_models(ONE_AT_A_TIME)
        answers = self.together(16, lambda i: router.chat('fox' if i % 2 else 'box'))
        for index, answer in enumerate(answers):
            self.assertEqual(chat_text(answer), TEXT if index % 2 else OTHER)

    def test_a_swap_waits_for_the_answer_in_flight(self):
        router = self.daemon(ONE_AT_A_TIME)
        write_model(router.models / 'slow.gguf', *SLOW)
        write_model(router.models / 'box.gguf', text=OTHER)
        router.start()
        client = router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.assertEqual(chat_text(router.chat('box')), OTHER)
        client.read_until(b'data: [DONE]')
        client.close()


@harness.needs_llama_server
class MemoryTest(SwitchingTest):
    def restart(self, router, how):
        """Ends the daemon in one of two ways, and starts it again."""
        self.assertIn(how, ('stop', 'kill'))
        getattr(router, how)()
        router.start()

    def test_a_switch_is_kept(self):
        for how in ('stop', 'kill'):
            with self.subTest(how):
                router = self.two_models()
                for name, text in (('box', OTHER), ('fox', TEXT)):
                    self.ctl(router, 'switch', name)
                    self.restart(router, how)
                    self.assertEqual(router.status()['default_model'], name)
                    self.assertEqual(chat_text(router.chat('')), text)
                self.doCleanups()
                self.setUp()

    def test_overrides_are_kept(self):
        for how in ('stop', 'kill'):
            with self.subTest(how):
                router = self.two_models()
                self.ctl(router, 'tier', 'fox', 'powerful')
                self.ctl(router, 'disable', 'box')
                self.ctl(router, 'alias', 'fox', 'reynard')
                self.ctl(router, 'set', 'fox', 'context=1024')
                self.restart(router, how)
                fox = json.loads(self.ctl(router, 'show', 'fox', '--format', 'json'))
                self.assertEqual((fox['tier'], fox['tier_overridden']), ('powerful', True))
                self.assertIn('reynard', fox['aliases'])
                self.assertEqual(fox['overrides']['context'], '1024')
                box = json.loads(self.ctl(router, 'show', 'box', '--format', 'json'))
                self.assertFalse(box['enabled'])
                self.doCleanups()
                self.setUp()

    def test_running_servers_are_adopted_after_a_kill(self):
        router = self.two_models()
        router.chat('fox')
        router.chat('box')
        before = {name: router.instance(name)['pid'] for name in ('fox', 'box')}
        router.kill()
        self.assertTrue(all(is_alive(pid) for pid in before.values()))
        router.start()
        for name, text in (('fox', TEXT), ('box', OTHER)):
            answer = router.chat(name)
            self.assertEqual(chat_text(answer), text)
            self.assertEqual(int(answer.headers['x-router-load-ms']), 0)
            self.assertEqual(router.instance(name)['pid'], before[name])
        self.assertEqual(router.stop(), 0)
        self.assertEqual(router.servers(), [])

    def test_a_server_that_died_with_the_daemon_is_forgotten(self):
        router = self.two_models()
        router.chat('fox')
        pid = router.instance('fox')['pid']
        router.kill()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid), 'the server to be gone')
        router.start()
        self.assertIsNone(router.instance('fox'))
        self.assertEqual(chat_text(router.chat('fox')), TEXT)

    def test_a_clean_stop_leaves_no_server(self):
        router = self.two_models()
        router.chat('fox')
        router.chat('box')
        self.assertEqual(len(router.servers()), 2)
        self.assertEqual(router.stop(), 0)
        self.assertEqual(router.servers(), [])

    def test_shutdown_waits_for_the_end_and_leaves_no_server(self):
        router = self.two_models()
        router.chat('fox')
        said = self.ctl(router, 'shutdown')
        self.assertEqual(router.process.wait(0), 0)
        self.assertIn('has stopped', said)
        self.assertIn('stopped: fox', said)
        self.assertEqual(router.servers(), [])
        self.assertEqual(router.ctl('shutdown').returncode, 6)

    def test_shutdown_can_leave_the_models_to_the_next_daemon(self):
        router = self.two_models()
        write_model(router.models / 'slow.gguf', *SLOW, text=' '.join([TEXT] * 4))
        self.ctl(router, 'rescan')
        router.chat('fox')
        stream = router.raw_chat('slow', stream=True)
        stream.read_until(b'"content"')
        before = {name: router.instance(name)['pid'] for name in ('fox', 'slow')}
        said = self.ctl(router, 'shutdown', '--keep-models')
        self.assertEqual(router.process.wait(0), 0)
        for name in before:
            self.assertIn(f'goes on: {name}', said)
        received = stream.read_to_end()  # a stream that runs is not cut by it
        stream.close()
        self.assertIn(b'[DONE]', received)
        self.assertTrue(received.endswith(b'0\r\n\r\n'))
        self.assertCountEqual(router.servers(), before.values())
        router.start()
        for name, pid in before.items():
            self.assertEqual(router.chat(name, max_tokens=4).status, 200)
            self.assertEqual(router.instance(name)['pid'], pid)

    def test_a_profile_survives_a_kill(self):
        router = self.two_models()
        self.ctl(router, 'profile', 'create', 'boxes', '--enable', 'box', '--default', 'box')
        self.ctl(router, 'switch', 'fox')
        self.ctl(router, 'profile', 'use', 'boxes')
        router.kill()
        router.start()
        status = router.status()
        self.assertEqual((status['active_profile'], status['default_model']), ('boxes', 'box'))
        self.assertEqual(router.chat('fox').status, 404)


if __name__ == '__main__':
    harness.main()
