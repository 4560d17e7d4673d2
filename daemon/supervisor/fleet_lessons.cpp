// The part of the fleet that keeps what loads taught.
#include <utility>

#include "common/base/log.hpp"
#include "daemon/supervisor/fleet_core.hpp"
#include "daemon/supervisor/lessons.hpp"

namespace routerd {

asio::awaitable<void> Fleet::Core::recall_lessons() {
    if (services_.corrections == nullptr) {
        co_return;
    }
    const auto rows = co_await services_.corrections->all();
    if (!rows) {
        spdlog::warn("what earlier loads taught about memory cannot be read, estimating anew: {}",
                     rows.error().message());
        co_return;
    }
    for (const auto& row : *rows) {
        auto lesson = to_lesson(row);
        if (lesson) {
            memory_.recall(std::move(*lesson));
        } else {
            spdlog::warn("{}, ignoring it", lesson.error().message());
        }
    }
}

asio::awaitable<void> Fleet::Core::keep_lesson(Lesson lesson) {
    auto row = to_row(lesson, std::chrono::system_clock::now());
    const auto kept = co_await services_.corrections->put(std::move(row));
    if (!kept) {
        spdlog::warn("what a load taught about memory is forgotten at the daemon's end: {}",
                     kept.error().message());
    }
}

}  // namespace routerd
