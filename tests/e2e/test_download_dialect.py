"""The chat proxy's way to download a model: one request, and one place to look how far it is."""
import shlex
import unittest
from urllib.parse import urlencode

import harness
from harness import wait_for
from origin import MIB, Fault, Origin
from test_pull import PullTest, model

IDLE = {'status': 'idle', 'progress': 0, 'model': None, 'error': None}


class DownloadDialectTest(PullTest):
    def setUp(self):
        super().setUp()
        self.origin = self.player(Origin())

    def progress(self):
        answer = self.router.request('GET', '/api/download-progress')
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def download(self, model_id, status=200, **more):
        query = urlencode({'model_id': model_id, **more})
        answer = self.router.request('POST', f'/api/download-model?{query}')
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def wait_for_status(self, status):
        return wait_for(lambda: (seen := self.progress())['status'] == status and seen,
                        f'the progress to be {status}')

    def test_a_download_from_begin_to_end(self):
        content = model(size=8 * MIB)
        url = self.origin.serve('/fox.gguf', content)
        gate = self.origin.hold('/fox.gguf', 2 * MIB)
        self.start(self.origin)
        self.assertEqual(self.progress(), IDLE)
        begun = self.download(url, auto=True)  # "True", as Python's clients say it
        self.assertEqual((begun['status'], begun['model']), ('downloading', url))
        wait_for(gate.holds, 'the download to be under way')
        wait_for(lambda: self.progress()['progress'] == 25, 'all that was sent to be counted')
        self.assertEqual(self.progress(), {'status': 'downloading', 'progress': 25, 'model': url,
                                           'error': None})
        joined = self.download(url, auto='true')
        self.assertEqual((joined['status'], joined['id']), ('downloading', begun['id']))
        gate.open()
        self.assertEqual(self.wait_for_status('complete'),
                         {'status': 'complete', 'progress': 100, 'model': url, 'error': None})
        self.assert_fetched(fox=content)
        self.assertEqual(self.pull(begun['id'])['models'], ['fox'])

    def test_one_that_fails_says_why(self):
        url = self.origin.serve('/fox.gguf', model(), Fault(status=404))
        self.start(self.origin)
        begun = self.download(url, auto='true')
        seen = self.wait_for_status('error')
        self.assertEqual(seen['model'], url)
        self.assertEqual(seen['error'], self.pull(begun['id'])['error'])
        self.assertTrue(seen['error'])
        self.assert_nothing()

    def test_one_that_is_paused_and_goes_on(self):
        content = model(size=4 * MIB)
        url = self.origin.serve('/fox.gguf', content)
        gate = self.origin.hold('/fox.gguf', MIB)
        self.start(self.origin)
        begun = self.download(url, auto='true')
        wait_for(gate.holds, 'the download to be under way')
        self.ctl('pulls', 'pause', begun['id'])
        self.assertEqual(self.progress()['status'], 'idle')
        gate.open()
        self.assertEqual(self.download(url, auto='true')['id'], begun['id'])
        self.wait_for_status('complete')
        self.assert_fetched(fox=content)

    def test_instructions_can_be_followed(self):
        url = self.origin.serve("/it's a fox.gguf", model()).replace(' ', '%20')
        self.start(self.origin)
        answer = self.download(url)
        self.assertEqual(answer['status'], 'instructions')
        self.assertEqual((self.pulls(), self.origin.requests()), ([], []))
        program, *arguments = shlex.split(answer['command'])
        self.assertEqual((program, arguments), ('routerctl', ['pull', url]))
        self.ctl(*arguments)
        self.assert_fetched(**{"it's a fox": model()})

    def test_what_cannot_be(self):
        here = self.home / 'here.gguf'
        here.write_bytes(model())
        self.start()
        for more, status, code in (({'model_id': ''}, 400, 'invalid_request'),
                                   ({'model_id': '../fox', 'auto': 'true'}, 400, 'invalid_request'),
                                   ({'model_id': 'org/fox', 'auto': 'soon'}, 400,
                                    'invalid_request'),
                                   ({'model_id': f'file://{here}', 'auto': 'true'}, 403,
                                    'forbidden')):
            with self.subTest(**more):
                error = self.download(status=status, **more)['error']
                self.assertEqual(error['code'], code)
        answer = self.router.request('POST', '/api/download-model')
        self.assertEqual((answer.status, answer.json()['error']['param']), (400, 'model_id'))
        self.assertEqual(self.pulls(), [])
        self.assertEqual(self.progress(), IDLE)

    def test_whoever_sits_here_may_name_files_of_this_machine(self):
        here = self.home / 'here.gguf'
        here.write_bytes(model())
        self.start()
        query = urlencode({'model_id': f'file://{here}', 'auto': 'true'})
        answer = self.router.request('POST', f'/api/download-model?{query}', via='socket')
        self.assertEqual(answer.status, 200, answer)
        self.wait_for_status('complete')
        self.assert_fetched(here=model())

    def test_keys_are_asked_for(self):
        self.start()
        keys = {scope: self.ctl('keys', 'create', scope, '--scope', scope).stdout.strip()
                for scope in ('inference', 'read', 'admin')}
        for scope, seen, asked in ((None, 401, 401), ('inference', 403, 403), ('read', 200, 403),
                                   ('admin', 200, 200)):
            with self.subTest(scope=scope):
                headers = {'Authorization': f'Bearer {keys[scope]}'} if scope else {}
                statuses = [self.router.request(method, path, headers=headers).status
                            for method, path in (
                                ('GET', '/api/download-progress'),
                                ('POST', '/api/download-model?model_id=org/fox'))]
                self.assertEqual(statuses, [seen, asked])

    def test_a_page_of_elsewhere_may_not_begin_one(self):
        url = self.origin.serve('/fox.gguf', model())
        self.start(self.origin)
        query = urlencode({'model_id': url, 'auto': 'true'})
        answer = self.router.request('POST', f'/api/download-model?{query}',
                                     headers={'Origin': 'https://evil.example'})
        self.assertEqual(answer.status, 403)
        self.assertEqual((self.pulls(), self.origin.requests()), ([], []))


if __name__ == '__main__':
    del PullTest  # its own tests are in test_pull.py
    harness.main()
