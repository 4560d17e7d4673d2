"""An HTTP server of files for tests of downloads: right by itself, wrong where a Fault says so.

It listens on a free loopback port and answers each connection in a thread of its own. What it
serves may be changed at any time; what was asked for and sent is kept, so that a test can tell how
often a byte was fetched. Needs only the standard library.
"""
import contextlib
import dataclasses
import email.utils
import fcntl
import hashlib
import hmac
import http
import pathlib
import select
import socket
import struct
import termios
import threading
import time
import urllib.parse

MIB = 1 << 20
PIECE = 256 << 10  # bytes that are sent, and noted, at a time
LONGEST_HEAD = 64 << 10
LOOK = 0.02  # seconds between two looks whether a client left


def made_up(size, seed=0):
    """So many bytes that look like a model file from outside; the same for the same seed."""
    head = b'GGUF' + struct.pack('<IQQ', 3, 0, 0)
    return (head + hashlib.shake_128(f'file {seed}'.encode()).digest(max(0, size)))[:size]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong with the answers of one path. Parts may be combined; each that is left alone is
    as it should be."""
    since: int = 1               # the first GET that meets it, counted from 1
    times: int | None = None     # how many do; None: all from then on

    status: int | None = None    # instead of the content
    retry_after: int | None = None   # seconds, as a number
    retry_date: float | None = None  # seconds from now, as a date
    location: str | None = None  # a redirect, 302 unless `status` says otherwise
    hops: int = 0                # redirects from the path to itself before it answers
    body: bytes | None = None    # instead of the content, whatever range was asked for
    content: bytes | None = None     # another one, still with ranges ...
    etag: str | None = None          # ... and with the old ETag unless this is given
    headers: dict | None = None      # more or others; a value None: not that one
    greeting: bytes | None = None    # instead of all of HTTP
    endless_head: bool = False

    framing: str = 'length'      # or 'chunked', or 'close': the end of the connection
    claims: int | None = None    # Content-Length
    shorter: int = 0             # of the content, Content-Length too
    # 'right'; 'ignored': 200 with all; 'refused': 416; 'late': begins a byte behind what it says;
    # 'moved': says that it begins elsewhere; 'unsaid': no Content-Range; 'whole': 206 with all.
    ranges: str = 'right'
    flips: int | None = None     # the byte at this place of the content has a wrong bit

    cut: int | None = None       # bytes of each body, then ...
    end: str = 'reset'           # ... 'reset', 'fin', or 'stall' until let_go()
    rate: float | None = None    # bytes a second of each connection

    def strikes(self, number):
        return self.since <= number and (self.times is None or number < self.since + self.times)


RIGHT = Fault()


@dataclasses.dataclass
class Answer:
    """Of a route: a small document."""
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b''


@dataclasses.dataclass
class Request:
    """What was asked, and what of the content was sent for it: the bytes from `begin` to `end`."""
    method: str
    target: str
    headers: dict  # names in lower case
    number: int = 0  # of the GETs of its path, from 1
    status: int = 0
    begin: int = 0
    end: int = 0
    other: int = 0  # bytes sent that are no content
    at: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def path(self):
        return urllib.parse.unquote(self.target.partition('?')[0])

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(self.target.partition('?')[2]))

    @property
    def host(self):
        return self.headers.get('host', '')

    @property
    def range(self):
        return self.headers.get('range')

    @property
    def sent(self):
        return self.end - self.begin


class Gate:
    """Lets so many bytes of a path's bodies through, all connections together, and holds the rest
    until it is opened. `after` None: not even the head of an answer goes through."""

    def __init__(self, after):
        self._changed = threading.Condition()
        self._left, self._waiting = after, 0

    def open(self):
        with self._changed:
            self._left = float('inf')
            self._changed.notify_all()

    def holds(self):
        """How many answers it holds now."""
        with self._changed:
            return self._waiting

    def wait_for_head(self, given_up):
        with self._changed:
            self._wait(lambda: self._left is not None, given_up)

    def take(self, wanted, given_up):
        """How many bytes may go, one at least."""
        with self._changed:
            self._wait(lambda: self._left, given_up)
            taken = min(wanted, self._left)
            self._left -= taken
            return taken

    def _wait(self, condition, given_up):
        if condition():
            return
        self._waiting += 1
        try:
            while True:
                free = self._changed.wait_for(condition, LOOK)
                if given_up():
                    raise ConnectionAbortedError('the client left, or the test is over')
                if free:
                    return
        finally:
            self._waiting -= 1


@dataclasses.dataclass
class _Item:
    content: memoryview
    etag: str
    headers: dict


class _Connection:
    def __init__(self, accepted, closing):
        self.socket, self._closing, self._pending = accepted, closing, b''

    def read_head(self):
        """None: the client closed it."""
        while b'\r\n\r\n' not in self._pending:
            more = self.socket.recv(LONGEST_HEAD)
            if not more or len(self._pending) > LONGEST_HEAD:
                return None
            self._pending += more
        head, _, self._pending = self._pending.partition(b'\r\n\r\n')
        first, *lines = head.decode('latin-1').split('\r\n')
        method, target, _ = first.split(' ')
        fields = (line.partition(':') for line in lines)
        return Request(method, target, {name.lower(): value.strip() for name, _, value in fields})

    def send(self, data):
        self.socket.sendall(data)

    def is_over(self):
        """Whether nobody waits for what would be sent."""
        poller = select.poll()
        poller.register(self.socket, select.POLLRDHUP)
        return bool(poller.poll(0)) or self._closing.is_set()

    def finish(self, how, let_go):
        """What was sent arrives; then the connection ends like that."""
        if how == 'stall':
            while not let_go.wait(LOOK) and not self.is_over():
                pass
            how = 'fin'
        while self._unsent() and not self.is_over():
            self._closing.wait(0.001)
        if how == 'reset':
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def _unsent(self):
        """Bytes that the other side's kernel has not acknowledged."""
        return struct.unpack('i', fcntl.ioctl(self.socket, termios.TIOCOUTQ, b'\0' * 4))[0]


