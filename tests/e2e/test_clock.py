"""The clock on the wall is set, by days: nothing that waits ends early or late."""
import pathlib
import unittest

import harness
from harness import chat_body, wait_for, write_model
from scripted import Script

LIBRARIES = list(pathlib.Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'))
HOUR = 3_600_000  # ms
DAY = 86_400  # s


@unittest.skipUnless(LIBRARIES, 'no libfaketime, which sets the clock for one process')
class ClockTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.addCleanup(self.script.let_go)
        self.router = self.daemon(self.script.config('fox') + '[limits]\nidle_unload = "1h"\n',
                                  llama_server=self.script.program)
        write_model(self.router.models / 'fox.gguf')
        self.offset = self.home / 'offset'
        self.jump(0)
        environment = self.router.environment
        environment.update(LD_PRELOAD=str(LIBRARIES[0]), FAKETIME_NO_CACHE='1',
                           FAKETIME_TIMESTAMP_FILE=str(self.offset),
                           FAKETIME_DONT_FAKE_MONOTONIC='1', DONT_FAKE_MONOTONIC='1')
        if 'ASAN_OPTIONS' in environment or 'asan' in str(harness.BUILD):
            environment['ASAN_OPTIONS'] = ':'.join(
                filter(None, (environment.get('ASAN_OPTIONS'), 'verify_asan_link_order=0')))
        self.router.start()

    def jump(self, seconds):
        new = self.offset.with_suffix('.new')
        new.write_text(f'{seconds:+d}\n')
        new.rename(self.offset)

    @staticmethod
    def day_of(response):
        return response.headers['date'].split()[1]

    def test_it_jumps_under_a_stream_and_one_that_waits(self):
        router = self.router
        self.script.plan('held')
        stream = harness.RawClient(router.tcp_address(), chat_body('fox', True))
        self.addCleanup(stream.close)
        stream.read_until(b'"number":0')
        key = router.ctl('keys', 'create', 'k', '--expires', '36h')
        self.assertEqual(key.returncode, 0, key)
        router.ctl('keys', 'revoke', 'k')
        waiting = harness.RawClient(router.tcp_address(), chat_body('fox', True),
                                    headers={'X-Request-Timeout': '600'})
        self.addCleanup(waiting.close)
        wait_for(lambda: router.status()['requests']['queued'] == 1, 'the other to wait')
        server, seen = router.instance('fox')['pid'], set()
        for days in (1, -2, 3, 0):
            self.jump(days * DAY)
            answer = router.request('GET', '/control/v1/status', via='socket')
            seen.add(self.day_of(answer))
            status = answer.json()
            self.assertLess(status['uptime_ms'], HOUR)
            self.assertGreaterEqual(status['uptime_ms'], 0)
            self.assertEqual(status['requests']['queued'], 1, 'it was refused before its time')
            self.assertEqual(router.instance('fox')['pid'], server)
            before = len(stream.received)
            while len(stream.received) < before + 200:
                stream._read()
        self.assertEqual(len(seen), 4, 'the clock was not set at all')
        self.script.plan('stream')
        self.script.let_go()
        for one in (stream, waiting):
            self.assertTrue(one.read_to_end().endswith(b'0\r\n\r\n'))
        for item in wait_for(lambda: len(found := router.get('/control/v1/requests')['items']) == 2
                             and found, 'both to be in the history'):
            self.assertEqual(item['status'], 200)
            self.assertLess(item['took_ms'], HOUR)
            self.assertGreaterEqual(item['took_ms'], 0)
        self.assertEqual(router.chat('fox').status, 200)


if __name__ == '__main__':
    harness.main()
