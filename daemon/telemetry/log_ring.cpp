#include "daemon/telemetry/log_ring.hpp"

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <spdlog/sinks/base_sink.h>

#include "daemon/telemetry/logging.hpp"

namespace routerd {
namespace {

constexpr std::size_t usual_line = 240;

void write_line(const spdlog::details::log_msg& message, std::string& text) {
    const auto level = spdlog::level::to_string_view(message.level);
    text.assign(level.data(), level.size());
    text += ": ";
    text += words_of_line({message.payload.data(), message.payload.size()});
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
        std::vector<Line> found;
        for (auto next = std::max(number, oldest) + 1; next <= last_; ++next) {
            found.push_back(slot(next));
        }
        return found;
    }

    /// From now on nobody is told: the loop is about to go.
    void leave_loop() {
        const Turn turn(mutex_);
        executor_.reset();
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        ++last_;
        if (lines_.size() < kept) {
            lines_.emplace_back().text.reserve(usual_line);
        }
        auto& line = slot(last_);
        line.number = last_;
        line.time = message.time;
        write_line(message, line.text);
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

    Line& slot(std::uint64_t number) { return lines_[(number - 1) % kept]; }

    std::optional<boost::asio::any_io_executor> executor_;
    std::weak_ptr<Broadcast<>> grown_;
    // A ring once it is full. A line keeps its room for the next: so many texts of all lengths that
    // come and go would leave holes all over the heap.
    std::vector<Line> lines_;
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
