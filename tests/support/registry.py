"""A player of Ollama's registry on a loopback port of its own: manifests are its own, and blobs are
given by another host, a Cdn, to which it redirects with a signed URL."""
import json

from origin import Answer, Origin, sha256

MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
CONFIG = 'application/vnd.docker.container.image.v1+json'
LAYER = 'application/vnd.ollama.image.'


class Registry(Origin):
    def __init__(self, cdn, **options):
        self.cdn, self._manifests, self._blobs = cdn, {}, {}
        super().__init__(**options)

    def model(self, name, model, tag='latest', sizes=None, **layers):
        """Adds 'namespace/name:tag', or puts it in place of what it was. `layers`: 'template',
        'license', 'system' as text, 'params' as a dictionary, 'projector' as bytes; `sizes`: what
        its manifest says of layers whose size is not true."""
        settings = {'model_format': 'gguf', 'model_family': 'llama', 'model_type': '1M',
                    'file_type': 'Q4_K_M', 'architecture': 'amd64', 'os': 'linux'}
        described = []
        for kind, content in {'model': model, **layers}.items():
            layer = self._store(LAYER + kind, content)
            layer['size'] = (sizes or {}).get(kind, layer['size'])
            described.append(layer)
        self._manifests[name, tag] = json.dumps({
            'schemaVersion': 2, 'mediaType': MANIFEST, 'config': self._store(CONFIG, settings),
            'layers': described}).encode()

    def _store(self, kind, content):
        if isinstance(content, str):
            content = content.encode()
        elif isinstance(content, dict):
            content = json.dumps(content).encode()
        digest = sha256(content)
        self._blobs[digest] = self.stored_at(content)
        self.cdn.store(self._blobs[digest], content)
        return {'mediaType': kind, 'digest': f'sha256:{digest}', 'size': len(content)}

    @staticmethod
    def stored_at(content):
        """Where the CDN has it."""
        digest = sha256(content)
        return f'/docker/registry/v2/blobs/sha256/{digest[:2]}/{digest}/data'

    def route(self, request):
        words = request.path.strip('/').split('/')
        if len(words) < 5 or words[0] != 'v2':
            return Answer(404, {'Content-Type': 'text/plain'}, b'404 page not found\n')
        name, kind, last = '/'.join(words[1:-2]), words[-2], words[-1]
        if kind == 'manifests':
            manifest = self._manifests.get((name, last))
            if manifest is None:
                return refusal('MANIFEST_UNKNOWN', 'manifest unknown', {'Tag': last})
            return Answer(200, {'Content-Type': MANIFEST,
                                'Docker-Content-Digest': f'sha256:{sha256(manifest)}'}, manifest)
        place = self._blobs.get(last.removeprefix('sha256:'))
        if kind != 'blobs' or place is None:
            return refusal('BLOB_UNKNOWN', 'blob unknown to registry', {'digest': last})
        return Answer(307, {'Location': self.cdn.signed(place),
                            'Docker-Content-Digest': last})


def refusal(code, message, detail):
    errors = {'errors': [{'code': code, 'message': message, 'detail': detail}]}
    return Answer(404, {'Content-Type': 'application/json; charset=utf-8'},
                  json.dumps(errors).encode())
