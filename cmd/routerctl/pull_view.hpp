#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/routerctl/context.hpp"
#include "cmd/routerctl/output/screen.hpp"
#include "common/api/pull.hpp"

namespace routerd::ctl {

/// How a pull goes on, on stderr: bars on a terminal, elsewhere a line for each 10 %. --quiet shows
/// neither.
class PullView {
  public:
    explicit PullView(const Context& context);

    void show(const api::Pull& pull);

    /// A note for people, above the bars: "routerctl: …".
    void say(std::string_view text);

    /// Leaves the bars as they are.
    void leave();

  private:
    void draw(const api::Pull& pull);
    void tell(const api::Pull& pull);

    const Context& context_;
    Screen screen_;
    bool quiet_;
    bool draws_;  // else tells
    bool utf8_;
    std::size_t notes_ = 0;              // that were said
    std::optional<std::uint64_t> step_;  // of 10 %, or a GiB where the size is not known
    bool sized_ = false;                 // which of both
    std::string trouble_;                // why it tries again, as said last
};

/// Follows `pull` until it is at rest and prints what came of it: the ids of the models, or the
/// Pull in the format asked for. The exit code: Ctrl-C is 130 and says how to come back. A daemon
/// that goes away is waited for that long: it takes its pulls up again when it starts.
int follow_pull(Context& context, const api::Pull& pull,
                std::chrono::milliseconds wait_for_daemon = std::chrono::seconds(10));

/// The bearer token in a file, "-" being standard input; says so when others may read the file.
/// Errors: unavailable, with the system's reason; invalid_request when there is none in it.
Result<std::string> read_token(const Context& context, const std::string& path);

}  // namespace routerd::ctl
