"""Bodies of every size reach the server as they were sent, whenever it reads them."""
import hashlib
import http.client
import random
import socket

import harness
from scripted import Script, listen_on_ports

KIB = 1 << 10
HEADERS = {'Content-Type': 'application/json'}


def body_of(size, seed):
    """JSON of that many bytes which is like no other."""
    head = b'{"model": "fox", "user": "'
    letters = random.Random(seed).choices(b'abcdefghijklmnopqrstuvwxyz', k=size - len(head) - 2)
    return head + bytes(letters) + b'"}'


def digest(body):
    return hashlib.sha256(body).hexdigest()


class LargeBodiesTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        self.script = Script(self.home)
        self.start()

    def start(self):
        self.router = self.daemon(self.script.config('fox'), http='max_body = "8MiB"',
                                  llama_server=self.script.program)
        harness.write_model(self.router.models / 'fox.gguf')
        self.router.start()

    def connect(self):
        client = http.client.HTTPConnection(*self.router.tcp_address(), timeout=60)
        self.addCleanup(client.close)
        return client

    def ask(self, client, body):
        client.request('POST', '/v1/chat/completions', body, HEADERS)
        answer = client.getresponse()
        answer.read()
        self.assertEqual(answer.status, 200)

    def wait_for_bodies(self, wanted):
        harness.wait_for(lambda: len(self.script.bodies()) >= len(wanted), 'the bodies to be read')
        self.assertEqual(sorted(self.script.bodies()), sorted(map(digest, wanted)))

    def test_they_arrive_as_they_were_sent(self):
        client = self.connect()
        sizes = [KIB, 4 * KIB, 15 * KIB, 16 * KIB, 16 * KIB + 1, 40 * KIB, 64 * KIB, 300 * KIB,
                 KIB << 10, (2 << 20) + 7, 5 << 20, 20 * KIB, 300 * KIB]
        bodies = [body_of(size, seed) for seed, size in enumerate(sizes)]
        for body in bodies:
            self.ask(client, body)
        self.assertEqual(self.script.bodies(), list(map(digest, bodies)))

    def test_so_do_those_that_come_in_chunks(self):
        bodies = [body_of(size, seed) for seed, size in enumerate((30 * KIB, 700 * KIB))]
        client = self.connect()
        for body in bodies:
            pieces = [body[i:i + 10_000] for i in range(0, len(body), 10_000)]
            client.request('POST', '/v1/chat/completions', iter(pieces), HEADERS,
                           encode_chunked=True)
            answer = client.getresponse()
            answer.read()
            self.assertEqual(answer.status, 200)
        self.assertEqual(self.script.bodies(), list(map(digest, bodies)))

    def test_so_do_those_that_come_at_once(self):
        bodies = [body_of(size, seed) for seed, size in enumerate((50 * KIB, 90 * KIB, 20 * KIB))]
        heads = [b'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n'
                 b'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(body)
                 for body in bodies]
        with socket.create_connection(self.router.tcp_address(), timeout=60) as client:
            client.sendall(b''.join(head + body for head, body in zip(heads, bodies)))
            with client.makefile('rb') as reader:
                for _ in bodies:
                    self.assertIn(b' 200 ', reader.readline())
                    fields = http.client.parse_headers(reader)
                    reader.read(int(fields['Content-Length']))
        self.assertEqual(self.script.bodies(), list(map(digest, bodies)))

    def test_a_server_that_answers_first_reads_what_it_was_sent(self):
        """What was lent to it must not become the next client's."""
        early = [body_of(60 * KIB, seed) for seed in range(4)]
        later = [body_of(60 * KIB, seed) for seed in range(100, 112)]
        self.script.plan(*['early'] * len(early))
        client = self.connect()
        for body in early:
            self.ask(client, body)
        for body in later:
            self.ask(client, body)
        self.assertEqual(self.script.bodies(), list(map(digest, later)))
        self.script.let_go()
        self.wait_for_bodies(early + later)


class TcpLargeBodiesTest(LargeBodiesTest):
    """The same where the server listens on a port."""

    def start(self):
        super().start()
        listen_on_ports(self.router)


if __name__ == '__main__':
    harness.main()
