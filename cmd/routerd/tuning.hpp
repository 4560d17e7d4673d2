#pragma once

namespace routerd {

/// What the process asks of the system and of malloc() for itself. Main thread, before any other.

/// Bodies of requests come and go by the thousand: a heap that is cut and grown again with each
/// costs more in page faults than all that is done with them. It grows by huge pages, if
/// keep_blocks_at_hand() could say that they are wanted: what a request needs then lies on one or
/// two pages in place of sixty, see huge_code.hpp.
void keep_heap_grown() noexcept;

/// Each thread of glibc keeps seven freed blocks of a size at hand; what more requests than that
/// at once free goes the long way round, which is a twelfth of a small request's processor time at
/// 64 connections (tests/bench/proxy_bench). How many it keeps, and that the heap is to be of huge
/// pages, can be said in the environment only, as a process begins: so this begins again, with the
/// same arguments and process id. Does nothing where GLIBC_TUNABLES is set, or where it cannot.
void keep_blocks_at_hand(char** argv) noexcept;

/// Each stream takes two descriptors. The soft limit is for programs that use select(), which this
/// is not. Logs a failure, which matters only later.
void raise_file_limit();

}  // namespace routerd
