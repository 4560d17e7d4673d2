#!/usr/bin/env python3
"""Makes the corpora of the fuzz targets: tests/fuzz/corpus/TARGET/, one file an input.

  make_corpus.py seeds DIR          writes inputs to begin with to DIR/TARGET/: hostile HTTP messages
                                    and GGUF files, where ../shared/hostile is there beside the
                                    project, and the bodies and texts that are listed below
  make_corpus.py pick BUILD DIR...  of the inputs in DIR/TARGET/ and in the corpora keeps those that
                                    reach something new (libFuzzer's -merge=1 of the targets in
                                    BUILD/tests/fuzz), those that reach most first, and writes them
                                    to the corpora; --only TARGET for one alone

A file is named by the SHA-1 of its bytes. What does not fit into 150 files and 200 KB a target is
left out: the corpora are read by every run of the unit tests.
"""
import argparse
import hashlib
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HOSTILE = HERE.parents[2] / 'shared' / 'hostile'
CORPUS = HERE / 'corpus'
MOST_FILES = 150
MOST_BYTES = 200_000
LARGEST = 4096  # of a seed: what takes more room is about limits, which unit tests look at

BODIES = [
    b'{}', b'', b'[]', b'null', b'{"model":"m"}', b'{"model":null,"stream":true}',
    b'{"model":"a","model":"b","stream":false,"stream":true}',
    b'{"mod\\u0065l":"qwen3-8b","messages":[{"role":"system","content":"x"},'
    b'{"role":"user","content":"hi \\ud83d\\ude00"}],"stream":true,"n":1e3}',
    b'{"model":"m","prompt":"once upon a time","max_tokens":-1,"logit_bias":{"1":-100}}',
    b'{"model":"m","input":["a","b"],"stream":"yes"}', b'{"model":7}', b'{"model":"m"} {}',
    b' {"x":[[[[{"model":"deep"}]]]],"model":"m" } ', b'\xef\xbb\xbf{"model":"m"}',
    b'{"model":"\\ud800"}', b'{"model":"\xff"}', b'{"model":"m","messages":[{"role":"user"}',
]
FORM_TYPE = b'multipart/form-data; boundary=b\n'
FORM_FIELD = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FORM_FILE = FORM_FIELD % (b'file', b'; filename="a.wav"\r\nContent-Type: audio/wav', b'RIFF\r\n--a\0')
FORMS = [FORM_TYPE + body for body in (
    b'--b--', b'--b--\r\n', b'', FORM_FIELD % (b'model', b'', b'm') + b'--b--\r\n',
    FORM_FILE + FORM_FIELD % (b'stream', b'', b'true') + FORM_FIELD % (b'model', b'', b'm') + b'--b--',
    b'preamble\r\n' + FORM_FILE + b'--b-- epilogue', FORM_FILE + FORM_FILE + b'--b--',
    FORM_FIELD % (b'model', b'', b'a\n--b--') + b'--b--', FORM_FIELD % (b'mod\\el', b'', b'') + b'--b--',
    FORM_FIELD % (b'a', b"; name*=utf-8''model", b'm') + b'--b--',
    b'--b \t\r\ncontent-disposition:form-data;name=model\r\n\r\nm\r\n--b--',
    b'--b\r\n\r\nm\r\n--b--', b'--bb\r\n\r\n--b--', FORM_FIELD % (b'model', b'; filename=x', b'm') + b'--b--',
)] + [b'multipart/form-data; boundary="a b"; boundary=c\n', b'multipart/mixed; boundary=b\n--b--',
      b'Multipart/Form-Data;charset="x;\\"y";BOUNDARY="b c"\n--b c\r\n']
