"""A server elsewhere that answers by a plan: a thread of the test, at an address of loopback."""
import json
import socket
import ssl
import threading

BODY = (b'{"text":"%s","choices":[{"message":{"content":"%s"}}],'
        b'"usage":{"prompt_tokens":3,"completion_tokens":2}}')
EVENTS = [b'data: {"choices":[{"delta":{"content":"far"}}]}\n\n', b'data: [DONE]\n\n']


class Far:
    """Each request takes the next step of the plan, `answer` when there is none:

    answer  a whole answer that says `name`; the connection is kept
    stream  the same in events, and chunks
    close   the request is read, then the connection is closed
    part    half of an answer, then the connection is closed
    hold    a stream that ends when let_go() is called
    """

    def __init__(self, name='far', host='127.0.0.1', port=0, certificate=None):
        self.name, self.steps, self.seen = name, [], []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.released = threading.Event()
        self.open = {}
        self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def plan(self, *steps):
        self.steps = list(steps)

    def let_go(self):
        self.released.set()

    def stop(self):
        """Nobody listens any more, and what was open is closed."""
        self.let_go()
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        self.drop()

    def drop(self):
        """Closes what is open."""
        with self.lock:
            for connection in self.open.values():
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is closed already

    def bodies(self):
        return [json.loads(body) for _, _, body, _ in self.seen if body]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.open[number] = connection
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile('rb') as reader:
                while self._one(connection, reader, number):
                    pass
        except (OSError, UnicodeDecodeError):
            pass  # the other side left, or speaks TLS
        finally:
            with self.lock:
                self.open.pop(number, None)

    def _one(self, connection, reader, number):
        line = reader.readline().decode().strip()
        if not line:
            return False
        fields = {}
        while (field := reader.readline().decode().strip()):
            name, _, value = field.partition(':')
            fields[name.lower()] = value.strip()
        body = reader.read(int(fields.get('content-length', 0)))
        with self.lock:
            self.seen.append((line, fields, body, number))
            step = self.steps.pop(0) if self.steps else 'answer'
        answer = BODY % ((self.name.encode(),) * 2)
        head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=b\r\n'
        if step in ('answer', 'part'):
            whole = head + b'Content-Length: %d\r\n\r\n' % len(answer) + answer
            connection.sendall(whole if step == 'answer' else whole[:-20])
        elif step in ('stream', 'hold'):
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
                               b'Transfer-Encoding: chunked\r\n\r\n')
            for event in EVENTS:
                connection.sendall(b'%x\r\n%s\r\n' % (len(event), event))
                if step == 'hold':
                    self.released.wait(60)
            connection.sendall(b'0\r\n\r\n')
        return step in ('answer', 'stream', 'hold')
