"""routerctl pull as somebody at a terminal sees it: bars that move, Ctrl-C, another width."""
import http.server
import os
import re
import shlex
import shutil
import subprocess
import threading
import unittest

import harness
from harness import wait_for, write_model

MIB = 1 << 20


class SlowOrigin:
    """Serves one file at any path, in whole or a range of it, and no byte beyond `let_out`."""

    def __init__(self, content):
        self._content = content
        self._let_out = 0
        self._changed = threading.Condition()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_HEAD(self):
                self._answer()

            def do_GET(self):
                first, end = self._answer()
                while first < end:
                    upto = min(origin._wait_beyond(first), end, first + 64 * 1024)
                    if upto <= first:  # the test is over
                        self.close_connection = True
                        return
                    self.wfile.write(origin._content[first:upto])
                    first = upto

            def _answer(self):
                size = len(origin._content)
                asked = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('Range', ''))
                first = int(asked[1]) if asked else 0
                end = min(int(asked[2]) + 1, size) if asked and asked[2] else size
                if first >= size:
                    self.send_response(416)
                    first = end = 0
                elif asked:
                    self.send_response(206)
                    self.send_header('Content-Range', f'bytes {first}-{end - 1}/{size}')
                else:
                    self.send_response(200)
                self.send_header('Content-Length', str(end - first))
                self.send_header('Accept-Ranges', 'bytes')
                self.send_header('ETag', '"one"')
                self.end_headers()
                return first, end

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # clients come and go

        self._server = Server(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d' % self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def let_out(self, share):
        """Of the file, from its beginning; what was let out stays so."""
        with self._changed:
            self._let_out = max(self._let_out, int(len(self._content) * share))
            self._changed.notify_all()

    def _wait_beyond(self, position):
        with self._changed:
            self._changed.wait_for(lambda: self._let_out > position or self._let_out < 0)
            return self._let_out

    def close(self):
        with self._changed:
            self._let_out = -1
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Terminal:
    """A shell in a terminal of its own, which is a window of a tmux of its own."""

    def __init__(self, folder, environment, columns=100, rows=30):
        self._socket = f'routerd-{os.getpid()}-{folder.parent.name}'
        self._environment = {**environment, 'TMUX_TMPDIR': str(folder), 'TERM': 'xterm-256color',
                             'PS1': '$ ', 'ENV': ''}
        self._tmux('-u', '-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y',
                   str(rows), '/bin/sh')
        self._tmux('set-option', '-g', 'status', 'off')
        self.resize(columns, rows)

    def _tmux(self, *arguments):
        return subprocess.run(['tmux', '-L', self._socket, *arguments], env=self._environment,
                              check=True, capture_output=True, text=True, timeout=30).stdout

    def type(self, line):
        """A line and Enter."""
        self._tmux('send-keys', '-l', line + '\n')

    def press(self, key):
        self._tmux('send-keys', key)

    def resize(self, columns, rows=30):
        self._tmux('resize-window', '-x', str(columns), '-y', str(rows))

    def lines(self):
        return self._tmux('capture-pane', '-p').rstrip('\n').split('\n')

    def wait_for(self, look, what):
        """What look() makes of the lines, once it makes something of them."""
        try:
            return wait_for(lambda: look(self.lines()), what, 30)
        except AssertionError as error:
            raise AssertionError('\n'.join([str(error), 'on the screen:', *self.lines()])) from None

    def close(self):
        self._tmux('kill-server')


def bars(lines):
    return [line for line in lines if re.search('[█░]', line)]


def percent(lines):
    """What the one bar says; None when there is no such."""
    found = [re.search(r' (\d+)% ', line) for line in bars(lines)]
    return int(found[0][1]) if len(found) == 1 and found[0] else None


def starts_with(start):
    return lambda lines: [line for line in lines if line.startswith(start)]


@unittest.skipUnless(shutil.which('tmux'), 'no tmux: it is the terminal of these tests')
class PullTerminalTest(harness.E2ETest):
    def setUp(self):
        super().setUp()
        model = write_model(self.home / 'fox-of-the-terminal-Q8_0.gguf').read_bytes()
        self.origin = SlowOrigin(model.ljust(8 * MIB, b'\0'))
        self.addCleanup(self.origin.close)
        self.router = self.daemon(f'[pull]\nallow = ["{self.origin.url}"]\n',
                                  llama_server=harness.LLAMA_SERVER or '/nonexistent/llama-server')
        self.router.start()
        folder = self.home / 'tmux'
        folder.mkdir(mode=0o700)
        self.terminal = Terminal(folder, self.router.environment)
        self.addCleanup(self.terminal.close)

    def pull(self):
        self.run_ctl('pull', f'{self.origin.url}/fox-of-the-terminal-Q8_0.gguf')

    def run_ctl(self, *arguments):
        self.terminal.type(shlex.join([str(harness.ROUTERCTL), *arguments]))

    def wait_for_status(self, status):
        self.terminal.type('echo "left with $?"')
        # Behind the prompt, where the question was typed before the command had ended.
        self.terminal.wait_for(
            lambda lines: any(line.endswith(f'left with {status}') for line in lines),
            f'the exit status {status}')

    def wait_for_percent(self, least, most=100):
        self.terminal.wait_for(lambda lines: least <= (percent(lines) or -1) <= most,
                               f'a bar at {least} to {most} %')

    def test_a_bar_moves_and_ctrl_c_leaves_the_pull_alone(self):
        self.origin.let_out(0.25)
        self.pull()
        self.wait_for_percent(1, 25)
        self.origin.let_out(0.5)
        self.wait_for_percent(26, 50)
        self.terminal.press('C-c')
        line, = self.terminal.wait_for(starts_with('  come back:'), 'how to come back')
        identity = line.split()[-1]
        self.assertIn(f'  cancel it:  routerctl pulls rm {identity}', self.terminal.lines())
        self.wait_for_status(130)
        self.assertIn(self.router.get(f'/control/v1/pulls/{identity}')['state'],
                      ('downloading', 'retrying'))

        self.terminal.type(r'printf "\033[2J\033[H"')
        self.terminal.wait_for(lambda lines: not bars(lines), 'an empty screen')
        self.run_ctl('pulls', 'attach', identity)
        self.wait_for_percent(26, 50)
        self.origin.let_out(1)
        self.terminal.wait_for(lambda lines: percent(lines) == 100 and 'done' in bars(lines)[0],
                               'a full bar')
        self.wait_for_status(0)
        models = self.router.get(f'/control/v1/pulls/{identity}')['models']
        self.assertEqual(len(models), 1)
        self.assertIn(models[0], self.terminal.lines())

    def test_a_narrower_window_gets_narrower_bars_and_no_rests_of_old_ones(self):
        self.origin.let_out(0.25)
        self.pull()
        self.wait_for_percent(1, 25)
        wide, = bars(self.terminal.lines())
        self.assertGreater(len(wide), 50)
        self.terminal.resize(50)
        self.origin.let_out(0.5)
        self.wait_for_percent(26, 50)  # of the one bar that there is
        lines = self.terminal.lines()
        self.assertLessEqual(max(map(len, lines)), 50, lines)
        self.assertLess(len(bars(lines)[0]), 50)
        self.terminal.resize(100)
        self.origin.let_out(0.75)
        self.wait_for_percent(51, 75)
        self.origin.let_out(1)
        self.wait_for_percent(100)
        self.wait_for_status(0)


if __name__ == '__main__':
    harness.main()
