#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/client/client.hpp"

namespace routerd::ctl {

struct ChatOptions {
    std::string model;
    std::string system;
    std::optional<unsigned> max_tokens;
    std::optional<double> temperature;
};

/// One whole answer.
struct Answer {
    std::string content;
    std::string reasoning;
    std::string finish_reason;
    std::string usage;    ///< JSON; empty: not told
    std::string timings;  ///< JSON; empty: not told
};

/// What the parts of a streamed answer are for.
enum class Part { content, reasoning, progress };

/// Answers of a model to messages that follow each other.
class Conversation {
  public:
    using Sink = std::function<void(Part, std::string_view)>;

    Conversation(client::Client& client, ChatOptions options);
    ~Conversation();
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    /// Sends `prompt` with what was said before; every piece goes to `sink` as it comes. Only a
    /// whole answer becomes part of the conversation. Errors: of Client::chat, and upstream_error
    /// for an answer that was cut off.
    Result<Answer> ask(const std::string& prompt, const Sink& sink);

    /// Forgets what was said.
    void clear();

  private:
    client::Client& client_;
    ChatOptions options_;
    std::unique_ptr<nlohmann::json> messages_;  // pimpl: keeps json.hpp out of this header
};

/// The answer as JSON: model, content, reasoning, finish_reason, usage, timings.
std::string encode(const Answer& answer, const std::string& model);

}  // namespace routerd::ctl
