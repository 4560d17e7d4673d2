#include "cmd/routerd/huge_code.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <link.h>
#include <sys/mman.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr bool may_move = true;
#else
constexpr bool may_move = false;  // sanitizers find names by the files of mappings
#endif

constexpr std::size_t huge = 2U << 20U;  // bytes of a page
constexpr std::size_t small = 4096;

std::size_t round_up(std::size_t size, std::size_t page) {
    return (size + page - 1) / page * page;
}

bool is_wanted() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet.
    const char* said = std::getenv("ROUTERD_HUGE_CODE");
    return may_move && (said == nullptr || std::string_view(said) != "0");
}

/// As /sys has it: one of "always [madvise] never".
bool has_huge_pages() {
    std::ifstream enabled("/sys/kernel/mm/transparent_hugepage/enabled");
    std::ifstream size("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
    std::string modes;
    std::size_t bytes = 0;
    return std::getline(enabled, modes) && modes.find("[never]") == std::string::npos &&
           size >> bytes && bytes == huge;
}

struct Code {
    char* begin;
    std::size_t size;
};

/// Of dl_iterate_phdr(): looks at the first, which is the program.
int look_for_code(dl_phdr_info* program, std::size_t /*size*/, void* found) {
    for (const auto& part : std::span(program->dlpi_phdr, program->dlpi_phnum)) {
        if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0) {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader has addresses as numbers.
            auto* const begin = reinterpret_cast<char*>(program->dlpi_addr + part.p_vaddr);
            *static_cast<Code*>(found) = {begin, part.p_memsz};
        }
    }
    return 1;  // no more
}

/// The program's, where it begins with a huge page.
std::optional<Code> find_code() {
    Code code{};
    ::dl_iterate_phdr(&look_for_code, &code);
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(code.begin) % huge == 0;
    return code.begin != nullptr && is_aligned ? std::optional(code) : std::nullopt;
}

void* map(void* where, std::size_t size, int flags) {
    return ::mmap(where, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/// What lies between the code and the end of its last huge page was nobody's, and is nobody's from
/// now on.
bool take_rest(const Code& code) {
    const auto used = round_up(code.size, small);
    const auto rest = round_up(code.size, huge) - used;
    auto* const end = code.begin + used;
    return rest == 0 || map(end, rest, MAP_FIXED_NOREPLACE) == end;
}

bool copy_to(void* place, std::size_t size, const Code& code) {
    if (::mprotect(place, size, PROT_READ | PROT_WRITE) != 0 ||
        ::madvise(place, size, MADV_HUGEPAGE) != 0) {
        return false;
    }
    std::memcpy(place, code.begin, code.size);
    return ::mprotect(place, size, PROT_READ | PROT_EXEC) == 0 &&
           ::mremap(place, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, code.begin) != MAP_FAILED;
}

/// False, and errno says why: the code is where it was.
bool move(const Code& code) {
    const auto size = round_up(code.size, huge);
    if (!take_rest(code)) {
        return false;
    }
    auto* const room = map(nullptr, size + huge, 0);  // in which something aligned has its place
    if (room == MAP_FAILED) {
        return false;
    }
    void* place = room;
    auto space = size + huge;
    std::align(huge, size, place, space);
    const bool is_done = copy_to(place, size, code);
    const int why = errno;
    ::munmap(room, size + huge);  // what has moved out of it is not in it
    errno = why;
    return is_done;
}

}  // namespace

void move_code_to_huge_pages() {
    if (!is_wanted() || !has_huge_pages()) {
        return;
    }
    const auto code = find_code();
    if (code && !move(*code)) {
        spdlog::debug("move the code to huge pages: {}, going on without",
                      std::generic_category().message(errno));
    }
}

}  // namespace routerd
