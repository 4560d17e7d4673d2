#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cmd/routerctl/output/style.hpp"
#include "common/api/pull.hpp"

namespace routerd::ctl {

/// One line on a terminal.
struct ScreenLine {
    std::string text;         ///< safe for a terminal; may be coloured
    std::size_t columns = 0;  ///< that it takes there
};

/// What a terminal can show.
struct Look {
    std::size_t width = 80;  ///< columns
    std::size_t rows = 24;
    bool utf8 = true;
    Palette colors;
};

/// A bar for each file of `pull` and, when there are several, one for all:
///     model-Q4_K_M.gguf   42%  ████████░░░░  1.7 GiB/4.1 GiB  38 MiB/s  1m 4s
/// No line is as wide as the terminal, so that none wraps, and there are fewer lines than it has
/// rows. Where room lacks, figures are left out first, then names are shortened.
std::vector<ScreenLine> render_progress(const api::Pull& pull, const Look& look);

/// The same in one line without a bar, for a log: "org/repo:Q4_K_M: 40 % of 4.1 GiB, 38 MiB/s,
/// 1m 4s left".
std::string progress_in_words(const api::Pull& pull);

/// Of what there is to come, 0 to 100; 100 is only said when all is here.
unsigned percent_of(std::uint64_t done, std::uint64_t size) noexcept;

/// "45 s", "1m 4s": of what is left.
std::string format_eta(std::uint64_t seconds);

}  // namespace routerd::ctl
