#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace routerd {

/// Keeps the last bytes of an answer as it passes: its figures (usage, timings) come at the end.
class TailTap {
  public:
    void see(std::string_view piece);

    /// The last piece: of an answer that came in one nothing is kept but its figures.
    void see_last(std::string_view piece);

    struct Figures {
        std::optional<double> tokens_per_second;         ///< timings.predicted_per_second
        std::optional<std::uint64_t> completion_tokens;  ///< usage, or timings.predicted_n
        std::optional<std::uint64_t> prompt_tokens;      ///< usage, or timings.prompt_n
    };
    /// Looked for once, after the last byte has gone to the client.
    Figures figures() const;

    static constexpr std::size_t kept = 1000;  ///< bytes; usage and timings take about 600

  private:
    std::optional<Figures> of_whole_;  // of an answer in one piece
    std::unique_ptr<std::array<char, kept>> ring_;
    std::size_t total_ = 0;
};

}  // namespace routerd