CONTROL = [
    b'', b'{}', b'[]', b'{"model":"m","exclusive":true,"dry_run":false,"wait":null}',
    b'{"model":"m","context":4096,"parallel":4,"cache_type":"q8_0"}',
    b'{"model":"m","context":4294967296}', b'{"model":"m","parallel":-1}', b'{"context":1e400}',
    b'{"name":"night","description":"d","enabled_models":["a"],"overrides":{"a":{"context":"8192"}},'
    b'"preload":[],"default_model":null,"active":true}',
    b'{"set":{"tier":"fast","context":"4096"},"unset":["pin"],"add_aliases":["x"],'
    b'"remove_aliases":["y"]}',
    b'{"dir":"/models"}', b'{"dir":"\\ud83d\\ude00 \xc3\xa9"}', b'{"nmae":"x"}',
    b'{"overrides":' + b'{"a":' * 70 + b'1' + b'}' * 70 + b'}', b'{"dir":"a","dir":"b"}',
]
ANSWERS = [
    b'data: {"choices":[{"delta":{"content":"hi"}}],"usage":null}\n\ndata: {"choices":[],"usage":'
    b'{"completion_tokens":42,"prompt_tokens":7,"total_tokens":49},"timings":{"prompt_n":7,'
    b'"predicted_n":42,"predicted_ms":840.5,"predicted_per_second":49.97}}\n\ndata: [DONE]\n\n',
    b'{"usage":{"output_tokens": 12},"timings":{"predicted_per_second"\t: 1e1}}',
    b'"predicted_per_second":nan "predicted_n":-1', b'"completion_tokens":18446744073709551616,'
    b'"output_tokens":3', b'"completion_tokens"', b'data: ' + b'x' * 3000 + b'"predicted_n":5}\n\n',
]
CONFIGS = [
    b'[http]\nlisten = ["127.0.0.1:8080", "[::1]:8080"]\ncors_origins = ["http://a.example"]\n'
    b'max_body = "64MiB"\nidle_timeout = "1m30s"\n[auth]\napi_key = "k"\n',
    b'[models]\ndirs = ["/srv/models"]\n[memory]\nreserve = { host = "1GiB" }\nsafety_factor = 1.1\n'
    b'[queue]\n[limits]\n[log]\n',
    b'[model."a"]\naliases = ["b"]\ncontext = 4096\ntier = "fast"\nargs = ["--mlock"]\n'
    b'[model."a".set]\ntemperature = 0.5\n[model."a".env]\nX = "1"\n', b'[http]\nlisen = 1\n',
    b'[rate_limit]\n[pull]\n[tiers]\n[state]\n[llama_server]\n', b'a = 1e300\n[[b]]\n', b'',
]
SERVER_TEXTS = [
    b'Available devices:\n  CUDA0: NVIDIA H100 (81079 MiB, 80000 MiB free)\n  Vulkan0: x (1 MiB, 1 '
    b'MiB free)\n', b'Available devices:\n  (none)\n',
    b'load_tensors:   CPU_Mapped model buffer size =  4685.30 MiB\nllama_kv_cache:      CUDA0 KV '
    b'buffer size =   512.00 MiB\nllama_context:  CUDA_Host compute buffer size = 9.01 MiB\n',
    b'llama_context:        CPU  output buffer size =     0.58 MiB\nRS buffer size = 1e400 MiB\n',
]
DIGEST = b'0123456789abcdef' * 4
COMMIT = DIGEST[:40]
# What tests/support/origin.py, hub.py and registry.py play, and what nobody means well with. The
# first byte is the one that origin_fuzz and sources_fuzz choose by.
ORIGINS = [b'0' + text for text in (
    b'https://huggingface.co/org/repo/resolve/main/a%20b.gguf?download=true#top\n/x?Expires=1&sig=2',
    b'HTTP://H:080\n//cdn.example:8443/y', b'https://[2001:DB8:0::1]:99/a/b/c?q\n../d/./e?f',
    b'https://8.8.8.8/x\nhttps://[::ffff:127.0.0.1]/', b'https://h/a/../b\n?z', b'https://h/\n',
    b'https://h/..//x\n/..//evil/../..', b'https://user:hunter2@h/x?token=hunter3\n',
    b'user:hunter2@http://h/', b'https://2130706433/\n', b'https://a.0x1/', b'https://h:65536/',
    b'https://h./', b'https://h%2e/', b'https://[fe80::1%25lo]/', b'https://a\\b/', b'https://h?x#y',
    b'https://h/\nhttps://user@x/', b'https://h/\nunix:/run/x.sock', b'https://h/\na:b', b'file:///x',
    b'https://h/\n#x', b'https://' + b'a' * 63 + b'.b:443/x\n' + b'../' * 20 + b'%2e%2e/y',
)] + [b'1' + text for text in (
    b'100-200 300 "v1"\nHTTP/1.1 206 Partial Content\nContent-Range: bytes 100-199/300\n'
    b'Content-Length: 100\nETag: "v1"\n\n',
    b'0-100\nHTTP/1.1 103 Early\nETag: "early"\n\nHTTP/2 200\nContent-Length: 300\n\n',
    b'0-1048576\nHTTP/1.1 206 x\nContent-Range: bytes 0-9/10\n',
    b'\nHTTP/1.1 302 Found\nLocation: https://cdn.example/x?sig=1\nX-Linked-Size: 5000\n',
    b'100-200 300 "v1"\nHTTP/1.1 206 x\nETag: "v2"\nContent-Range: bytes 101-199/300\n',
    b'100-200 300\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n', b'5-6\nHTTP/1.1 416 x\n',
    b' 300\nHTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6\n',
    b'\nHTTP/1.1 200 OK\nContent-Length: 9223372036854775808\nContent-Encoding: \x1b[31mgzip\n',
    b'\nHTTP/1.1 503 x\nRetry-After: Sun, 06 Nov 1994 08:49:47 GMT\n',
    b'\nHTTP/1.1 429 x\nRetry-After: 99999999999999999999\n',
    b'\nHTTP/1.1 503 x\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\n', b'\nHTTP/1.1 403 x\n',
    b'0-9\nHTTP/1.1 206 x\nContent-Range: bytes 0-18446744073709551615/18446744073709551616\n',
    b'\nHTTP/1.1 200 OK\nETag: "a\rX-Evil: 1"\n', b'\nHTTP/\nno colon\n: \nHTTP/1.1 404 x\n',
    b'0-9\nHTTP/1.1 206 x\nContent-Range: bytes 0-8/*\nContent-Type: multipart/byteranges\n',
)] + [b'2' + text for text in (
    b'0-1048576,2097152-4194304\n+1048576-2097152\n-0-10', b'', b'0-10,20-30,40-50\n+5-45\n-25-26',
    b'0-18446744073709551615\n-18446744073709551614-18446744073709551615', b'10-5', b'0-10,10-20',
    b'0-1,3-4,6-7\n1-3,4-6\n-0-9\n+0-299', b'-1-5', b'0-18446744073709551616',
)]
ENTRY = b'{"type":"file","oid":"1","size":9,"path":"%s","lfs":{"oid":"' + DIGEST + b'","size":5000}}'
KEPT = (b'4{"name":"org/repo:Q4_K_M","files":[{"path":"org/repo/m.gguf","url":"https://h/m.gguf",'
        b'"local":"","sha256":"","size":%s}],"notes":["n"],"overrides":[["context","8192"]],'
        b'"chat_template":"chatml","root":"/models","in_hub_cache":false,"hub":{"repo":"org/repo",'
        b'"revision":"' + COMMIT + b'"}}')
