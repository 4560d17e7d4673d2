"""Who goes next: real servers, clients that push, and memory that others take."""
import os
import subprocess
import sys
import threading
import unittest

import harness
from harness import SLOW, RawClient, chat_body, wait_for, write_model

# About 200 MiB, all in all.
MIDDLING = ('--dim', '1024', '--layers', '6', '--ctx', '1024')
GIB = 1 << 30

# Takes so many bytes, says so, and keeps them until its input ends.
HOG = """
import sys
size = int(sys.argv[1])
hoard = bytearray(size)
for i in range(0, size, 4096):
    hoard[i] = 1
print('taken', flush=True)
sys.stdin.read()
"""


class Hog:
    """Somebody else's process that needs memory."""

    def __init__(self, size):
        self.process = subprocess.Popen([sys.executable, '-c', HOG, str(size)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def leave(self):
        self.process.communicate('')


class SchedulingTest(harness.E2ETest):
    def waiting(self, router):
        return router.get('/control/v1/queue')['items']

    def in_background(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        thread.start()
        self.addCleanup(thread.join)
        return thread


@harness.needs_llama_server
class TurnsTest(SchedulingTest):
    def test_a_waiter_is_served_although_four_clients_hammer_another_model(self):
        router = self.daemon(config='[memory]\nbudget = { host = "320MiB" }\n'
                                    '[queue]\nmax_wait = "1s"\nmin_residency = "0s"\n')
        for name in ('a', 'b'):
            write_model(router.models / f'{name}.gguf', *MIDDLING)
        router.start()
        served, failed, enough = [], [], threading.Event()

        def hammer():
            while not enough.is_set():
                response = router.chat('a', max_tokens=4)
                (served if response.status == 200 else failed).append(response)

        for _ in range(4):
            self.in_background(hammer)
        self.addCleanup(enough.set)
        wait_for(lambda: len(served) >= 8, 'the hammering to be under way')
        before = len(served)
        response = router.chat('b', max_tokens=1)
        self.assertEqual(response.status, 200, response)
        waited = int(response.headers['x-router-queue-ms']) - int(
            response.headers['x-router-load-ms'])
        # It may also have had to wait for the end of what ran, and of the server.
        self.assertLess(waited, 1000 + 20000)
        wait_for(lambda: len(served) >= before + 8, 'the others to be served again')
        enough.set()
        self.assertEqual(failed, [])
        # On a machine that is slow enough all four pause at once, and no door has to be closed.
        self.assertRegex(router.ctl('events', '--format', 'json').stdout, 'door_closed|makes_room')

    def test_high_overtakes_low(self):
        router = self.daemon()
        write_model(router.models / 'a.gguf', '--loop', *SLOW)  # the first ends when it is told to
        router.start()
        first = RawClient(router.tcp_address(), chat_body('a', stream=True, max_tokens=4000))
        self.addCleanup(first.close)
        first.read_until(b'data:')
        ended = []

        def ask(priority):
            response = router.chat('a', max_tokens=1, headers={'X-Request-Priority': priority})
            ended.append((priority, response.status))

        for number, priority in enumerate(('low', 'normal', 'high')):
            self.in_background(ask, priority)
            wait_for(lambda: len(self.waiting(router)) == number + 1, 'the request to wait')
        self.assertEqual([item['priority'] for item in self.waiting(router)],
                         ['high', 'normal', 'low'])
        first.close()
        wait_for(lambda: len(ended) == 3, 'all to be answered')
        self.assertEqual(ended, [('high', 200), ('normal', 200), ('low', 200)])

    def test_keys_take_turns_however_much_one_of_them_asks(self):
        router = self.daemon()
        keys = router.home / 'keys'
        keys.write_text('key-of-many\nkey-of-few\n')
        keys.chmod(0o600)
        router.configure(f'[auth]\nkeys_file = "{keys}"\n', harness.LLAMA_SERVER)
        write_model(router.models / 'a.gguf', '--loop', *SLOW)
        router.start()

        def headers(key):
            return {'Authorization': f'Bearer key-of-{key}'}

        started = router.chat('a', max_tokens=1, headers=headers('many'))
        self.assertEqual(started.status, 200, started)
        ended = []

        def ask(key, tokens):
            response = router.chat('a', max_tokens=tokens, headers=headers(key))
            ended.append((key, response.status))

        self.in_background(ask, 'many', 300)
        wait_for(lambda: router.instance('a')['busy'] == 1, 'the first request to run')
        for number in range(4):
            self.in_background(ask, 'many', 8)
            wait_for(lambda: len(self.waiting(router)) == number + 1, 'the request to wait')
        self.in_background(ask, 'few', 8)
        wait_for(lambda: len(ended) == 6, 'all to be answered')
        self.assertEqual({status for _, status in ended}, {200})
        self.assertLessEqual([key for key, _ in ended].index('few'), 2, ended)


@harness.needs_llama_server
class GroupTest(SchedulingTest):
    def test_of_a_group_one_model_is_loaded_at_a_time(self):
        router = self.daemon(config='[queue]\nmin_residency = "0s"\n'
                                    '[model.a]\ngroups = ["coders"]\n'
                                    '[model.b]\ngroups = ["coders"]\n')
        for name in ('a', 'b', 'c'):
            write_model(router.models / f'{name}.gguf')
        router.start()
        for name in ('a', 'c', 'b'):
            self.assertEqual(router.chat(name, max_tokens=1).status, 200)
        loaded = sorted(item['model'] for item in router.get('/control/v1/instances')['items'])
        self.assertEqual(loaded, ['b', 'c'])


@harness.needs_llama_server
class SlowStopTest(SchedulingTest):
    def test_a_server_that_stops_slowly_delays_nobody_else(self):
        program = self.home / 'stubborn-llama-server'
        program.write_text(f"""#!/bin/sh
if [ -z "$STUBBORN" ]; then exec '{harness.LLAMA_SERVER}' "$@"; fi
trap '' TERM
'{harness.LLAMA_SERVER}' "$@" &
while :; do wait; done
""")
        program.chmod(0o755)
        router = self.daemon(llama_server=program,
                             config='[limits]\nstop_timeout = "30s"\n'
                                    '[model.slow]\nenv = { STUBBORN = "1" }\n')
        for name in ('slow', 'a', 'b'):
            write_model(router.models / f'{name}.gguf')
        router.start()
        for name in ('slow', 'a'):
            self.assertEqual(router.chat(name, max_tokens=1).status, 200)
        unload = self.in_background(router.ctl, 'unload', 'slow')
        wait_for(lambda: router.instance('slow')['state'] == 'stopping', 'the unload to begin')
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        self.assertEqual(router.chat('b', max_tokens=1).status, 200, 'a load beside it')
        self.assertEqual(router.instance('slow')['state'], 'stopping')
        self.assertTrue(unload.is_alive())
        for pid in router.servers():
            os.kill(pid, 9)


@harness.needs_llama_server
class ForeignTest(SchedulingTest):
    """The machine's own memory: what is kept in reserve leaves little for models."""

    def start(self, room, more=''):
        with open('/proc/meminfo') as meminfo:
            free = next(int(line.split()[1]) for line in meminfo
                        if line.startswith('MemAvailable')) << 10
        if free < room + 4 * GIB:
            raise unittest.SkipTest('too little memory is free here')
        router = self.daemon()
        write_model(router.models / 'a.gguf', *MIDDLING)
        router.start()
        host = wait_for(lambda: self.host(router), 'the first look at the memory')
        router.stop()
        reserve = host['total_bytes'] - host['foreign_bytes'] - room
        router.configure(f'[memory]\nreserve = {{ host = "{reserve >> 20}MiB" }}\n{more}',
                         harness.LLAMA_SERVER)
        router.start()
        return router

    @staticmethod
    def host(router):
        host = router.get('/control/v1/memory')['items'][0]
        return host if host['total_bytes'] else None

    def free_below(self, router, size):
        wait_for(lambda: self.host(router)['free_bytes'] < size, 'the daemon to see it')

    def test_what_another_process_takes_is_not_given_to_a_model(self):
        router = self.start(3 * GIB, '[queue]\nmax_wait = "500ms"\n')
        hog = Hog(4 * GIB)
        try:
            self.free_below(router, 1 << 20)
            response = router.chat('a', max_tokens=1)
            self.assertEqual(response.status, 503, response)
            error = response.json()['error']
            self.assertEqual(error['code'], 'would_not_fit')
            self.assertIn('other processes', error['message'])
        finally:
            hog.leave()
        wait_for(lambda: self.host(router)['free_bytes'] > GIB, 'the daemon to see it')
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)

    def test_an_idle_model_leaves_for_another_process_when_asked_to(self):
        router = self.start(3 * GIB, 'yield = true\n')
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        hog = Hog(4 * GIB)
        try:
            wait_for(lambda: not router.get('/control/v1/instances')['items'],
                     'the model to leave')
            self.assertIn('"yields"', router.ctl('events', '--format', 'json').stdout)
        finally:
            hog.leave()


@harness.needs_llama_server
class InstancesTest(SchedulingTest):
    def test_a_conversation_goes_back_to_the_server_that_has_its_prefix(self):
        router = self.daemon(config='[model.a]\ninstances = 2\n')
        write_model(router.models / 'a.gguf', *SLOW)
        router.start()

        def turn(topic, turns):
            messages = [{'role': 'user', 'content': f'{topic} ' * 40}]
            for number in range(turns):
                messages += [{'role': 'assistant', 'content': 'Yes.'},
                             {'role': 'user', 'content': f'And {number}?'}]
            response = router.request('POST', '/v1/chat/completions',
                                      {'model': 'a', 'messages': messages, 'max_tokens': 8})
            self.assertEqual(response.status, 200, response)
            return response.json()

        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        holder = RawClient(router.tcp_address(), chat_body('a', stream=True, max_tokens=200))
        self.addCleanup(holder.close)
        holder.read_until(b'data:')
        turn('lions', 0)  # the only slot is taken: on a second server
        self.assertEqual(len(router.get('/control/v1/instances')['items']), 2)
        holder.close()
        wait_for(lambda: all(item['busy'] == 0
                             for item in router.get('/control/v1/instances')['items']),
                 'both servers to be idle')
        turn('tigers', 0)
        for turns in (1, 2, 3):
            for topic in ('tigers', 'lions'):
                timings = turn(topic, turns)['timings']
                self.assertGreater(timings['cache_n'], timings['prompt_n'], (topic, turns))

    def test_each_server_of_a_model_has_its_log(self):
        router = self.daemon(config='[model.a]\ninstances = 2\n')
        write_model(router.models / 'a.gguf', *SLOW)
        router.start()
        holder = RawClient(router.tcp_address(), chat_body('a', stream=True, max_tokens=100))
        self.addCleanup(holder.close)
        holder.read_until(b'data:')
        self.assertEqual(router.chat('a', max_tokens=1).status, 200)
        logs = sorted(path.name for path in (router.state / 'logs').iterdir())
        self.assertEqual(logs, ['a.2.log', 'a.log'])


if __name__ == '__main__':
    harness.main()
