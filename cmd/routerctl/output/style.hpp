#pragma once

#include <string>
#include <string_view>

namespace routerd::ctl {

enum class Style { plain, good, busy, bad, dim, bold };

/// Colours text where that is wanted, and leaves it alone where not.
class Palette {
  public:
    enum class Use { off, on };
    explicit Palette(Use use = Use::off) noexcept : on_(use == Use::on) {}

    std::string paint(std::string_view text, Style style) const;

  private:
    bool on_;
};

/// Green for ready and complete, yellow for on its way, red for crashed and failed.
Style style_of_state(std::string_view state) noexcept;

}  // namespace routerd::ctl
