"""Many connections that become ready together: the daemon reads and writes several by one system call
where the kernel has io_uring for it. Each must get what is its own, whole and in order."""
import ctypes
import json
import os
import pathlib
import signal
import socket

import harness
from scripted import Script

CLIENTS = 40  # more than leave by one call


def kernel_has_io_uring():
    """Asks for one with no entries, which is refused for another reason where there are any.
    $ROUTERD_TEST_IO_URING: it must be there."""
    if os.environ.get('ROUTERD_TEST_IO_URING'):
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(425, 0, None)  # io_uring_setup, the same on every architecture
    return ctypes.get_errno() not in (1, 38)  # EPERM, ENOSYS


class JoinedTest(harness.E2ETest):
    http = ''
    joins = kernel_has_io_uring()

    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.router = self.daemon(self.script.config('fox') + '[limits]\nparallel = 64\n',
                                  llama_server=self.script.program, http=self.http)
        harness.write_model(self.router.models / 'fox.gguf')
        self.router.start()
        self.assertEqual(self.ask_once(), 200)  # the model is loaded

    def ask_once(self):
        return self.router.request('POST', '/v1/chat/completions', harness.chat_body('fox')).status

    def rings(self):
        links = pathlib.Path(f'/proc/{self.router.process.pid}/fd').iterdir()
        return sum('io_uring' in os.readlink(link) for link in links)

    def request(self, index, close=False, stream=False):
        """Bytes of one that only this client sends, small or large."""
        body = harness.chat_body('fox', stream=stream)
        body['user'] = f'client-{index}-' + 'x' * (index * 397 % 12000)
        body = json.dumps(body).encode()
        return (b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n'
                b'Content-Type: application/json\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n'
                % (b'close' if close else b'keep-alive', len(body)) + body)

    def connect(self, count=CLIENTS):
        clients = []
        for _ in range(count):
            client = socket.create_connection(self.router.tcp_address(), 60)
            self.addCleanup(client.close)
            clients.append(client)
        return clients

    def at_once(self, clients, requests):
        """The daemon sees all of them in one turn."""
        os.kill(self.router.process.pid, signal.SIGSTOP)
        try:
            for client, request in zip(clients, requests):
                client.sendall(request)
        finally:
            os.kill(self.router.process.pid, signal.SIGCONT)

    def read_answer(self, client):
        reader = client.makefile('rb')
        status = int(reader.readline().split()[1])
        length = 0
        while (field := reader.readline().strip()):
            name, _, value = field.partition(b':')
            length = int(value) if name.lower() == b'content-length' else length
        return status, reader.read(length), reader

    def assert_own(self, index, client):
        status, body, reader = self.read_answer(client)
        self.assertEqual(status, 400, body)  # an error that quotes the request
        self.assertIn(f'client-{index}-', json.loads(body)['error']['message'])
        return reader

    def test_each_gets_its_own_answer(self):
        clients = self.connect()
        for turn in range(3):
            self.script.plan(*['quote'] * CLIENTS)
            indexes = [turn * CLIENTS + i for i in range(CLIENTS)]
            self.at_once(clients, map(self.request, indexes))
            for index, client in zip(indexes, clients):
                self.assert_own(index, client)
        self.assertEqual(self.rings(), 1 if self.joins else 0)

    def test_an_answer_before_the_end_of_a_connection_is_whole(self):
        self.script.plan(*['quote'] * CLIENTS)
        clients = self.connect()
        self.at_once(clients, [self.request(i, close=True) for i in range(CLIENTS)])
        for index, client in enumerate(clients):
            self.assertEqual(self.assert_own(index, client).read(), b'')

    def test_two_requests_in_one_message_are_answered_in_order(self):
        self.script.plan(*['quote'] * 2 * CLIENTS)
        clients = self.connect()
        self.at_once(clients, [self.request(2 * i) + self.request(2 * i + 1)
                               for i in range(CLIENTS)])
        for index, client in enumerate(clients):
            received = b''
            while received.count(b'HTTP/1.1 400') < 2 or not received.endswith(b'}'):
                piece = client.recv(65536)
                self.assertTrue(piece, received)
                received += piece
            first, second = (received.find(b'client-%d-' % number)
                             for number in (2 * index, 2 * index + 1))
            self.assertTrue(0 <= first < second, received)

    def test_streams_are_whole(self):
        self.script.plan(*['held'] * CLIENTS)
        clients = self.connect()
        self.at_once(clients, [self.request(i, close=True, stream=True) for i in range(CLIENTS)])
        harness.wait_for(lambda: len(self.script.seen()) == CLIENTS + 1, 'all to be asked')
        self.script.let_go()
        for client in clients:
            received = client.makefile('rb').read()
            events = [event for event in received.split(b'\r\n') if event.startswith(b'data: ')]
            numbers = [json.loads(event.split(b'\n')[0][6:])['number'] for event in events[:-1]]
            self.assertEqual(numbers, list(range(len(numbers))))
            self.assertEqual(events[-1].strip(), b'data: [DONE]')
            self.assertTrue(received.endswith(b'0\r\n\r\n'), received[-100:])

    def test_who_leaves_with_many_others_is_seen(self):
        self.script.plan(*['held'] * CLIENTS)
        clients = self.connect()
        self.at_once(clients, [self.request(i, stream=True) for i in range(CLIENTS)])
        harness.wait_for(lambda: len(self.script.seen()) == CLIENTS + 1, 'all to be asked')
        os.kill(self.router.process.pid, signal.SIGSTOP)
        for client in clients:
            client.close()
        os.kill(self.router.process.pid, signal.SIGCONT)

        def busy():
            return self.router.instance('fox')['busy']
        harness.wait_for(lambda: busy() == 0, 'all slots to be free')
        self.script.let_go()
        self.assertEqual(self.ask_once(), 200)


class NotJoinedTest(JoinedTest):
    """The same where it is switched off."""
    http = 'io_uring = false'
    joins = False


if __name__ == '__main__':
    harness.main()
