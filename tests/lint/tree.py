#!/usr/bin/env python3
"""Refuses a file that stands in the wrong place or that no build would ever see.

Every .cpp is named in the CMakeLists.txt of its folder or of one above; tests/unit mirrors the tree;
every end-to-end test is found by its CMakeLists.txt; files are short.
usage: tree.py ROOT   prints FILE:LINE: reason; exit status 1 when there was any.
"""
import pathlib
import re
import sys

TOPS = ('common', 'daemon', 'cmd', 'tools', 'tests')
LONGEST = 500  # lines; 300 is what to aim at


def is_named(root, path):
    """Whether a CMakeLists.txt between `path` and the root lists it, by a path relative to its own."""
    folder = path.parent
    while folder != root:
        recipe = folder / 'CMakeLists.txt'
        if recipe.is_file():
            name = re.escape(path.relative_to(folder).as_posix())
            if re.search(rf'(?<![\w/.-]){name}(?![\w/.-])', recipe.read_text()):
                return True
        folder = folder.parent
    return False


def mirrored(root, path):
    """Whether the room that tests/unit/<room>/x_test.cpp is about exists."""
    room = path.relative_to(root / 'tests/unit').parent
    return (root / room).is_dir()


def faults(root):
    for top in TOPS:
        for path in sorted((root / top).rglob('*.[ch]pp')):
            name = path.relative_to(root).as_posix()
            lines = path.read_text().count('\n')
            if lines > LONGEST:
                yield f'{name}:{lines}: longer than {LONGEST} lines: a second idea wants a file'
            if path.suffix == '.cpp' and not is_named(root, path):
                yield f'{name}:1: no CMakeLists.txt names it: it is never compiled'
            if name.startswith('tests/unit/') and not mirrored(root, path):
                yield f'{name}:1: there is no {path.relative_to(root / "tests/unit").parent} to test'
            if path.suffix == '.hpp' and '#pragma once' not in path.read_text():
                yield f'{name}:1: a header begins with #pragma once'
    for path in sorted((root / 'tests/e2e').glob('*_test.py')):
        yield f'{path.relative_to(root)}:1: end-to-end tests are called test_*.py'


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