class Origin:
    """`rate`: bytes a second of each connection. `tls`: an ssl.SSLContext. Other addresses of
    127.0.0.0/8 are other hosts. `port`: that of one that was closed, for one that comes back."""

    def __init__(self, host='127.0.0.1', rate=None, tls=None, port=0):
        self.rate, self._tls = rate, tls
        self._items, self._faults, self._gates = {}, {}, {}
        self._requests, self._counts, self._active, self._most = [], {}, {}, {}
        self._lock = threading.Lock()
        self._closing, self._let_go = threading.Event(), threading.Event()
        self._sockets, self._threads = set(), []
        self._listener = socket.create_server((host, port), backlog=1024)
        self.host, self.port = host, self._listener.getsockname()[1]
        self.origin = f'{"https" if tls else "http"}://{host}:{self.port}'
        self._start(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closing.set()
        with self._lock:
            ends = [self._listener, *self._sockets]
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    # What is served

    def url(self, path):
        return self.origin + path

    def serve(self, path, content, fault=None, etag=None, headers=None):
        """From now on; returns its URL. `content`: bytes, or the path of a file."""
        if isinstance(content, pathlib.Path):
            content = content.read_bytes()
        item = _Item(memoryview(content), etag or f'"{sha256(content)[:32]}"', headers or {})
        with self._lock:
            self._items[path] = item
            self._faults[path] = fault or RIGHT
        return self.url(path)

    def spoil(self, path, fault=RIGHT):
        """Another fault for the answers that begin from now on, routed ones as well."""
        with self._lock:
            self._faults[path] = fault

    def hold(self, path, after=None):
        """A new gate in front of the path."""
        with self._lock:
            gate = self._gates[path] = Gate(after)
        return gate

    def let_go(self):
        """Ends all that stalls, now and later."""
        self._let_go.set()

    def route(self, request):
        """For those who serve documents: an Answer, or None."""
        return None

    # What was asked for

    def requests(self, path=None):
        with self._lock:
            return [request for request in self._requests if path in (None, request.path)]

    def bytes_sent(self, path=None):
        """Of contents."""
        return sum(request.sent for request in self.requests(path))

    def distinct(self, path):
        """Bytes of its content that were sent once or more often."""
        total = reached = 0
        for begin, end in sorted((one.begin, one.end) for one in self.requests(path)):
            total += max(0, end - max(begin, reached))
            reached = max(reached, end)
        return total

    def refetched(self, path):
        """Bytes of its content that were sent again."""
        return self.bytes_sent(path) - self.distinct(path)

    def most_at_once(self, path):
        """Bodies of it that were under way at the same time."""
        with self._lock:
            return self._most.get(path, 0)

    def authorized(self):
        """Those requests that came with credentials."""
        return [request for request in self.requests() if 'authorization' in request.headers]

    # How it is done

    def _start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, accepted)

    def _serve(self, accepted):
        served = accepted
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            accepted.settimeout(600)
            if self._tls:
                served = self._tls.wrap_socket(accepted, server_side=True)
            with self._lock:
                self._sockets.add(served)
            connection = _Connection(served, self._closing)
            while not self._closing.is_set() and self._exchange(connection):
                pass
        except (OSError, ValueError):
            pass  # the client's end, or what it sent
        finally:
            served.close()
            with self._lock:
                self._sockets.discard(served)

    def _exchange(self, connection):
        """Whether the connection is kept."""
        request = connection.read_head()
        if request is None:
            return False
        path = request.path
        with self._lock:
            if request.method == 'GET':
                self._counts[path] = self._counts.get(path, 0) + 1
            request.number = max(1, self._counts.get(path, 0))
            self._requests.append(request)
            item, fault, gate = (kind.get(path) for kind in
                                 (self._items, self._faults, self._gates))
        fault = fault if fault and fault.strikes(request.number) else RIGHT
        if gate:
            gate.wait_for_head(connection.is_over)
        if fault.greeting is not None or fault.endless_head:
            return self._not_http(connection, request, fault)
        document = self._document(request, item, fault)
        if document:
            return self._send_document(connection, request, document)
        return self._send_content(connection, request, item, fault, gate)

    def _not_http(self, connection, request, fault):
        if fault.greeting is not None:
            connection.send(fault.greeting)
        else:
            connection.send(b'HTTP/1.1 200 OK\r\n')
            while request.other < 256 * MIB:
                connection.send(b'X-More: ' + b'm' * 4000 + b'\r\n')
                request.other += 4010
        connection.finish('fin', self._let_go)
        return False

    def _document(self, request, item, fault):
        """What is answered without any content; None: the content of the item."""
        hop = int(request.query.get('hop', 0))
        if hop < fault.hops:
            return Answer(302, {'Location': f'{self.url(request.path)}?hop={hop + 1}'})
        if fault.location is not None:
            return Answer(fault.status or 302, {'Location': fault.location})
        if fault.status is not None:
            headers = dict(fault.headers or {})
            if fault.retry_after is not None:
                headers['Retry-After'] = str(fault.retry_after)
            if fault.retry_date is not None:
                moment = time.time() + fault.retry_date
                headers['Retry-After'] = email.utils.formatdate(moment, usegmt=True)
            return Answer(fault.status, headers, fault.body or b'')
        if fault.body is not None:
            return Answer(200, dict(fault.headers or {}), fault.body)
        return self.route(request) or (None if item else Answer(404, {}, b'not found\n'))

    def _send_document(self, connection, request, document):
        headers = {'Content-Length': len(document.body), **document.headers}
        self._send_head(connection, request, document.status, headers)
        if request.method != 'HEAD':
            connection.send(document.body)
            request.other += len(document.body)
        return True

    @staticmethod
    def _send_head(connection, request, status, headers):
        request.status = status
        phrase = http.HTTPStatus(status).phrase
        lines = [f'{name}: {value}\r\n' for name, value in headers.items() if value is not None]
        connection.send(f'HTTP/1.1 {status} {phrase}\r\n{"".join(lines)}\r\n'.encode('latin-1'))

    def _send_content(self, connection, request, item, fault, gate):
        content, etag = item.content, item.etag
        if fault.content is not None:
            content, etag = memoryview(fault.content), fault.etag or etag
        if fault.flips is not None:
            flipped = bytearray(content)
            flipped[fault.flips] ^= 0x10
            content = memoryview(flipped)
        content = content[:len(content) - fault.shorter]
        reply = _ranged(request, len(content), etag, fault)
        headers = {'Accept-Ranges': 'bytes', 'ETag': etag, **reply.headers}
        if fault.framing == 'length':
            headers['Content-Length'] = reply.end - reply.begin
            if fault.claims is not None:
                headers['Content-Length'] = fault.claims
        elif fault.framing == 'chunked':
            headers['Transfer-Encoding'] = 'chunked'
        else:
            headers['Connection'] = 'close'
        headers |= {**item.headers, **(fault.headers or {})}
        self._send_head(connection, request, reply.status, headers)
        if request.method == 'HEAD' or reply.status == 416:
            return True
        request.begin = request.end = reply.begin
        with self._under_way(request.path):
            whole = self._send_body(connection, request, content[:reply.end], fault, gate)
        if not whole:
            connection.finish(fault.end, self._let_go)
        elif fault.framing == 'close' or fault.claims is not None:
            connection.finish('fin', self._let_go)
            whole = False
        return whole

    def _send_body(self, connection, request, content, fault, gate):
        """From request.begin on. Whether all of it was sent."""
        rate = fault.rate or self.rate
        most = PIECE if rate is None else max(1, min(PIECE, int(rate / 200)))
        stop = len(content)
        if fault.cut is not None:
            stop = min(stop, request.begin + fault.cut)
        began = time.monotonic()
        while request.end < stop:
            count = min(most, stop - request.end)
            if gate:
                count = gate.take(count, connection.is_over)
            if (gate or rate) and connection.is_over():  # what nobody reads does not count as sent
                return False
            piece = content[request.end:request.end + count]
            connection.send(b'%x\r\n%b\r\n' % (count, piece) if fault.framing == 'chunked'
                            else piece)
            request.end += count
            if rate:
                early = began + request.sent / rate - time.monotonic()
                if early > 0 and self._closing.wait(early):
                    return False
        if request.end < len(content):
            return False
        if fault.framing == 'chunked':
            connection.send(b'0\r\n\r\n')
        return True

    @contextlib.contextmanager
    def _under_way(self, path):
        with self._lock:
            now = self._active[path] = self._active.get(path, 0) + 1
            self._most[path] = max(now, self._most.get(path, 0))
        try:
            yield
        finally:
            with self._lock:
                self._active[path] -= 1


