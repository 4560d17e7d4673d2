"""The llama-server router's dialect, with real servers: status, stream, memory, queue, failures."""
import contextlib
import http.client
import json
import queue
import socket
import threading

import harness
from harness import TEXT, chat_text, sse_events, wait_for, write_model


class Stream:
    """Reads /v1/models/status/stream on a thread of its own until it ends."""

    def __init__(self, router):
        self._connection = http.client.HTTPConnection(*router.tcp_address(), timeout=120)
        self._connection.request('GET', '/v1/models/status/stream')
        self._answer = self._connection.getresponse()
        self.events = queue.Queue()
        self.fault = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        block = b''
        try:
            for line in self._answer:
                block += line
                if line == b'\n':
                    for name, data in sse_events(block.decode()):
                        self.events.put((name, json.loads(data)))
                    block = b''
        except (OSError, http.client.HTTPException) as fault:  # not a proper end
            self.fault = fault
        self.events.put((None, None))

    def next(self):
        return self.events.get(timeout=60)

    def states(self, alias, last):
        """The states of a model in the order told, up to and with `last`."""
        seen = []
        while not seen or seen[-1] != last:
            name, data = self.next()
            if name is None:
                break
            if name == 'model_update' and data['alias'] == alias:
                seen.append(data['status'])
        return seen

    def close(self):
        with contextlib.suppress(OSError):  # the daemon closed it
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()


@harness.needs_llama_server
class LlamaRouterTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.router = self.daemon()
        write_model(self.router.models / 'fox.gguf')
        write_model(self.router.models / 'bad.gguf')
        self.spoil(self.router.models / 'bad.gguf')
        self.router.start()

    def spoil(self, path):
        """A well-formed file that llama-server refuses: an architecture that nobody knows."""
        content = path.read_bytes()
        path.write_bytes(content.replace(b'\x05\0\0\0\0\0\0\0llama', b'\x05\0\0\0\0\0\0\0lmaal')
                         .replace(b'llama.', b'lmaal.'))

    def watch(self):
        stream = Stream(self.router)
        self.addCleanup(stream.close)
        return stream

    def get(self, path):
        response = self.router.request('GET', path)
        self.assertEqual(response.status, 200, response)
        return response.json()

    def post(self, path, body=None):
        return self.router.request('POST', path, body)

    def test_a_model_is_followed_from_a_request_to_its_eject(self):
        stream = self.watch()
        name, everything = stream.next()
        self.assertEqual(name, 'full_status')
        self.assertEqual(everything['models']['fox']['status'], 'off')
        self.assertEqual(chat_text(self.router.chat('fox')), TEXT)
        up = stream.states('fox', 'ready')
        self.assertEqual((up[0], up[-1]), ('starting', 'ready'))
        status = self.get('/v1/models/fox/status')
        self.assertEqual((status['status'], status['is_alive']), ('ready', True))
        self.assertIsNone(status['port'])
        self.assertTrue(status['address'].startswith('unix:'), status)
        self.assertIsNotNone(status['last_used'])
        self.assertEqual(self.get('/v1/models/status')['summary']['ready'], 1)
        self.assertEqual(self.post('/v1/models/eject', {'model': 'fox'}).json()['status'], 'success')
        self.assertEqual(stream.states('fox', 'off'), ['stopping', 'off'])
        self.assertEqual(self.router.servers(), [])

    def test_watchers_see_the_daemon_stop_to_its_end(self):
        self.router.chat('fox')
        stream = self.watch()
        self.assertEqual(stream.next()[1]['models']['fox']['status'], 'ready')
        self.assertEqual(self.router.stop(), 0)
        name, server = stream.next()
        self.assertEqual((name, server['status']), ('server_update', 'stopping'))
        self.assertEqual(stream.states('fox', 'off'), ['stopping', 'off'])
        self.assertEqual(stream.next(), (None, None))
        self.assertIsNone(stream.fault, 'the stream was cut off')

    def test_memory_of_a_loaded_model_is_counted(self):
        before = self.get('/vram/summary')
        self.assertEqual(before['models'], {'loaded': 0, 'vram_used_mb': 0})
        self.router.chat('fox')
        model = self.get('/vram')['models']['fox']
        self.assertGreater(model['vram_used_mb'], 5)
        self.assertGreater(model['load_time_ms'], 0)
        self.assertEqual([moment['status'] for moment in model['snapshots']], ['ready'])
        summary = self.get('/vram/summary')
        self.assertEqual(summary['models']['loaded'], 1)
        self.assertGreater(summary['host']['total_mb'], 500)
        host = self.get('/vram')['devices'][0]
        self.assertEqual(host['id'], 'host')
        self.assertEqual([held['model'] for held in host['models']], ['fox'])
        self.post('/v1/models/eject', {'model': 'fox'})
        after = self.get('/vram/models/fox')
        self.assertEqual(after['vram_used_mb'], 0)
        self.assertEqual(after['load_time_ms'], model['load_time_ms'])

    def test_a_model_that_fails_is_listed_until_it_is_reset(self):
        self.assertEqual(self.get('/v1/models/failed'), {'failed_models': []})
        self.assertEqual(self.router.chat('bad').status, 503)
        failed = self.get('/v1/models/failed')['failed_models']
        self.assertEqual([item['model'] for item in failed], ['bad'])
        self.assertGreaterEqual(failed[0]['attempts'], 1)
        self.assertIn('lmaal', failed[0]['error'])
        reset = self.post('/v1/models/bad/reset').json()
        self.assertEqual((reset['status'], reset['model']), ('success', 'bad'))
        self.assertEqual(reset['previous_error'], failed[0]['error'])
        self.assertEqual(self.get('/v1/models/failed'), {'failed_models': []})

    def test_requests_are_counted(self):
        for _ in range(3):
            self.router.chat('fox')
        self.router.chat('bad')
        stats = wait_for(self._settled, 'the last request to be counted')
        self.assertEqual(stats['per_model']['fox'],
                         {'queued': 0, 'processing': 0, 'processed': 3, 'rejected': 0})
        self.assertEqual(stats['per_model']['bad']['rejected'], 1)
        self.assertEqual(stats['summary']['total_processed'], 3)

    def _settled(self):
        stats = self.get('/v1/queue/stats')  # a slot is given back after its answer has gone out
        return stats if stats['summary']['total_processing'] == 0 else None

    def test_health_is_told_of_the_router_and_of_each_model(self):
        self.router.chat('fox')
        health = self.get('/health')
        self.assertEqual(health['status'], 'ok')
        self.assertEqual(health['checks']['manager'], 'ok')
        self.assertEqual(health['checks']['http_client'], 'ok')
        self.router.chat('bad')
        models = self.get('/v1/health/models')['models']
        self.assertEqual(sorted(models), ['bad', 'fox'])
        self.assertEqual(models['fox']['status'], 'ready')
        self.assertEqual(models['fox']['consecutive_failures'], 0)
        self.assertGreater(models['fox']['uptime_percentage'], 0)
        self.assertGreaterEqual(models['bad']['consecutive_failures'], 1)

    def test_what_is_not_there_is_not_found(self):
        for path in ('/v1/models/nobody/status', '/vram/models/nobody'):
            response = self.router.request('GET', path)
            self.assertEqual(response.status, 404, response)
            self.assertEqual(response.json()['error']['code'], 'model_not_found')
        response = self.post('/v1/models/eject', {'model': 'nobody'})
        self.assertEqual((response.status, response.json()['status']), (404, 'not_found'))


if __name__ == '__main__':
    harness.main()
