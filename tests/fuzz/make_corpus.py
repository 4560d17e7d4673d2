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
    for target, texts in (('peek_fuzz', BODIES), ('control_fuzz', CONTROL + BODIES),
                          ('tail_tap_fuzz', ANSWERS), ('config_fuzz', CONFIGS),
                          ('server_text_fuzz', SERVER_TEXTS)):
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
