#!/usr/bin/env python3
"""How long the first answer of a model that is not loaded takes: through the router, and from a plain
llama-server started by hand (asked every millisecond whether it is ready).

usage: ROUTERD_BUILD_DIR=build/release tests/bench/cold_start.py [ROUNDS]
"""
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))
import harness  # noqa: E402


def first_answer(connection):
    connection.request('POST', '/v1/chat/completions', json.dumps(harness.chat_body('fox')),
                       {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f'{answer.status}: {body}')


def by_hand(home, model):
    path = home / 'plain.sock'
    begin = time.monotonic()
    with open(home / 'plain.log', 'wb') as log:
        server = subprocess.Popen([harness.LLAMA_SERVER, '-t', '1', '-m', model, '--host', path],
                                  stdout=log, stderr=log)
    try:
        while True:
            connection = harness.UnixConnection(path, 10)
            try:
                connection.request('GET', '/health')
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.001)
        ready = time.monotonic() - begin
        first_answer(harness.UnixConnection(path, 10))
        return ready, time.monotonic() - begin
    finally:
        server.terminate()
        server.wait()
        path.unlink(missing_ok=True)


def by_router(router):
    connection = http.client.HTTPConnection(*router.tcp_address(), timeout=30)
    connection.connect()
    begin = time.monotonic()
    first_answer(connection)
    took = time.monotonic() - begin
    connection.close()
    load = next(item['load_ms'] for item in router.get('/control/v1/instances')['items'])
    router.ctl('unload', 'fox')
    harness.wait_for(lambda: not router.servers(), 'the server to end')
    return load / 1000, took


def show(name, rounds):
    for what, values in zip(('ready', 'answer'), zip(*rounds)):
        ms = sorted(value * 1000 for value in values)
        print(f'{name:8} {what:7} median {statistics.median(ms):6.1f} ms   '
              f'best {ms[0]:6.1f}   worst {ms[-1]:6.1f}')


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory(prefix='routerd-') as folder:
        home = pathlib.Path(folder)
        router = harness.Daemon(home / 'd')
        model = harness.write_model(router.models / 'fox.gguf')
        router.start()
        try:
            plain, routed = [], []
            for _ in range(count):  # side by side: what else the machine does hits both
                plain.append(by_hand(home, model))
                routed.append(by_router(router))
        finally:
            router.stop()
        show('by hand', plain)
        show('routerd', routed)


if __name__ == '__main__':
    main()
