#pragma once

namespace routerd {

/// Moves the program's own code into huge pages where the system has them (x86-64 with transparent
/// huge pages; the linker has aligned the code for it). What a request runs lies on some 130 small
/// pages all over the program. Behind an idle moment each costs a walk through the page tables, in
/// a virtual machine through two sets of them, and where the host looks after which memory is used,
/// a fault of some 100 us each: a tenth of a request's processor time at 1,000 a second
/// (tests/bench/proxy_bench --case rate).
///
/// Addresses stay what they are. It costs as much memory as there is code, rounded up to 2 MiB, in
/// place of what of it was in the page cache's. Debuggers do not mind; perf has no symbols for code
/// that belongs to no file: ROUTERD_HUGE_CODE=0 leaves it where it was. Does nothing where the
/// system forbids new code (MemoryDenyWriteExecute=). Main thread, before any other.
void move_code_to_huge_pages();

}  // namespace routerd
