#pragma once

#include <cstdint>
#include <optional>

#include "daemon/transfer/engine.hpp"
#include "daemon/transfer/request.hpp"
#include "daemon/transfer/response.hpp"

namespace routerd::transfer {

/// One small answer on its way, on the engine's thread: follows redirects, tries again after what
/// passes.
class DocumentFetch : private Request::Sink {
  public:
    DocumentFetch(Engine& engine, std::uint64_t id, Question question);
    ~DocumentFetch() override;

    void step(TimePoint now);
    bool finish(const CURL* easy, CURLcode code);
    void stop();
    bool is_over() const noexcept { return over_; }

  private:
    bool on_line(std::string_view line) override;
    Taken on_data(std::span<const char> data) override;

    void start(http::Url url);
    void follow();
    void again_or_end(Error error, std::optional<std::chrono::seconds> delay);
    void end(Result<Answer> answer);

    Engine& engine_;
    std::uint64_t id_;
    Question question_;
    Request request_;
    std::optional<http::Url> url_;
    unsigned hops_ = 0;
    unsigned failures_ = 0;
    ResponseHead head_;
    Answer answer_;
    std::optional<Error> error_;  // why we broke it off
    TimePoint last_byte_;
    TimePoint retry_at_;
    bool over_ = false;
};

}  // namespace routerd::transfer
