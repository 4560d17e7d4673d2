"""The official OpenAI client library from npm, unchanged, against the router."""
import fcntl
import shutil
import subprocess
import unittest

import harness
from far import Far
from harness import TEXT, write_model

SOURCE = harness.ROOT / 'tests/e2e/npm'
INSTALLED = harness.BUILD / 'tests/e2e/npm'

UNREACHABLE = ('ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENETUNREACH',
               'SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT')


def install_client():
    """Installs the pinned library once per build folder; returns why it cannot, or ''."""
    if not shutil.which('npm'):
        return 'no npm on this machine'
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lockfile = (SOURCE / 'package-lock.json').read_bytes()
        done = INSTALLED / 'installed'
        for name in ('package.json', 'package-lock.json', '.npmrc', 'openai_client.mjs', 'openai_media.mjs'):
            shutil.copyfile(SOURCE / name, INSTALLED / name)
        if done.exists() and done.read_bytes() == lockfile:
            return ''
        run = subprocess.run(['npm', 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund',
                              '--fetch-retries=1'], cwd=INSTALLED,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=180)
        if run.returncode == 0:
            done.write_bytes(lockfile)
            return ''
    for word in UNREACHABLE:
        if word in run.stdout:
            return f'the npm registry cannot be reached ({word})'
    raise AssertionError(f'npm ci failed:\n{run.stdout}')


class ClientTest(harness.E2ETest):
    @classmethod
    def setUpClass(cls):
        reason = install_client()
        if reason:
            raise unittest.SkipTest(reason)

    def ask(self, daemon, script, *arguments):
        host, port = daemon.tcp_address()
        run = subprocess.run(['node', INSTALLED / script, f'http://{host}:{port}/v1', *arguments],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout)


@harness.needs_llama_server
class OpenAiClientTest(ClientTest):
    def test_everything_that_an_application_asks(self):
        daemon = self.daemon()
        write_model(daemon.models / 'fox.gguf')
        write_model(daemon.models / 'embed.gguf', '--embedding')
        daemon.start()
        self.ask(daemon, 'openai_client.mjs', 'fox', 'embed', TEXT)


class MediaTest(ClientTest):
    def test_sound_and_pictures_of_a_server_elsewhere(self):
        far = Far()
        self.addCleanup(far.stop)
        daemon = self.daemon(f'[model.ear]\nurl = "http://127.0.0.1:{far.port}"\n'
                             'remote_model = "org/ear"\n')
        daemon.start()
        self.ask(daemon, 'openai_media.mjs', 'ear')
        paths = [line.split()[1] for line, *_ in far.seen]
        self.assertEqual(paths, ['/v1/audio/transcriptions', '/v1/audio/translations',
                                 '/v1/audio/speech', '/v1/images/generations'])
        for _, _, body, _ in far.seen:
            self.assertIn(b'org/ear', body)
        self.assertIn(bytes(i * 31 % 256 for i in range(70_000)), far.seen[0][2])


if __name__ == '__main__':
    harness.main()
