#pragma once

#include <string_view>

namespace routerd::pull {

/// The name of llama.cpp's own chat template that writes turns as Ollama's (a Go template, which
/// llama-server cannot run) does, told by the markers in it: "chatml", "llama3"; empty: none that
/// is certain. Any bytes are fine.
std::string_view builtin_template_of(std::string_view text) noexcept;

}  // namespace routerd::pull
