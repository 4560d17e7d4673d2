#!/usr/bin/env python3
"""Refuses the forms of co_await that g++ 12 miscompiles (double free, crash, wrong branch).

Allowed, each as a whole statement:   co_await f(a, b);      x = co_await f(a);
                                      auto x = co_await f(a); co_return co_await f(a);
Arguments are names or scalars: no braces, no lambda, no ?: in the statement.
usage: co_await.py ROOT   prints FILE:LINE: reason; exit status 1 when there was any.
"""
import pathlib
import re
import sys

NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<raw>[^()\s]*)\(.*?\)(?P=raw)"'
                      r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
ALLOWED_BEFORE = re.compile(
    r'\s*(?:(?:case\s+[\w:]+|default)\s*:(?!:))?'
    r'\s*(?:co_return'
    r'|(?:\[\[maybe_unused\]\]\s*)?(?:const\s+)?auto\s*&?\s*(?:\w+|\[[\w\s,]*\])\s*='
    r'|[\w.:<>,\s*&\[\]-]*\w\s*='
    r')?\s*')


def blank(match):
    return re.sub(r'[^\n]', ' ', match.group())


def faults(text):
    text = NOT_CODE.sub(blank, text)
    for word in re.finditer(r'\bco_await\b', text):
        start = max(text.rfind(c, 0, word.start()) for c in ';{}') + 1
        end = text.find(';', word.end())
        before, after = text[start:word.start()], text[word.end():end]
        line = text.count('\n', 0, word.start()) + 1
        if not ALLOWED_BEFORE.fullmatch(before):
            yield line, 'co_await must stand alone: name its result in a statement of its own'
        elif re.search(r'[{}?]', after):
            yield line, 'no braces, lambda or ?: in a co_await statement: name the argument first'


def main():
    root = pathlib.Path(sys.argv[1])
    bad = 0
    for top in ('common', 'daemon', 'cmd', 'tools', 'tests'):
        for path in sorted((root / top).rglob('*.[ch]pp')):
            for line, reason in faults(path.read_text()):
                print(f'{path.relative_to(root)}:{line}: {reason}')
                bad += 1
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
