"""A model server that answers by a plan, for a daemon under test; see scripted_llama_server.py."""
import pathlib

SERVER = pathlib.Path(__file__).with_name('scripted_llama_server.py')


class Script:
    def __init__(self, home):
        self.folder = home / 'script'
        self.folder.mkdir()
        (self.folder / 'seen').touch()
        self.plan()
        self.program = home / 'scripted-llama-server'  # so the harness finds what is left behind
        self.program.write_text(f'#!/bin/sh\nexec python3 {SERVER} "$@"\n')
        self.program.chmod(0o755)

    def config(self, model):
        """What the daemon must know to give the model's server its script."""
        return f'[model.{model}]\nenv = {{ SCRIPT_FOLDER = "{self.folder}" }}\n'

    def plan(self, *steps):
        (self.folder / 'plan').write_text('\n'.join(steps))

    def let_go(self):
        """Ends what is held, now and later."""
        (self.folder / 'let-go').touch()

    def bodies(self):
        """The SHA-256 of each body that was read, in this order."""
        noted = self.folder / 'bodies'
        return noted.read_text().split() if noted.exists() else []

    def seen(self):
        """Which connection each request came on."""
        return [int(line.split()[0]) for line in (self.folder / 'seen').read_text().splitlines()]


def listen_on_ports(router):
    """Starts the daemon anew, with servers that listen on ports in place of Unix sockets."""
    router.stop()
    path = router.home / 'config/routerd/routerd.toml'
    path.write_text(path.read_text().replace('[llama_server]', '[llama_server]\nlisten = "tcp"'))
    router.start()
