#pragma once

#include <string_view>

namespace routerd::ctl {

// The files of completions/, built in.
std::string_view bash_completion() noexcept;
std::string_view zsh_completion() noexcept;
std::string_view fish_completion() noexcept;

}  // namespace routerd::ctl
