"""What a kill, a full disk and a broken disk may not do, in short; tests/soak/killed does it long."""
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from harness import SLOW, TEXT, chat_text, sse_events, wait_for, write_model


class KilledTest(harness.SoakTest):
    program = 'killed'

    def test_changes_that_were_acknowledged_are_kept(self):
        self.run_short('changes')

    def test_each_write_that_fails_leaves_all_or_nothing(self):
        self.run_short('faults')

    def test_servers_are_adopted_and_nobody_is_left_over(self):
        self.run_short('servers')

    def test_loads_and_unloads_leave_nothing(self):
        self.run_short('cycles')

    def test_a_flood_of_log_costs_little(self):
        self.run_short('flood')


def can_mount():
    return os.geteuid() == 0 and shutil.which('unshare') is not None and subprocess.run(
        ['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@harness.needs_llama_server
@unittest.skipUnless(can_mount(), 'a small file system of its own needs root, who may mount')
class FullDiskTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon('[limits]\nprobe_interval = "200ms"\n')
        write_model(self.router.models / 'fox.gguf')
        write_model(self.router.models / 'late.gguf')
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        self.router.state.mkdir(parents=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=700', 'none',
                        self.router.state], check=True)
        self.addCleanup(subprocess.run, ['umount', '--lazy', self.router.state], check=True)

    def _end(self, daemon):
        self.empty()  # whatever came before, a clean stop is wanted
        super()._end(daemon)

    @property
    def filler(self):
        return pathlib.Path(self.router.state / 'filler')

    def fill(self):
        with open(self.filler, 'wb', buffering=0) as file:
            for size in (65536, 512, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    pass

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def test_a_full_disk_refuses_changes_and_nothing_else(self):
        router = self.router.start()
        router.ctl('load', 'fox')
        stream = router.raw_chat('slow', stream=True, max_tokens=400)
        stream.read_until(b'"content"')
        router.ctl('alias', 'fox', 'reynard')
        self.fill()

        def refused():  # there may be room yet in the log of the database
            done = router.ctl('set', 'fox', f'context={1024 + len(tried)}')
            tried.append(done)
            return done if done.returncode else None

        tried = []
        done = wait_for(refused, 'a change to be refused')
        self.assertEqual(done.returncode, 1, done)
        self.assertIn('disk full', done.stderr)
        self.assertIn(str(router.state), done.stderr)
        kept = router.get('/control/v1/models/fox')
        self.assertIn('reynard', kept['aliases'])
        self.assertEqual(router.ctl('ls').returncode, 0)
        self.assertEqual(router.ctl('profile', 'ls').returncode, 0)
        self.assertEqual(chat_text(router.chat('reynard')), TEXT)
        self.assertEqual(chat_text(router.chat('late')), TEXT, 'a model that was not loaded')
        self.assertEqual(router.ctl('profile', 'create', 'p').returncode, 1)

        received = stream.read_to_end()
        stream.close()
        self.assertTrue(received.endswith(b'0\r\n\r\n'), received[-500:])
        body = received.partition(b'\r\n\r\n')[2].decode()
        self.assertEqual(sse_events(body)[-1][1], '[DONE]')

        self.empty()
        done = router.ctl('set', 'fox', 'context=512')
        self.assertEqual(done.returncode, 0, done)
        wait_for(lambda: "'late' is remembered" in router.log.read_text(), 'the row of the server')
        late = router.instance('late')['pid']
        router.kill()
        router.start()
        self.assertEqual(router.instance('late')['pid'], late)
        fox = router.get('/control/v1/models/fox')
        self.assertEqual(fox['overrides']['context'], '512')
        self.assertIn('reynard', fox['aliases'])

    def test_a_daemon_that_starts_on_a_full_disk_says_so(self):
        self.fill()
        status, said = self.router.run_to_end()
        self.assertEqual(status, 1, said)
        self.assertIn('disk full', said)
        self.empty()
        self.router.start()
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)


@harness.needs_llama_server
class DamagedDatabaseTest(harness.E2ETest):
    def test_it_is_set_aside_and_the_user_is_told_what_is_lost(self):
        router = self.daemon('[model.fox]\naliases = ["configured"]\n')
        write_model(router.models / 'fox.gguf')
        router.start()
        router.ctl('alias', 'fox', 'reynard')
        router.ctl('profile', 'create', 'p')
        router.chat('fox')
        server = router.instance('fox')['pid']
        router.kill()
        for path in router.state.glob('state.db*'):
            content = bytearray(path.read_bytes())
            content[:] = bytes(byte ^ 0x55 for byte in content)
            path.write_bytes(content)
        damaged = (router.state / 'state.db').read_bytes()
        router.start()
        aside = [path for path in router.state.glob('state.db.corrupt*')
                 if not path.name.endswith(('-wal', '-shm'))]
        self.assertEqual(len(aside), 1)
        self.assertEqual(aside[0].read_bytes(), damaged)
        status = router.status()
        self.assertEqual(status['state'], 'degraded')
        problem, = [text for text in status['problems'] if str(aside[0]) in text]
        for word in ('overrides', 'profiles', 'default model'):
            self.assertIn(word, problem)
        self.assertIn(str(aside[0]), router.ctl('status').stdout)
        self.assertIn(str(aside[0]), router.ctl('doctor').stdout)
        self.assertEqual(router.get('/control/v1/models/fox')['aliases'], ['configured'])
        self.assertNotIn(server, router.servers(), 'a server that nobody knows is left')
        self.assertEqual(chat_text(router.chat('configured')), TEXT)


if __name__ == '__main__':
    harness.main()
