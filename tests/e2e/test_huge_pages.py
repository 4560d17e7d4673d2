"""Where the code and the heap of the daemon lie, as the kernel tells it."""
import ctypes
import pathlib
import re
import unittest

import harness

MODES = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled')
HUGE = 2 << 20
REFUSE_NEW_CODE = 65, 1  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
CAN_REFUSE = 66, 0  # PR_GET_MDWE


def prctl(what, value):
    return ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def has_huge_pages():
    return MODES.is_file() and '[never]' not in MODES.read_text()


def is_sanitized():
    program = harness.ROUTERD.read_bytes()
    return b'__asan_init' in program or b'__tsan_init' in program


class Mapping:
    def __init__(self, line):
        addresses, self.rights, _, _, self.inode, *name = line.split()
        self.begin, self.end = (int(address, 16) for address in addresses.split('-'))
        self.name = ' '.join(name)
        self.resident = 0  # KiB
        self.flags = []


def mappings(pid):
    found = []
    for line in pathlib.Path(f'/proc/{pid}/smaps').read_text().splitlines():
        if re.match('[0-9a-f]+-', line):
            found.append(Mapping(line))
        elif line.startswith('Rss:'):
            found[-1].resident = int(line.split()[1])
        elif line.startswith('VmFlags:'):
            found[-1].flags = line.split()[1:]
    return found


@unittest.skipUnless(has_huge_pages(), 'the system has no huge pages')
@unittest.skipIf(is_sanitized(), 'sanitizers want code where its file is, and have a heap of theirs')
class HugePagesTest(harness.E2ETest):
    def started(self, before_start=None, **environment):
        router = self.daemon()
        router.environment.update(environment)
        router.before_start = before_start
        return router.start()

    def code(self, router):
        """The executable mappings that are no library's."""
        return [each for each in mappings(router.process.pid) if 'x' in each.rights and
                ('.so' not in each.name and not each.name.startswith('['))]

    def test_code_and_heap_are_of_huge_pages(self):
        router = self.started()
        code, = self.code(router)
        self.assertEqual((code.inode, code.rights), ('0', 'r-xp'))
        self.assertIn('hg', code.flags)
        self.assertEqual((code.begin % HUGE, code.end % HUGE), (0, 0))
        heap = [each for each in mappings(router.process.pid)
                if each.name == '[heap]' and each.resident > 0]
        self.assertTrue(heap)
        for each in heap:
            self.assertIn('hg', each.flags)
            self.assertEqual(each.begin % HUGE, 0)

    def test_code_stays_in_its_file_where_somebody_says_so(self):
        code, = self.code(self.started(ROUTERD_HUGE_CODE='0'))
        self.assertEqual(pathlib.Path(code.name), harness.ROUTERD.resolve())

    def test_a_system_that_forbids_new_code_has_its_way(self):
        if prctl(*CAN_REFUSE) < 0:
            self.skipTest('the kernel has no such rule')
        code, = self.code(self.started(lambda: prctl(*REFUSE_NEW_CODE)))
        self.assertEqual(pathlib.Path(code.name), harness.ROUTERD.resolve())


if __name__ == '__main__':
    harness.main()