@dataclasses.dataclass
class _Reply:
    status: int
    begin: int
    end: int
    headers: dict


def _wanted(request, size, etag):
    """The range that RFC 9110 14 makes of the request: (begin, end), None for all, or 'none' where
    nothing of it is there."""
    unit, _, value = (request.range or '').partition('=')
    first, dash, last = value.strip().partition('-')
    if request.method != 'GET' or unit.strip() != 'bytes' or not dash or ',' in value:
        return None
    if request.headers.get('if-range', etag) != etag:
        return None
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
    return (begin, end) if begin < end else 'none'


def _ranged(request, size, etag, fault):
    """Status, bounds and Content-Range of an answer, as the fault has them."""
    wanted = _wanted(request, size, etag)
    if fault.ranges == 'refused' and wanted or wanted == 'none':
        return _Reply(416, 0, 0, {'Content-Range': f'bytes */{size}'})
    if wanted is None or fault.ranges == 'ignored' or fault.framing != 'length':
        no_ranges = {'Accept-Ranges': None}
        return _Reply(200, 0, size, no_ranges if fault.ranges == 'ignored' else {})
    begin, end = wanted
    said = {'Content-Range': f'bytes {begin}-{end - 1}/{size}'}
    if fault.ranges == 'late':
        begin = min(begin + 1, end)
    elif fault.ranges == 'moved':
        said = {'Content-Range': f'bytes {begin + 7}-{end + 6}/{size + 7}'}
    elif fault.ranges == 'unsaid':
        said = {}
    elif fault.ranges == 'whole':
        begin, end, said = 0, size, {}
    return _Reply(206, begin, end, said)


