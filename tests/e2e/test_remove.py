"""Models and what is left of downloads, taken away."""
import json
import os

import harness
import test_pull
from harness import wait_for, write_model
from hub import Hub
from origin import MIB, Cdn, Origin, made_up


class RemovalTest(test_pull.PullTest):
    def names(self):
        return self.ctl('ls', '-q').stdout.split()


class RemoveTest(RemovalTest):
    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_model(path)

    def test_a_model_of_ours_goes(self):
        self.start()
        fox = self.write(self.models / 'org/repo/fox.gguf')
        box = self.write(self.models / 'box.gguf')
        size = fox.stat().st_size
        self.ctl('rescan')
        self.assertEqual(sorted(self.names()), ['box', 'fox'])
        self.ctl('alias', 'fox', 'reynard')
        gone = json.loads(self.ctl('rm', 'Reynard', '--json').stdout)
        self.assertEqual(gone, {'id': 'fox', 'files': [str(fox)], 'freed': size})
        self.assertEqual(self.names(), ['box'])
        self.assertFalse((self.models / 'org').exists(), 'empty folders are left')
        events = json.loads(self.ctl('events', '--json').stdout)['items']
        self.assertEqual([event['model'] for event in events if event['type'] == 'model.removed'],
                         ['fox'])
        self.ctl('rm', 'fox', status=4)
        done = self.ctl('rm', 'box')
        self.assertEqual(done.stdout, 'box\n')
        self.assertIn('removed 1 file', done.stderr)
        self.assertFalse(box.exists())
        self.assertTrue(self.models.is_dir())

    def test_one_outside_takes_force(self):
        downloads = self.home / 'downloads'
        self.router = self.daemon(f'[pull]\ndir = "{downloads}"\n').start()
        fox = self.write(self.router.models / 'fox.gguf')
        self.ctl('rescan')
        done = self.ctl('rm', 'fox', status=5)
        self.assertEqual(done.stdout, '')
        self.assertIn(str(fox), done.stderr)
        self.assertIn('--force', done.stderr)
        self.assertTrue(fox.exists())
        self.assertEqual(self.names(), ['fox'])
        self.assertEqual(self.ctl('rm', 'fox', '--force').stdout, 'fox\n')
        self.assertFalse(fox.exists())
        self.assertEqual(self.names(), [])

    def test_a_folder_that_is_a_link_leads_outside(self):
        elsewhere = self.home / 'elsewhere'
        fox = self.write(elsewhere / 'fox.gguf')
        self.router = self.daemon()
        (self.models / 'org').symlink_to(elsewhere)
        self.router.configure(f'[pull]\ndir = "{self.models}"\n[model."fox"]\n'
                              f'path = "{self.models}/org/fox.gguf"\n', harness.LLAMA_SERVER or 'x')
        self.router.start()
        self.assertEqual(self.names(), ['fox'])
        self.ctl('rm', 'fox', status=5)
        self.assertTrue(fox.exists())

    @harness.needs_llama_server
    def test_one_that_is_loaded(self):
        self.start()
        fox = self.write(self.models / 'fox.gguf')
        self.ctl('rescan')
        self.ctl('load', '--wait', 'fox')
        done = self.ctl('rm', 'fox', status=5)
        self.assertIn('unload it first', done.stderr)
        self.assertTrue(fox.exists())
        self.assertEqual(self.router.chat('fox').status, 200)
        self.ctl('rm', '--force', 'fox')
        self.assertFalse(fox.exists())
        self.assertEqual(self.router.servers(), [])
        self.assertEqual(self.names(), [])


