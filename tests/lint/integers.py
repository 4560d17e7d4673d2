#!/usr/bin/env python3
"""Refuses std::uint32_t and the like where no <cstdint> is included: neither by the file nor by one
of ours that it includes. Debian 12's library brings it along with others, Debian 13's does not.

usage: integers.py ROOT   prints FILE:LINE: reason; exit status 1 when there was any.
"""
import functools
import pathlib
import re
import sys

INTEGER = re.compile(r'\bstd::u?int(8|16|32|64)_t\b')
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


class Tree:
    def __init__(self, root):
        self.root = root

    def files(self):
        for top in ('common', 'daemon', 'cmd', 'tools', 'tests'):
            yield from sorted((self.root / top).rglob('*.[ch]pp'))

    @functools.lru_cache(None)
    def included(self, path):
        return INCLUDE.findall(path.read_text()) if path.is_file() else []

    def has_integers(self, path):
        """Whether what `path` includes brings them."""
        seen, left = set(), [path]
        while left:
            here = left.pop()
            names = self.included(here)
            if 'cstdint' in names:
                return True
            new = {self.root / name for name in names} - seen
            seen |= new
            left += new
        return False

    def faults(self):
        for path in self.files():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if INTEGER.search(line) and not self.has_integers(path):
                    yield f'{path.relative_to(self.root)}:{number}: include <cstdint>'
                    break


def main():
    found = list(Tree(pathlib.Path(sys.argv[1])).faults())
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
