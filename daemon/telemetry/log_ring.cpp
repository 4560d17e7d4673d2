#include "daemon/telemetry/log_ring.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/sinks/base_sink.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

constexpr std::size_t longest_line = 8192;  // bytes

std::string text_of(const spdlog::details::log_msg& message) {
    const auto level = spdlog::level::to_string_view(message.level);
    std::string text(level.data(), level.size());
    text += ": ";
    text += escaped(
        std::string_view(message.payload.data(), message.payload.size()).substr(0, longest_line));
    text.resize(std::min(text.size(), longest_line));
    return text;
}

}  // namespace

// lint: allowed, any thread may log, and the loop reads: they take turns at the base's mutex
using SharedSink = spdlog::sinks::base_sink<std::mutex>;
using Turn = std::lock_guard<std::mutex>;  // lint: allowed, see above

class LogRing::Sink : public SharedSink {
  public:
    Sink(boost::asio::any_io_executor executor, std::weak_ptr<Broadcast<>> grown)
        : executor_(std::move(executor)), grown_(std::move(grown)) {}

    std::vector<Line> after(std::uint64_t number) {
        const Turn turn(mutex_);
        const auto oldest = last_ - lines_.size();  // number before the first kept
        const auto skip = number > oldest ? number - oldest : 0;
        if (skip >= lines_.size()) {
            return {};
        }
        return {lines_.begin() + static_cast<std::ptrdiff_t>(skip), lines_.end()};
    }

    /// From now on nobody is told: the loop is about to go.
    void leave_loop() {
        const Turn turn(mutex_);
        executor_.reset();
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        lines_.push_back({++last_, message.time, text_of(message)});
        if (lines_.size() > kept) {
            lines_.pop_front();
        }
        if (executor_ && !std::exchange(posted_, true)) {
            boost::asio::post(*executor_, [this, grown = grown_] { tell(grown); });
        }
    }

    void flush_() override {}

  private:
    /// On the loop. `grown` is alive only while the LogRing, and so this, is.
    void tell(const std::weak_ptr<Broadcast<>>& grown) {
        const auto listeners = grown.lock();
        if (!listeners) {
            return;
        }
        {
            const Turn turn(mutex_);
            posted_ = false;
        }
        listeners->tell();
    }

    std::optional<boost::asio::any_io_executor> executor_;
    std::weak_ptr<Broadcast<>> grown_;
    std::deque<Line> lines_;
    std::uint64_t last_ = 0;
    bool posted_ = false;
};

LogRing::LogRing(const boost::asio::any_io_executor& executor)
    : grown_(std::make_shared<Broadcast<>>()), sink_(std::make_shared<Sink>(executor, grown_)) {}

LogRing::~LogRing() {
    sink_->leave_loop();
}

std::shared_ptr<spdlog::sinks::sink> LogRing::sink() const {
    return sink_;
}

std::vector<LogRing::Line> LogRing::after(std::uint64_t number) const {
    return sink_->after(number);
}

}  // namespace routerd
