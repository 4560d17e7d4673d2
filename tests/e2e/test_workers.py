"""Several event loops: what is asked over a worker's connection is answered as the core would."""
import http.client
import json
import pathlib
import signal
import unittest

import harness
import test_cold_model
import test_retries
import test_tls
from harness import SLOW, TEXT, chat_body, wait_for, write_model


class OnWorkers:
    """Every connection of a test is the one worker's: the core has more than any test opens."""

    def daemon(self, config='', **options):
        daemon = super().daemon(config, http='workers = 2', **options)
        begin = daemon.start

        def start():
            begin()
            self.fill_core(daemon)
            return daemon

        daemon.start = start
        return daemon

    def fill_core(self, daemon):
        for _ in range(20):
            kept = harness.UnixConnection(daemon.socket, 60)
            self.addCleanup(kept.close)
            kept.request('GET', '/livez')
            self.assertEqual(kept.getresponse().read() and kept.sock is not None, True)


class ColdModelOnWorkers(OnWorkers, test_cold_model.ColdModelTest):
    pass


class RetriesOnWorkers(OnWorkers, test_retries.RetryTest):
    pass


@unittest.skipUnless(test_tls.shutil.which('openssl'), 'no openssl to make certificates with')
class TlsOnWorkers(OnWorkers, test_tls.TlsTest):
    def test_a_connection_changes_its_loop(self):
        self.router.start()
        for _ in range(2):
            connection = self.connect()
            for _ in range(2):
                self.assertEqual(self.ask(connection)[0], 200)
            connection.request('GET', '/v1/models')
            self.assertIn(b'"fox"', connection.getresponse().read())
            self.assertEqual(self.ask(connection)[0], 200)


def switches_of_workers(pid):
    """How often each worker's thread was switched to or from: it grows as it works."""
    found = {}
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        if (task / 'comm').read_text().strip() == 'routerd-worker':
            found[task.name] = sum(int(line.split()[1]) for line in
                                   (task / 'status').read_text().splitlines() if 'ctxt' in line)
    return found


@harness.needs_llama_server
class WorkersTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.server = self.gate()

    def begin(self, config=''):
        self.router = self.daemon(config, llama_server=self.server.program)
        write_model(self.router.models / 'fox.gguf')
        self.router.start()

    def keep(self):
        connection = http.client.HTTPConnection(*self.router.tcp_address(), timeout=180)
        self.addCleanup(connection.close)
        connection.connect()
        return connection

    @staticmethod
    def ask(connection, method, path, body=None):
        connection.request(method, path, body and json.dumps(body),
                           {'Content-Type': 'application/json'})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def chat(self, connection, model='fox'):
        status, body = self.ask(connection, 'POST', '/v1/chat/completions', chat_body(model))
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body)['choices'][0]['message']['content'], TEXT)


class SpreadTest(WorkersTest):
    def daemon(self, config='', **options):
        return super().daemon(config, http='workers = 3', **options)

    def test_connections_are_spread_over_all_loops(self):
        self.begin()
        before = switches_of_workers(self.router.process.pid)
        self.assertEqual(len(before), 2)
        connections = [self.keep() for _ in range(6)]
        for connection in connections + connections:
            self.chat(connection)
        after = switches_of_workers(self.router.process.pid)
        for thread, count in before.items():
            self.assertGreaterEqual(after[thread] - count, 4, 'a worker had nothing to do')
        # What a worker has answered is counted on the core's loop, a moment later.
        wait_for(lambda: self.router.status()['requests']['total'] == 12, 'all to be counted')


class OneConnectionTest(OnWorkers, WorkersTest):
    def test_it_is_answered_whatever_it_asks(self):
        self.begin()
        for path, expected in (('/v1/models', b'"fox"'), ('/metrics', b'routerd_'),
                               ('/nothing', b'there is no path')):
            connection = self.keep()
            self.chat(connection)
            _, body = self.ask(connection, 'GET', path)
            self.assertIn(expected, body)
            self.chat(connection)

    def test_a_body_behind_a_head_that_changes_loops_comes_along(self):
        self.begin()
        connection = self.keep()
        status, body = self.ask(connection, 'POST', '/control/v1/estimate', {'model': 'fox'})
        self.assertEqual(status, 200, body)
        self.chat(connection)

    def test_a_tier_means_one_of_its_models(self):
        self.begin('[model.fox]\ntier = "fast"\n')
        self.chat(self.keep(), 'tier:fast')
        status, body = self.ask(self.keep(), 'POST', '/v1/chat/completions',
                                chat_body('tier:powerful'))
        self.assertEqual(status, 404, body)

    def test_who_waits_is_in_the_queue_and_can_be_taken_out(self):
        self.server.shut()
        self.begin()
        clients = [self.router.raw_chat('fox') for _ in range(4)]
        waiting = wait_for(lambda: len(rows := self.router.get('/control/v1/queue')['items']) == 4
                           and rows, 'all to wait')
        done = self.router.ctl('queue', 'cancel', waiting[0]['id'])
        self.assertEqual(done.returncode, 0, done.stderr)
        clients[1].close()
        wait_for(lambda: len(self.router.get('/control/v1/queue')['items']) == 2
                 or None, 'two to be gone')
        self.server.open()
        answers = [client.read_to_end() for client in clients if client is not clients[1]]
        served = [answer for answer in answers if TEXT.encode() in answer]
        self.assertEqual(len(served), 2, answers)
        for client in clients:
            client.close()

    def test_streams_end_before_the_daemon_does(self):
        self.begin()
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        wait_for(lambda: self.router.chat('slow', max_tokens=1).status == 200, 'the new model')
        client = self.router.raw_chat('slow', stream=True, max_tokens=40)
        client.read_until(b'"content"')
        self.router.process.send_signal(signal.SIGTERM)
        self.assertIn(b'[DONE]', client.read_to_end())
        client.close()
        self.assertEqual(self.router.process.wait(60), 0)

    def test_a_second_signal_cuts_them(self):
        self.begin()
        write_model(self.router.models / 'slow.gguf', '--loop', *SLOW)
        wait_for(lambda: self.router.chat('slow', max_tokens=1).status == 200, 'the new model')
        client = self.router.raw_chat('slow', stream=True)
        client.read_until(b'"content"')
        self.router.process.send_signal(signal.SIGTERM)
        wait_for(lambda: 'signal 15' in self.router.log.read_text(), 'the signal to be seen')
        self.router.process.send_signal(signal.SIGTERM)
        self.assertNotIn(b'[DONE]', client.read_to_end())
        client.close()
        self.assertEqual(self.router.process.wait(60), 0)

    def test_a_new_configuration_and_new_models_reach_them(self):
        self.begin()
        connection = self.keep()
        self.chat(connection)
        write_model(self.router.models / 'hare.gguf')
        wait_for(lambda: self.router.chat('hare').status == 200, 'the new model')
        self.chat(connection, 'hare')
        self.assertEqual(self.router.ctl('config', 'reload').returncode, 0)
        self.chat(connection)


del WorkersTest  # a base alone

if __name__ == '__main__':
    harness.main()
