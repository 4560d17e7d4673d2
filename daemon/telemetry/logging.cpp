#include "daemon/telemetry/logging.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "daemon/telemetry/log_ring.hpp"

namespace routerd {
namespace {

std::string_view view(spdlog::string_view_t text) {
    return {text.data(), text.size()};
}

/// {"time":…,"level":…,"message":…}, one object a line.
class JsonFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const nlohmann::ordered_json line{
            {"time", format_rfc3339(message.time)},
            {"level", view(spdlog::level::to_string_view(message.level))},
            {"message", escaped(view(message.payload))}};
        const std::string text = line.dump() + "\n";
        out.append(text.data(), text.data() + text.size());
    }

    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>();
    }
};

}  // namespace

void set_up_logging(const LogConfig& config) {
    auto logger = std::make_shared<spdlog::logger>(
        "routerd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (config.format == "json") {
        logger->set_formatter(std::make_unique<JsonFormatter>());
    } else {
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
    }
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    set_log_level(config);
}

void set_log_level(const LogConfig& config) {
    spdlog::set_level(spdlog::level::from_str(config.level == "warn" ? "warning" : config.level));
}

void attach(const LogRing& ring) {
    spdlog::default_logger_raw()->sinks().push_back(ring.sink());
}

}  // namespace routerd
