#!/usr/bin/env python3
"""Refuses words that stand for a way of doing things which this project does not take.

A line that must have one says why, on itself or on the line before: "lint: allowed, <why>".
usage: forbidden.py ROOT   prints FILE:LINE: reason; exit status 1 when there was any.
"""
import pathlib
import re
import subprocess
import sys

CODE = r'(common|daemon|cmd|tools)/.*\.[ch]pp'
DAEMON = r'daemon/.*\.[ch]pp'
TEST = r'tests/.*(_test\.cpp|/test_\w+\.py)'
TEXT = r'.*\.(cpp|hpp|py|md|txt|cmake|toml|sh|json)|scripts/.*'
ITSELF = r'(?!tests/lint/)'

# (files, words, reason)
RULES = [
    (CODE, r'asio::detached|\bdetached\)', 'nothing runs unowned: spawn it in a TaskGroup'),
    (DAEMON, r'(io_context|loop|context)_?\.stop\(', 'end the tasks, and the loop runs dry'),
    (r'(?!daemon/net/mailbox\.hpp|daemon/transfer/(engine|disk_pool)\.)' + DAEMON,
     r'std::(recursive_|shared_)?mutex|std::lock_guard',
     'one loop owns all state; others send it messages (daemon/net/mailbox.hpp)'),
    (CODE, r'sleep_for|\busleep\(|\bsleep\(', 'wait for the event, with a deadline'),
    (TEST, r'sleep_for|\busleep\(|time\.sleep\(', 'a test waits for the event'),
    (CODE, r'\b(std::)?system\(|\bpopen\(', 'children are started by daemon/process'),
    (CODE, r'^using namespace',
     'name what is used, or do it inside a function'),
    (ITSELF + TEXT, r'\b(TODO|FIXME|XXX)\b', 'do it now, or file an issue'),
    (ITSELF + TEXT, r'(?<![\w.])/(work|opt/llama)/', 'a path of somebody\'s machine'),
    (r'.*package-lock\.json', r'"resolved"', 'the registry is the machine\'s own'),
]
RULES = [(re.compile(files), re.compile(words), why) for files, words, why in RULES]


def tracked(root):
    listed = subprocess.run(['git', '-C', root, 'ls-files', '-z'], capture_output=True, check=True)
    return [name.decode() for name in listed.stdout.split(b'\0') if name]


def faults(root, names):
    for name in names:
        rules = [rule for rule in RULES if rule[0].fullmatch(name)]
        path = root / name
        if not rules or not path.is_file():
            continue
        before = ''
        for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
            allowed = 'lint: allowed, ' in before + line
            before = line
            for _, words, why in rules:
                found = words.search(line)
                if found and not allowed:
                    yield f'{name}:{number}: \'{found[0].strip()}\': {why}'


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(faults(root, tracked(root)))
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