SOURCES = [b'0' + text for text in (
    b'org/repo', b'hf.co/org/repo@refs/pr/3:Q4_K_M', b'org/repo/sub/a-00001-of-00002.gguf',
    b'https://huggingface.co/org/repo/resolve/refs%2Fpr%2F3/sub/a%20%231.gguf?download=true',
    b'https://huggingface.co/org/repo/tree/main/', b'hf://datasets/x', b'org/re..po', b'org/repo@../x',
    b'org/repo/resolve/main/%2e%2e%2fx.gguf', b'org/repo/blob/main/a%252525252fb.gguf', b'qwen3',
    b'ollama://qwen3', b'ollama://[::1]:5000/me/qwen3:8b', b'ollama://hf.co/org/repo:Q8_0',
    b'https://ollama.com/library/qwen3:8b', b'ollama://a/b/c/d', b'ollama://../x/y',
    b'https://h:8443/a/model%20Q4.gguf?sig=1', b'https://h/%2e%2e%2fx.gguf', b'https://h/x.bin',
    b'file:///models/a%20b.gguf', b'file://localhost/m/../x.gguf', b'file:///a%00.gguf', b'ftp://x/y',
    b'./x.gguf', b'a b', b'org/repo\xe2\x80\xae', b'C:\\models\\x.gguf', b'a' + b'\xc3\xa9' * 150,
)] + [b'1' + text for text in (
    b'org/repo\n\n<https://huggingface.co/api/models/org/repo/tree/x?cursor=MQ==>; rel="next"\n['
    + b','.join(ENTRY % path for path in (
        b'm-Q4_K_M.gguf', b'm-Q8_0-00001-of-00002.gguf', b'm-Q8_0-00002-of-00002.gguf', b'README.md',
        b'sub/UD-Q4_K_XL/m-UD-Q4_K_XL.gguf', b'mmproj-F16.gguf', b'mtp-m.gguf', b'imatrix.gguf')) + b']',
    b'org/repo:q8_0\n\n\n[' + ENTRY % b'q8_0/m-00002-of-00002.gguf' + b']',
    b'org/repo:Q4\n\n\n[' + ENTRY % b'Q4_K_M/m.gguf' + b',' + ENTRY % b'mmproj-m-bf16.gguf' + b']',
    b'org/repo/a.gguf\n\n</x?y>; rel=prev, <//evil.example/>; REL="next"\n[' + ENTRY % b'a.gguf' + b']',
    b'org/repo\n*.gguf,[!a-m]*/?[]]*\n<\n[' + ENTRY % b'a/b.gguf' + b',' + ENTRY % b'z.gguf' + b']',
    b'org/repo\n4999\n\n[' + ENTRY % b'a-IQ2_XS.gguf' + b',' + ENTRY % b'b-F16.gguf' + b']',
    b'org/repo\n\n\n[' + b','.join(ENTRY % path for path in (
        b'../evil-Q4_K_M.gguf', b'/etc/x.gguf', b'a//b.gguf', b'a\\u0000.gguf', b'a%252e%252e%252fb.gguf',
        b'\\u202e.gguf', b'.hidden.gguf', b'x/.gguf', b'C:x.gguf', b'~x.gguf', b'a .gguf/b')) + b']',
    b'org/repo\n\n\n{"sha":"' + COMMIT + b'","gated":"manual"}', b'org/repo\n\n\n[[[{}]],1,null,"x"]',
    b'org/repo\n\n\n[{"type":"file","path":"m-Q4_0.gguf","size":18446744073709551615,"lfs":[]},'
    b'{"type":"file","path":"m-Q4_0-00001-of-00001.gguf","size":-1,"lfs":{"oid":7,"size":1e3}},'
    b'{"type":"file","path":"m-00000-of-00000.gguf"},{"type":"file","path":"m-99999-of-99999.gguf"}]',
)] + [b'2' + text for text in (
    b'ollama://qwen3:8b\n{"schemaVersion":2,"layers":['
    + b','.join(b'{"mediaType":"application/vnd.ollama.image.' + kind + b'","digest":"sha256:' + DIGEST
                + b'","size":7}' for kind in (b'model', b'projector', b'params', b'template', b'system',
                                              b'adapter', b'license', b'model')) + b']}',
    b'ollama://localhost:5000/me/x\n{"layers":[{"mediaType":"application/vnd.ollama.image.model",'
    b'"digest":"sha256:../../../etc/passwd"}]}', b'\n{"layers":{}}', b'\n{"layers":[1,{},null]}',
    b'ollama://' + b'a.' * 120 + b'example:65535/me/x\n{"layers":[{"mediaType":'
    b'"application/vnd.ollama.image.model","digest":"sha256:' + DIGEST + b'"}]}',
)] + [b'3' + text for text in (
    b'{"num_ctx":8192,"temperature":0.6,"top_k":20,"stop":["<|im_end|>","x"],"num_gpu":99,'
    b'"seed":"text","num_predict":-1,"min_p":-1e308,"mirostat":18446744073709551615}', b'[]',
    b'{"num_ctx":268435457,"stop":["\\u0000","\\u202e"],"\\u001b[31m":1}', b'{"stop":[],"top_k":null}',
    b'{"stop":' + b'[' * 300 + b']' * 300 + b'}', b'{"num_ctx":-1,"stop":[1],"":{},"temperature":1e400}',
    b'{%s}' % b','.join(b'"name%d":0' % i for i in range(300)),
    b'<|im_start|>user\n{{ .Prompt }}<|im_end|>\n', b'[INST] {{ .System }} [/INST]<<SYS>>',
    b'<|start_header_id|>{{ .Role }}<|end_header_id|><|eot_id|>', b'USER: ASSISTANT: ',
)] + [KEPT % size for size in (b'5000', b'-1', b'1e300', b'18446744073709551615', b'"5"', b'null')] + [
    b'4{}', b'4[]', b'4{"name":"\xff"}', b'4', KEPT[:-4] % b'1', KEPT.replace(b'"8192"', b'"8192",1') % b'1',
]


