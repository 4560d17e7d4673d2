"""Processes and ports, for tests, benchmarks and the long tests alike; needs only the standard
library."""
import ctypes
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def is_alive(pid):
    """Whether the process runs; one that ended and was not reaped yet does not."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def command_line(pid):
    """As the kernel has it, with a zero byte behind each word; empty once the process is gone."""
    try:
        return pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()
    except OSError:
        return b''


def curl_leaks():
    """Whether it is the libcurl of Debian 13 (curl's issue 17602): of each name that it does not
    find it forgets a copy."""
    try:
        version = ctypes.CDLL('libcurl.so.4').curl_version
    except OSError:
        return False
    version.restype = ctypes.c_char_p
    return version().startswith(b'libcurl/8.14.')


def sanitizer_options():
    """What of our environment a program is given that otherwise gets one of its own."""
    options = {name: value for name, value in os.environ.items() if name.endswith('SAN_OPTIONS')}
    if curl_leaks():
        suppress = f'suppressions={pathlib.Path(__file__).with_name("libcurl_8_14.supp")}'
        options['LSAN_OPTIONS'] = ':'.join(filter(None, (options.get('LSAN_OPTIONS'), suppress,
                                                         'print_suppressions=0')))
    return options


def wait_for(condition, what, seconds=60):
    """Looks again and again until condition() is true, and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {seconds} s in vain for {what}')
        time.sleep(0.01)


def wait_for_start(process, is_ready, what, seconds=60):
    """wait_for() a server just started, which may not answer yet but must not end."""
    def look():
        if process.poll() is not None:
            raise AssertionError(f'waited for {what}, but it ended with {process.returncode}')
        try:
            return is_ready()
        except (OSError, http.client.HTTPException, ValueError):
            return False

    return wait_for(look, what, seconds)


def settled(look, seconds=1.5, most=30):
    """What look() gives when it has not changed for that long, or after `most` seconds."""
    deadline, last, since = time.monotonic() + most, look(), time.monotonic()
    while time.monotonic() - since < seconds and time.monotonic() < deadline:
        time.sleep(0.1)
        now = look()
        if now != last:
            last, since = now, time.monotonic()
    return last


def least(look, seconds):
    """Of each of the numbers that look() gives, the least in that time."""
    deadline, found = time.monotonic() + seconds, look()
    while time.monotonic() < deadline:
        time.sleep(0.01)
        found = tuple(map(min, found, look()))
    return found


def end(process, seconds):
    """Asks it to, and makes it where that takes longer; returns its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def become_reaper():
    """A successor is nobody's child, and so this process's: its exit status can be asked for."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError('this process cannot be the reaper of its grandchildren')


class Successor:
    """What subprocess.Popen has, for a process that another started."""

    def __init__(self, pid):
        self.pid = pid
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=60):
        try:
            wait_for(lambda: self.poll() is not None, f'process {self.pid} to end', timeout)
        except AssertionError:
            raise subprocess.TimeoutExpired(f'process {self.pid}', timeout) from None
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)
