#!/usr/bin/env python3
"""Plants faults in a small tree and sees that each lint refuses them, and nothing else."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class LintTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='routerd-lint-')
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write('common/CMakeLists.txt', 'foreach(room base api)  # from the top\nendforeach()')
        self.write('daemon/CMakeLists.txt', 'foreach(room net store scheduler\n        proxy)')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + '\n')

    def lint(self, name):
        """What the lint prints, as lines; its exit status must say the same."""
        run = subprocess.run([sys.executable, HERE / f'{name}.py', self.root],
                             capture_output=True, text=True)
        self.assertEqual(run.stderr, '')
        self.assertEqual(run.returncode, 1 if run.stdout else 0)
        return run.stdout.splitlines()

    def assert_refused(self, name, where):
        found = self.lint(name)
        self.assertEqual([line.split(': ')[0] for line in found], [where], found)

    def assert_accepted(self, name):
        self.assertEqual(self.lint(name), [])


class LayersTest(LintTest):
    def test_an_include_that_points_down_is_fine(self):
        self.write('daemon/proxy/x.cpp', '#include "daemon/net/y.hpp"\n#include "common/base/z.hpp"')
        self.write('cmd/routerd/main.cpp', '#include "daemon/proxy/x.hpp"\n#include <CLI/CLI.hpp>')
        self.assert_accepted('layers')

    def test_faults(self):
        for name, line in {
            'daemon/net/x.cpp': '#include "daemon/proxy/y.hpp"',
            'common/base/x.hpp': '#include "common/api/y.hpp"',
            'common/api/x.hpp': '#include "daemon/net/y.hpp"',
            'daemon/scheduler/x.cpp': '#include <boost/asio/steady_timer.hpp>',
            'daemon/scheduler/y.hpp': '#include "daemon/net/run_on.hpp"',
            'daemon/proxy/x.cpp': '#include <sqlite3.h>',
            'daemon/proxy/y.cpp': '#include <toml++/toml.h>',
            'daemon/proxy/z.cpp': '  #  include <CLI/CLI.hpp>',
            'daemon/proxy/main.cpp': '#include "cmd/routerd/x.hpp"',
            'daemon/store/x.cpp': '#include "../net/y.hpp"',
            'cmd/routerctl/x.cpp': '#include "daemon/net/y.hpp"',
        }.items():
            with self.subTest(name):
                self.write(name, '#include <string>\n' + line)
                self.assert_refused('layers', f'{name}:2')
                (self.root / name).unlink()

    def test_a_room_that_is_in_no_list(self):
        self.write('daemon/attic/x.cpp', '')
        self.assert_refused('layers', 'daemon/attic/x.cpp:1')


class CoAwaitTest(LintTest):
    def test_the_four_forms_are_fine(self):
        self.write('daemon/net/x.cpp', '''
            // if (co_await x()) is said in a comment
            const char* text = R"(f(co_await g());)";
            awaitable<void> f() {
                co_await g(a, b);
                x.y_ = co_await g(a);
                const auto x = co_await g(a);
                auto [ec, n] = co_await g(a);
                switch (n) { case Kind::one: co_await g(a); break; default: co_return co_await g(a); }
            }''')
        self.assert_accepted('co_await')

    def test_faults(self):
        for line in ('if (co_await g()) {}',
                     'while (co_await g()) {}',
                     'h(co_await g());',
                     'co_await g({.port = p});',
                     'co_await g([p] { return p; });',
                     'x = hit ? y : co_await g();',
                     'auto x = co_await g(a ? b : c);',
                     'auto x = (co_await g()).value();',
                     'for (auto x : co_await g()) {}'):
            with self.subTest(line):
                self.write('daemon/net/x.cpp', 'awaitable<void> f() {\n' + line + '\n}')
                self.assert_refused('co_await', 'daemon/net/x.cpp:2')


class TreeTest(LintTest):
    def test_files_that_are_named_where_they_should_be(self):
        self.write('daemon/net/CMakeLists.txt', 'SOURCES x.cpp deep/y.cpp')
        self.write('daemon/net/x.cpp', '')
        self.write('daemon/net/deep/y.cpp', '')
        self.write('tests/unit/daemon/net/CMakeLists.txt', 'SOURCES x_test.cpp')
        self.write('tests/unit/daemon/net/x_test.cpp', '')
        self.assert_accepted('tree')

    def test_a_source_that_is_never_compiled(self):
        self.write('daemon/net/CMakeLists.txt', 'SOURCES axx.cpp')
        self.write('daemon/net/xx.cpp', '')
        self.assert_refused('tree', 'daemon/net/xx.cpp:1')

    def test_a_test_of_nothing(self):
        self.write('tests/unit/daemon/attic/CMakeLists.txt', 'SOURCES x_test.cpp')
        self.write('tests/unit/daemon/attic/x_test.cpp', '')
        self.assert_refused('tree', 'tests/unit/daemon/attic/x_test.cpp:1')

    def test_an_end_to_end_test_that_no_run_would_find(self):
        self.write('tests/e2e/x_test.py', '')
        self.assert_refused('tree', 'tests/e2e/x_test.py:1')

    def test_a_long_file_and_a_header_without_guard(self):
        self.write('daemon/net/long.hpp', '#pragma once\n' + '\n' * 600)
        self.assert_refused('tree', 'daemon/net/long.hpp:602')
        self.write('daemon/net/long.hpp', 'int x;')
        self.assert_refused('tree', 'daemon/net/long.hpp:1')


class IntegersTest(LintTest):
    USE = 'std::uint32_t x = 1;'

    def test_an_include_of_its_own_or_of_a_header_of_ours_is_fine(self):
        self.write('common/base/x.hpp', '#include <cstdint>')
        self.write('common/base/y.hpp', '#include "common/base/x.hpp"')
        self.write('daemon/net/own.cpp', '#include <cstdint>\n' + self.USE)
        self.write('daemon/net/ours.cpp', '#include "common/base/y.hpp"\n' + self.USE)
        self.write('daemon/net/none.cpp', 'std::size_t x = 1;')
        self.assert_accepted('integers')

    def test_one_of_others_is_not(self):
        self.write('common/base/x.hpp', '#include <charconv>')
        self.write('daemon/net/x.cpp', '#include "common/base/x.hpp"\n' + self.USE)
        self.assert_refused('integers', 'daemon/net/x.cpp:2')


class ForbiddenTest(LintTest):
    def lint(self, name):
        subprocess.run(['git', 'init', '-q', self.root], check=True)
        subprocess.run(['git', '-C', self.root, 'add', '-A'], check=True)
        return super().lint(name)

    def test_an_ordinary_file_is_fine(self):
        self.write('daemon/net/x.cpp', 'void f() {\n    using namespace std::chrono_literals;\n}')
        self.assert_accepted('forbidden')

    def test_a_line_that_says_why(self):
        self.write('tests/unit/x_test.cpp', '// lint: allowed, the fault itself\nsleep_for(x);')
        self.assert_accepted('forbidden')

    def test_faults(self):
        for name, line in {
            'daemon/net/a.cpp': 'co_spawn(loop, f(), asio::detached);',
            'daemon/net/b.cpp': 'std::mutex mutex_;',
            'daemon/net/c.cpp': 'loop_.stop();',
            'daemon/net/d.cpp': '// TODO later',
            'cmd/routerd/e.cpp': 'std::system("ls");',
            'cmd/routerd/f.cpp': 'using namespace boost;',
            'tests/unit/a_test.cpp': 'std::this_thread::sleep_for(1s);',
            'tests/e2e/test_a.py': '    time.sleep(1)',
            'README.md': 'cd /work/main',
            'tests/e2e/npm/package-lock.json': '"resolved": "https://example.org/x.tgz"',
        }.items():
            with self.subTest(name):
                self.write(name, '\n' + line)
                self.assert_refused('forbidden', f'{name}:2')
                (self.root / name).unlink()


if __name__ == '__main__':
    unittest.main()