def bytes_of(steps):
    """What a case sends, without its pauses."""
    if isinstance(steps, bytes):
        return steps
    out = b''
    for step in steps:
        if isinstance(step, bytes):
            out += step
        elif isinstance(step, tuple) and step[0] == 'trickle':
            out += step[1]
    return out


def http_seeds(path):
    """(target, bytes) for the messages of the hostile cases."""
    spec = importlib.util.spec_from_file_location('http_cases', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for case in module.make_cases():
        messages = [('request_head_fuzz', bytes_of(case['raw']))]
        messages += [('response_head_fuzz', bytes_of(answer)) for answer in case['upstream'] or []]
        for target, message in messages:
            head, _, body = message.partition(b'\r\n\r\n')
            yield target, message
            if b'chunked' in head.lower():
                yield 'chunked_fuzz', body
            elif target == 'request_head_fuzz':
                yield 'peek_fuzz', body
            else:
                yield 'tail_tap_fuzz', body


def gguf_seeds(path):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, path, '--out', folder, '--no-sparse'], check=True,
                       stdout=subprocess.DEVNULL)
        for file in sorted(pathlib.Path(folder).rglob('*')):
            if file.is_file() and not file.is_symlink() and file.stat().st_size <= LARGEST:
                yield 'gguf_fuzz', file.read_bytes()


