#!/usr/bin/env python3
"""Refuses an include that points up: a room may include only itself and rooms above it.

The order is read from the CMakeLists.txt of common/ and daemon/; programs stand below both.
usage: layers.py ROOT   prints FILE:LINE: reason; exit status 1 when there was any.
"""
import pathlib
import re
import sys

ROOM_LIST = re.compile(r'foreach\(\s*room\s+([^)]*)\)')
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Decisions are pure: events in, actions out.
PURE = re.compile(r'daemon/(scheduler/|supervisor/lifecycle\.)')
IMPURE = re.compile(r'boost/asio|daemon/net/|spdlog/|sys/|unistd\.h')
# A heavy header stays in the room that wraps it.
HOMES = [
    (re.compile(r'sqlite3\.h'), ('daemon/store/', 'tests/unit/daemon/store/')),
    (re.compile(r'toml\+\+/|toml\.hpp'), ('common/config/', 'cmd/routerctl/')),
    (re.compile(r'CLI/'), ('cmd/', 'tools/', 'tests/')),
]


def rooms(root):
    """Every room, from the top of the house to the bottom."""
    out = []
    for part in ('common', 'daemon'):
        text = (root / part / 'CMakeLists.txt').read_text()
        text = re.sub(r'#[^\n]*', '', text)
        for names in ROOM_LIST.findall(text):
            out += [f'{part}/{name}' for name in names.split()]
    return out


def room_of(path):
    return '/'.join(pathlib.PurePosixPath(path).parts[:2])


def fault_of(path, kind, included, order):
    """Why `path` must not include this, or None."""
    for header, homes in HOMES:
        if header.match(included) and not path.startswith(homes):
            return f'{included} is only for {", ".join(homes)}'
    if PURE.match(path) and IMPURE.match(included):
        return f'pure code must not include {included}'
    if path.startswith('cmd/routerctl/') and included.startswith('daemon/'):
        return 'routerctl knows the daemon only through common/'
    if kind == '"' and included.startswith('.'):
        return 'include by the full path from the root'
    here, there = room_of(path), room_of(included)
    if here in order and there in order and order.index(there) > order.index(here):
        return f'{here} must not include {there}, which is below it'
    if here in order and included.startswith(('cmd/', 'tools/', 'tests/')):
        return f'{here} must not include {there}'
    return None


def faults(root):
    order = rooms(root)
    for top in ('common', 'daemon', 'cmd', 'tools'):
        for path in sorted((root / top).rglob('*.[ch]pp')):
            name = path.relative_to(root).as_posix()
            if top in ('common', 'daemon') and room_of(name) not in order:
                yield f'{name}:1: {room_of(name)} is in no list of rooms'
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                used = INCLUDE.match(line)
                fault = used and fault_of(name, used[1], used[2], order)
                if fault:
                    yield f'{name}:{number}: {fault}'


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