class PruneTest(RemovalTest):
    def setUp(self):
        super().setUp()
        self.origin = self.player(Origin())

    def paused(self):
        """A pull with a part that it may go on with."""
        gate = self.origin.hold('/fox.gguf', MIB)
        url = self.origin.serve('/fox.gguf', test_pull.model(size=4 * MIB))
        number = self.ctl('pull', '-d', url).stdout.strip()
        wait_for(gate.holds, 'the download to be under way')
        wait_for(lambda: self.pull(number)['done'] >= MIB, 'some of it to be here')
        self.ctl('pulls', 'pause', number)
        self.wait_until(number, 'paused')
        gate.open()
        return number

    def test_what_nobody_goes_on_with(self):
        self.start(self.origin)
        number = self.paused()
        left = self.models / 'org/left.gguf.part'
        left.parent.mkdir()
        left.write_bytes(b'x' * 2048)
        kept = self.models / 'notes.txt'
        kept.write_text('mine')
        link = self.models / 'link.part'
        link.symlink_to(kept)
        done = self.ctl('prune', '--dry-run')
        self.assertEqual(done.stdout, f'{left}\n')
        self.assertIn('would remove 1 file', done.stderr)
        self.assertTrue(left.exists())
        done = self.ctl('prune')
        self.assertEqual(done.stdout, f'{left}\n')
        self.assertIn('removed 1 file, 2.0 KiB', done.stderr)
        self.assertFalse(left.exists())
        self.assertTrue(kept.exists() and os.path.lexists(link))
        link.unlink()
        self.assertEqual(self.parts(), ['fox.gguf.part'], 'that of the paused pull stays')
        self.assertEqual(self.ctl('prune').stdout, '')
        asked = self.origin.bytes_sent('/fox.gguf')
        self.ctl('pulls', 'resume', number)
        self.wait_until(number, 'complete')
        self.assertLess(self.origin.bytes_sent('/fox.gguf') - asked, 4 * MIB, 'it went on')
        self.assert_fetched(fox=test_pull.model(size=4 * MIB))

    def test_all_that_is_at_rest(self):
        self.start(self.origin)
        other = self.origin.serve('/box.gguf', test_pull.model())
        self.ctl('pull', other)
        number = self.paused()
        dry = json.loads(self.ctl('prune', '--all', '--dry-run', '--json').stdout)
        self.assertEqual([file['path'] for file in dry['removed']],
                         [str(self.models / 'fox.gguf.part')])
        self.assertEqual(len(dry['pulls']), 2)
        self.assertIn(number, dry['pulls'])
        self.assertEqual(len(self.pulls()), 2)
        done = self.ctl('prune', '--all')
        self.assertEqual(done.stdout, f'{self.models}/fox.gguf.part\n')
        self.assertIn('forgot 2 downloads', done.stderr)
        self.assertEqual((self.pulls(), self.parts()), ([], []))
        self.assert_fetched(box=test_pull.model())

    def test_one_under_way_keeps_its_part_and_its_model(self):
        cdn = self.player(Cdn())
        hub = self.player(Hub(cdn))
        projector = made_up(2 * MIB, 5)
        hub.repo('org/fox', {'fox-Q4_K_M.gguf': test_pull.model(),
                             'mmproj-fox-f16.gguf': projector})
        gate = cdn.hold(hub.stored_at(projector), MIB)
        self.start(cdn, more=f'endpoint = "{hub.origin}"')
        number = self.ctl('pull', '-d', 'org/fox').stdout.strip()
        fox = self.models / 'org/fox/fox-Q4_K_M.gguf'
        wait_for(lambda: gate.holds() and fox.exists(), 'all but the projector to be here')
        self.assertEqual(self.ctl('prune', '--all').stdout, '')
        self.assertEqual(self.parts(), ['mmproj-fox-f16.gguf.part'])
        self.ctl('rescan')
        name, = self.names()
        done = self.ctl('rm', name, status=5)
        self.assertIn(f'routerctl pulls rm {number}', done.stderr)
        self.assertTrue(fox.exists())
        gate.open()
        self.wait_until(number, 'complete')
        self.ctl('rm', name)
        self.assertFalse(fox.exists())


if __name__ == '__main__':
    harness.main()
