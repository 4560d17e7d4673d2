#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd::client {

/// One event of a text/event-stream, or one comment line of it.
struct SseEvent {
    std::string name;     ///< "message" when the stream does not say
    std::string data;     ///< its lines joined by '\n'
    std::string id;       ///< the last one given
    std::string comment;  ///< not empty: a comment; all else is empty then
};

/// Takes a text/event-stream apart as its bytes come.
class SseParser {
  public:
    /// Called for each event and comment; false: enough, no more.
    using Sink = std::function<bool(const SseEvent&)>;

    /// True while more is wanted. Errors: upstream_error for a line or event over 16 MiB.
    Result<bool> push(std::string_view bytes, const Sink& sink);

  private:
    bool take_line(std::string_view line, const Sink& sink);

    std::string line_;
    SseEvent event_;
    bool has_data_ = false;
    bool after_cr_ = false;
};

}  // namespace routerd::client
