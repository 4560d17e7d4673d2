#pragma once

#include <string_view>

namespace routerd::gguf {

/// What a chat template (Jinja) can do, told by the variables and markers in it.
struct TemplateTraits {
    bool thinking = false;  ///< it has a place for the model's reasoning
    bool tools = false;     ///< it writes out the tools that the request offers
};

/// Looks only; nothing of the template is run. Any bytes are fine.
TemplateTraits template_traits(std::string_view text);

}  // namespace routerd::gguf
