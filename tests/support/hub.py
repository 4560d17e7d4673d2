"""A player of the Hugging Face hub, as its API is documented, on a loopback port of its own.

Small files are its own; models (*.gguf) are, as at the hub, given by another host, a Cdn, to which
it redirects with a signed URL. See https://huggingface.co/docs/hub/api.
"""
import base64
import dataclasses
import hashlib
import json
import urllib.parse

from origin import Answer, Origin, sha256


def git_oid(content):
    return hashlib.sha1(b'blob %d\0' % len(content) + content).hexdigest()


@dataclasses.dataclass
class Repo:
    """`access`: 'public'; 'gated': listed to all, and given to those who have the token; 'private':
    there for those only. `sizes`: what it says of files whose size is not true."""
    name: str
    files: dict
    access: str = 'public'
    token: str = 'hf_' + 'x' * 20
    refs: tuple = ('main',)
    sizes: dict = dataclasses.field(default_factory=dict)

    @property
    def commit(self):
        words = [f'{path} {sha256(content)}' for path, content in sorted(self.files.items())]
        return hashlib.sha1('\n'.join(words).encode()).hexdigest()

    def size(self, path):
        return self.sizes.get(path, len(self.files[path]))


class Hub(Origin):
    """`page`: files that one answer lists at most."""

    def __init__(self, cdn, page=1000, **options):
        self.cdn, self.page, self._repos = cdn, page, {}
        super().__init__(**options)

    def repo(self, name, files, **more):
        """Adds it, or puts it in place of what it was. `files`: contents by path."""
        repo = self._repos[name] = Repo(name, dict(files), **more)
        for path, content in files.items():
            if is_large(path):
                self.cdn.store(stored_at(content), content)
        return repo

    @staticmethod
    def stored_at(content):
        """Where the CDN has it."""
        return stored_at(content)

    def route(self, request):
        words = request.path.strip('/').split('/')
        api = words[:2] == ['api', 'models']
        words = words[2:] if api else words
        repo = self._repos.get('/'.join(words[:2]))
        token = request.headers.get('authorization', '').removeprefix('Bearer ')
        if repo is None or repo.access == 'private' and token != repo.token:
            if token and (repo is None or token != repo.token):
                return refusal(404, 'RepoNotFound', 'Repository not found')
            return refusal(401, 'RepoNotFound', 'Invalid username or password.')
        rest = words[2:]
        if api and not rest:
            return self._info(repo)
        if len(rest) < 2 or rest[1] not in (*repo.refs, repo.commit):
            return refusal(404, 'RevisionNotFound', f'Invalid rev id: {"/".join(rest[1:2])}')
        if api and rest[0] == 'revision':
            return self._info(repo)
        if api and rest[0] == 'tree':
            return self._tree(request, repo, '/'.join(rest[2:]))
        if not api and rest[0] == 'resolve':
            return self._resolve(repo, '/'.join(rest[2:]), token)
        return refusal(404, None, 'Sorry, we can\'t find the page you are looking for.')

    @staticmethod
    def _info(repo):
        return document({
            '_id': repo.commit[:24], 'id': repo.name, 'modelId': repo.name,
            'author': repo.name.partition('/')[0], 'sha': repo.commit,
            'lastModified': '2025-01-02T03:04:05.000Z', 'createdAt': '2025-01-01T00:00:00.000Z',
            'private': repo.access == 'private',
            'gated': 'manual' if repo.access == 'gated' else False, 'disabled': False,
            'downloads': 1, 'likes': 0, 'tags': ['gguf'], 'pipeline_tag': 'text-generation',
            'siblings': [{'rfilename': path} for path in sorted(repo.files)]})

    def _tree(self, request, repo, folder):
        """Recursive or not, a page of it; the Link is to the next."""
        entries = list(self._entries(repo, folder, request.query.get('recursive') in ('true', '1')))
        if folder and not entries:
            return refusal(404, 'EntryNotFound', f'{folder} does not exist on "main"')
        limit = min(self.page, int(request.query.get('limit', self.page)))
        begin = int(base64.urlsafe_b64decode(request.query.get('cursor', 'MA==')))
        answer = document(entries[begin:begin + limit])
        if begin + limit < len(entries):
            cursor = base64.urlsafe_b64encode(str(begin + limit).encode()).decode()
            query = urllib.parse.urlencode({**request.query, 'limit': limit, 'cursor': cursor})
            path = urllib.parse.quote(request.path)
            answer.headers['Link'] = f'<{self.url(path)}?{query}>; rel="next"'
        return answer

    @staticmethod
    def _entries(repo, folder, recursive):
        folders = set()
        for path, content in sorted(repo.files.items()):
            inside = path[len(folder):].strip('/') if path.startswith(folder) else ''
            above = inside.split('/')[:-1]
            for depth in range(len(above) if recursive else min(1, len(above))):
                name = '/'.join(filter(None, [folder, *above[:depth + 1]]))
                if name not in folders:
                    folders.add(name)
                    yield {'type': 'directory', 'oid': git_oid(name.encode()), 'size': 0,
                           'path': name}
            if not inside or above and not recursive:
                continue
            entry = {'type': 'file', 'oid': git_oid(content), 'size': repo.size(path),
                     'path': path}
            if is_large(path):
                entry['oid'] = git_oid(f'pointer of {path}'.encode())
                entry['lfs'] = {'oid': sha256(content), 'size': repo.size(path),
                                'pointerSize': 134}
            yield entry

    def _resolve(self, repo, path, token):
        if repo.access == 'gated' and token != repo.token:
            return refusal(403 if token else 401, 'GatedRepo',
                           f'Access to model {repo.name} is restricted. You must have access to it '
                           'and be authenticated to access it. Please log in.')
        if path not in repo.files:
            return refusal(404, 'EntryNotFound', 'Entry not found')
        content = repo.files[path]
        headers = {'X-Repo-Commit': repo.commit, 'Accept-Ranges': 'bytes'}
        if not is_large(path):
            return Answer(200, {**headers, 'ETag': f'"{git_oid(content)}"'}, content)
        return Answer(302, {**headers, 'ETag': f'"{sha256(content)}"',
                            'X-Linked-Size': repo.size(path),
                            'X-Linked-ETag': f'"{sha256(content)}"',
                            'Location': self.cdn.signed(stored_at(content))})


def is_large(path):
    return path.endswith('.gguf')


def stored_at(content):
    digest = sha256(content)
    return f'/repos/{digest[:2]}/{digest[2:4]}/{digest}'


def document(value, status=200, **headers):
    return Answer(status, {'Content-Type': 'application/json; charset=utf-8', **headers},
                  json.dumps(value).encode())


def refusal(status, code, message):
    answer = document({'error': message}, status)
    if code:
        answer.headers['X-Error-Code'] = code
    answer.headers['X-Error-Message'] = message
    return answer
