#include "cmd/routerctl/chat.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "cmd/routerctl/output/one_line.hpp"
#include "common/api/codec.hpp"
#include "common/api/error_body.hpp"

namespace routerd::ctl {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Collects one streamed answer.
class Listener {
  public:
    Listener(Answer& answer, const Conversation::Sink& sink) : answer_(answer), sink_(sink) {}

    /// False when the answer is over or failed.
    bool take(const client::SseEvent& event) {
        if (!event.comment.empty()) {
            sink_(Part::progress, event.comment);
            return true;
        }
        if (event.data == "[DONE]") {
            done_ = true;
            return false;
        }
        const auto chunk = Json::parse(event.data, nullptr, false);
        if (event.name == "error" || !chunk.is_object() || chunk.contains("error")) {
            fail(event.data);
            return false;
        }
        take_chunk(chunk);
        return true;
    }

    Result<void> outcome() const {
        if (failure_) {
            return *failure_;
        }
        if (!done_ && answer_.finish_reason.empty()) {
            return Error(Errc::upstream_error, "the answer was cut off");
        }
        return {};
    }

  private:
    void fail(const std::string& data) {
        const auto body = api::decode<api::ErrorBody>(data);
        failure_ = body && !body->error.message.empty()
                       ? body->to_error(502)
                       : Error(Errc::upstream_error, "the answer is not what was expected");
    }

    void take_chunk(const Json& chunk) {
        if (chunk.contains("usage") && chunk["usage"].is_object()) {
            answer_.usage = one_line(chunk["usage"]);
        }
        if (chunk.contains("timings")) {
            answer_.timings = one_line(chunk["timings"]);
        }
        const auto choices = chunk.find("choices");
        if (choices == chunk.end() || !choices->is_array() || choices->empty()) {
            return;
        }
        const auto& choice = choices->front();
        const auto reason = text_of(choice, "finish_reason");
        answer_.finish_reason = reason.empty() ? answer_.finish_reason : reason;
        const auto delta = choice.find("delta");
        if (delta != choice.end() && delta->is_object()) {
            take_text(Part::reasoning, text_of(*delta, "reasoning_content"), answer_.reasoning);
            take_text(Part::content, text_of(*delta, "content"), answer_.content);
        }
    }

    void take_text(Part part, const std::string& text, std::string& whole) {
        if (!text.empty()) {
            whole += text;
            sink_(part, text);
        }
    }

    Answer& answer_;
    const Conversation::Sink& sink_;
    std::optional<Error> failure_;
    bool done_ = false;
};

}  // namespace

Conversation::Conversation(client::Client& client, ChatOptions options)
    : client_(client), options_(std::move(options)), messages_(std::make_unique<Json>()) {
    clear();
}

Conversation::~Conversation() = default;

void Conversation::clear() {
    *messages_ = Json::array();
    if (!options_.system.empty()) {
        messages_->push_back({{"role", "system"}, {"content", options_.system}});
    }
}

Result<Answer> Conversation::ask(const std::string& prompt, const Sink& sink) {
    Json messages = *messages_;
    messages.push_back({{"role", "user"}, {"content", prompt}});
    Json body{{"model", options_.model},
              {"stream", true},
              {"stream_options", {{"include_usage", true}}},
              {"messages", messages}};
    if (options_.max_tokens) {
        body["max_tokens"] = *options_.max_tokens;
    }
    if (options_.temperature) {
        body["temperature"] = *options_.temperature;
    }
    Answer answer;
    Listener listener(answer, sink);
    const auto streamed = client_.chat(one_line(body), [&listener](const client::SseEvent& event) {
        return listener.take(event);
    });
    if (!streamed) {
        return streamed.error();
    }
    const auto outcome = listener.outcome();
    if (!outcome) {
        return outcome.error();
    }
    messages.push_back({{"role", "assistant"}, {"content", answer.content}});
    *messages_ = std::move(messages);
    return answer;
}

std::string encode(const Answer& answer, const std::string& model) {
    const auto parsed = [](const std::string& text) {
        return text.empty() ? Json() : Json::parse(text, nullptr, false);
    };
    return one_line(Json{{"model", model},
                         {"content", answer.content},
                         {"reasoning", answer.reasoning},
                         {"finish_reason", answer.finish_reason},
                         {"usage", parsed(answer.usage)},
                         {"timings", parsed(answer.timings)}});
}

}  // namespace routerd::ctl
