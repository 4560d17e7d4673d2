#include "daemon/telemetry/logging.hpp"

#include <memory>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "common/base/log.hpp"
#include "common/base/log_about.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "daemon/telemetry/log_ring.hpp"
#include "daemon/telemetry/log_sink.hpp"

namespace routerd {
namespace {

constexpr std::size_t longest_words = 8000;  // bytes; with time, level and request 8 KiB

std::string_view view(spdlog::string_view_t text) {
    return {text.data(), text.size()};
}

std::string cut(const std::string& words, std::size_t most) {
    return words.size() <= most ? words : valid_utf8(std::string_view(words).substr(0, most));
}

std::string bounded(std::string_view text) {
    return cut(escaped(text.substr(0, longest_words)), longest_words);
}

void append(const std::string& text, spdlog::memory_buf_t& out) {
    out.append(text.data(), text.data() + text.size());
}

/// 2026-01-31T12:00:00.000Z warning: words
class TextFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        append(format_rfc3339(message.time) + " " +
                   std::string(view(spdlog::level::to_string_view(message.level))) + ": " +
                   words_of_line(view(message.payload)) + "\n",
               out);
    }

    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<TextFormatter>();
    }
};

/// {"time":…,"level":…,"request":…,"message":…}, one object a line.
class JsonFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        nlohmann::ordered_json line{{"time", format_rfc3339(message.time)},
                                    {"level", view(spdlog::level::to_string_view(message.level))}};
        if (const auto request = LogAbout::request(); !request.empty()) {
            line["request"] = escaped(request);
        }
        const auto words = bounded(view(message.payload));
        line["message"] = words;
        auto text = line.dump();
        if (text.size() > longest_words) {  // JSON says a backslash by two
            line["message"] = cut(words, longest_words / 2);
            text = line.dump();
        }
        append(text + "\n", out);
    }

    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>();
    }
};

/// Where lines go. The one sink of the logger stays; those behind it change.
struct Destinations {
    std::shared_ptr<spdlog::sinks::dist_sink_mt> all =
        std::make_shared<spdlog::sinks::dist_sink_mt>();
    std::shared_ptr<LogFileSink> file;          // null: stderr
    std::shared_ptr<spdlog::sinks::sink> ring;  // null: none
};

Destinations& destinations() {
    static Destinations the_one;
    return the_one;
}

std::unique_ptr<spdlog::formatter> formatter_of(const LogConfig& config) {
    if (config.format == "json") {
        return std::make_unique<JsonFormatter>();
    }
    return std::make_unique<TextFormatter>();
}

}  // namespace

std::string words_of_line(std::string_view payload) {
    const auto request = LogAbout::request();
    return (request.empty() ? std::string() : escaped(request) + " ") + bounded(payload);
}

Result<void> set_up_logging(const LogConfig& config) {
    auto logger = std::make_shared<spdlog::logger>("routerd", destinations().all);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    auto to_stderr = config;
    to_stderr.file.clear();
    const auto certain = change_logging(to_stderr);
    return config.file.empty() ? certain : change_logging(config);
}

Result<void> change_logging(const LogConfig& config) {
    auto& to = destinations();
    std::shared_ptr<LogFileSink> file;
    if (!config.file.empty()) {
        auto opened = LogFileSink::open(config.file);
        if (!opened) {
            return opened.error();
        }
        file = std::move(*opened);
    }
    std::shared_ptr<spdlog::sinks::sink> sink = file;
    if (!sink) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    sink->set_formatter(formatter_of(config));
    std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks{std::move(sink)};
    if (to.ring) {
        sinks.push_back(to.ring);
    }
    to.all->set_sinks(std::move(sinks));
    to.file = std::move(file);
    set_log_level(config.level);
    return {};
}

void set_log_level(std::string_view level) {
    spdlog::set_level(spdlog::level::from_str(level == "warn" ? "warning" : std::string(level)));
}

std::string log_level() {
    const auto name = spdlog::level::to_string_view(spdlog::get_level());
    return view(name) == "warning" ? "warn" : std::string(view(name));
}

Result<void> reopen_log() {
    const auto& file = destinations().file;
    return file ? file->reopen() : Result<void>();
}

void attach(const LogRing& ring) {
    destinations().ring = ring.sink();
    destinations().all->add_sink(ring.sink());
}

}  // namespace routerd
