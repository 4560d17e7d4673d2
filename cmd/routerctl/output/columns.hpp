#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace routerd::ctl {

// How much room text takes on a terminal. All `text` is UTF-8.

/// The columns that `text` takes; those of wide characters (East Asian, emoji) are two. Never too
/// few.
std::size_t columns_of(std::string_view text);

/// As much of the beginning of `text` as fits.
std::string_view first_columns(std::string_view text, std::size_t columns);

/// Foreign text made safe for a terminal, which knows UTF-8 or else ASCII alone.
std::string for_terminal(std::string_view text, bool utf8);

/// `text` in at most `columns` columns, with "…" (or "..") in its middle when something is left
/// out: the ends of a file's name tell most.
std::string shortened_in_the_middle(std::string_view text, std::size_t columns, bool utf8);

}  // namespace routerd::ctl