class Cdn(Origin):
    """Where a hub or a registry keeps its contents: what it stores is given to those who come with
    a URL that was signed, as long as that is in force."""

    def __init__(self, host='127.0.0.2', **options):
        self._generation, self._stored = 0, set()
        super().__init__(host, **options)

    def store(self, path, content):
        self._stored.add(path)
        return self.serve(path, content)

    def signed(self, path, seconds=3600):
        expires = int(time.time()) + seconds
        return f'{self.url(path)}?Expires={expires}&Signature={self._sign(path, expires)}'

    def expire(self):
        """All that was signed up to now is refused from now on."""
        self._generation += 1

    def _sign(self, path, expires):
        words = f'{path} {expires} {self._generation}'
        return hmac.new(b'key of a test', words.encode(), 'sha256').hexdigest()

    def route(self, request):
        if request.path not in self._stored:
            return None
        expires = int(request.query.get('Expires', 0))
        signature = request.query.get('Signature', '')
        if expires >= time.time() and signature == self._sign(request.path, expires):
            return None
        return Answer(403, {'Content-Type': 'application/xml'},
                      b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')


class Trap:
    """A port that nobody may connect to."""

    def __init__(self, host='127.0.0.1'):
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self.host, self.port = host, self._listener.getsockname()[1]

    def visitors(self):
        """How many connected since the last look."""
        count = 0
        while True:
            try:
                self._listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    def close(self):
        self._listener.close()


class Watch:
    """Looks at a folder all the time: `seen` has, of each model file that showed itself below it,
    the digests of all that it ever was."""

    def __init__(self, folder):
        self.folder, self.seen, self.looks = folder, {}, 0
        self._known, self._ended = {}, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """After one last look."""
        self._ended.set()
        self._thread.join()
        self._look()

    def _run(self):
        while not self._ended.wait(0.003):
            self._look()

    def _look(self):
        for path in self.folder.rglob('*.gguf'):
            try:
                now = path.stat()
                state = now.st_ino, now.st_size, now.st_mtime_ns
                if self._known.get(path) != state:
                    digest = sha256(path.read_bytes())
                    self.seen.setdefault(path, set()).add(digest)
                    self._known[path] = state
            except OSError:
                pass  # it went away
        self.looks += 1