def seeds():
    for target, texts in (('peek_fuzz', BODIES), ('form_fuzz', FORMS), ('control_fuzz', CONTROL + BODIES),
                          ('tail_tap_fuzz', ANSWERS), ('config_fuzz', CONFIGS),
                          ('server_text_fuzz', SERVER_TEXTS), ('origin_fuzz', ORIGINS),
                          ('sources_fuzz', SOURCES)):
        for text in texts:
            yield target, text
    if HOSTILE.is_dir():
        yield from http_seeds(HOSTILE / 'http_cases.py')
        yield from gguf_seeds(HOSTILE / 'gguf_bad.py')


def keep(folder, data):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def write_seeds(arguments):
    for target, data in seeds():
        keep(pathlib.Path(arguments.folder) / target, data[:LARGEST])


def novelty(control):
    """What each file added to those before it: {path: number of features}, from -merge=1."""
    lines = control.read_text().splitlines()
    count = int(lines[0])
    files, added = lines[2:2 + count], {}
    for line in lines[2 + count:]:
        word, *numbers = line.split()
        if word == 'FT' and len(numbers) > 1:
            added[files[int(numbers[0])]] = len(numbers) - 1
    return added


def pick(target, program, folders):
    """Replaces the target's corpus by the best of it and of `folders`."""
    sources = [folder for folder in [CORPUS / target, *folders] if folder.is_dir()]
    with tempfile.TemporaryDirectory() as work:
        control = pathlib.Path(work) / 'control'
        merged = pathlib.Path(work) / 'merged'
        merged.mkdir()
        subprocess.run([program, '-merge=1', '-timeout=10', f'-merge_control_file={control}', merged,
                        *sources], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        added = novelty(control)
        best = sorted(added, key=lambda path: (-added[path], path))
        found = list(dict.fromkeys(pathlib.Path(path).read_bytes() for path in best))
    shutil.rmtree(CORPUS / target, ignore_errors=True)
    total = 0
    kept = [data for data in found[:MOST_FILES] if (total := total + len(data)) <= MOST_BYTES]
    for data in kept:
        keep(CORPUS / target, data)
    print(f'{target}: {len(kept)} of {len(found)} inputs, {sum(map(len, kept))} bytes')


def pick_all(arguments):
    programs = pathlib.Path(arguments.build) / 'tests/fuzz'
    for source in sorted(HERE.glob('*_fuzz.cpp')):
        target = source.stem
        if arguments.only in (None, target):
            folders = [pathlib.Path(folder) / target for folder in arguments.folders]
            pick(target, programs / target, folders)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser('seeds')
    command.add_argument('folder')
    command.set_defaults(run=write_seeds)
    command = commands.add_parser('pick')
    command.add_argument('build')
    command.add_argument('folders', nargs='*')
    command.add_argument('--only')
    command.set_defaults(run=pick_all)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == '__main__':
    main()
