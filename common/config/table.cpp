#include "common/config/table.hpp"

#include <chrono>

#include "common/base/text.hpp"
#include "common/config/addresses.hpp"

namespace routerd {
namespace {

constexpr Duration a_moment = std::chrono::milliseconds(100);
constexpr Duration none = std::chrono::milliseconds(0);
constexpr Duration a_day = std::chrono::hours(24);
constexpr Duration a_year = a_day * 366;
constexpr std::uint64_t one_kib = 1024;
constexpr std::uint64_t one_gib = 1ULL << 30U;
constexpr std::uint64_t any_size = 1ULL << 60U;

template <class Section, class T>
ConfigKey key(std::string name, Section Config::*section, T Section::*field,
              const ValueType<T>& type, std::string meaning) {
    ConfigKey row;
    row.name = std::move(name);
    row.type = type.name;
    row.meaning = std::move(meaning);
    row.is_string = type.is_string;
    row.text = [section, field, text = type.text](const Config& config) {
        return text(config.*section.*field);
    };
    row.read = [section, field, read = type.read](Config& config,
                                                  const RawValue& value) -> Result<void> {
        auto parsed = read(value);
        if (!parsed) {
            return parsed.error();
        }
        config.*section.*field = std::move(*parsed);
        return {};
    };
    return row;
}

std::string complain_about_key(const std::string& text) {
    const bool printable = text.find_first_of(" \t\r\n") == std::string::npos;
    return printable ? "" : "must not contain white space";
}

std::string complain_about_path(const std::string& text) {
    return text.empty() || text.front() == '/' ? "" : "must be an absolute path";
}

/// A host is looked at more closely where it is used.
std::string complain_about_allowed(const std::string& text) {
    const bool good = !text.empty() && text.find_first_of(" \t\r\n") == std::string::npos;
    return good ? ""
                : "must be a host, *.domain or an origin (http://host:port), not '" +
                      escaped(text) + "'";
}

std::string complain_about_url(const std::string& text) {
    const bool good = text.empty() || text.starts_with("https://") || text.starts_with("http://");
    return good ? "" : "must be a URL (https://…), not '" + escaped(text) + "'";
}

void add_http(std::vector<ConfigKey>& keys) {
    const auto c = &Config::http;
    using H = HttpConfig;
    keys.push_back(key("http.listen", c, &H::listen, strings_type(complain_about_address),
                       "public addresses: host:port, [v6]:port or unix:///path, with https:// in "
                       "front of a host for TLS; none: the control socket alone"));
    keys.push_back(key("http.tls_certificate", c, &H::tls_certificate, string_type(),
                       "PEM file with the certificate of https:// addresses, and those that "
                       "lead to its authority behind it"));
    keys.push_back(key("http.tls_key", c, &H::tls_key, string_type(),
                       "PEM file with the key of that certificate"));
    keys.push_back(key("http.workers", c, &H::workers, count_type(0U, 256U),
                       "event loops that serve connections; 0: one for each processor"));
    keys.push_back(key("http.max_body", c, &H::max_body, size_type(one_kib, 4 * one_gib),
                       "largest request body"));
    keys.push_back(key("http.cors_origins", c, &H::cors_origins, strings_type(),
                       "exact origins of web pages that may use the public addresses"));
    keys.push_back(key("http.header_timeout", c, &H::header_timeout, duration_type(a_moment, a_day),
                       "from the first byte of a request's head to its last"));
    keys.push_back(key("http.body_timeout", c, &H::body_timeout, duration_type(a_moment, a_day),
                       "longest pause inside a request's body; after it a body that came at less "
                       "than 512 bytes a second is refused"));
    keys.push_back(key("http.idle_timeout", c, &H::idle_timeout, duration_type(a_moment, a_day),
                       "how long a connection without a request is kept"));
    keys.push_back(key("http.io_uring", c, &H::io_uring, boolean_type(),
                       "read and write several connections by one system call, where the kernel "
                       "has io_uring for it"));
    keys.push_back(key("http.insecure_no_auth", c, &H::insecure_no_auth, boolean_type(),
                       "listen beyond loopback although there is no key"));
    keys.back().from = ConfigKey::From::command_line;
}

void add_models(std::vector<ConfigKey>& keys) {
    const auto c = &Config::models;
    using M = ModelsConfig;
    keys.push_back(key("models.dirs", c, &M::dirs, strings_type(),
                       "directories that are scanned for models, with their sub-folders"));
    keys.push_back(key("models.default", c, &M::default_model, string_type(),
                       "model for requests that name none, until `switch` names another"));
    keys.push_back(key("models.preload", c, &M::preload, strings_type(),
                       "models that are loaded at start; [\"*\"] is every enabled one"));
    keys.push_back(key("models.watch", c, &M::watch, boolean_type(),
                       "notice new and changed files by themselves"));
    const auto store = choice_type({"huggingface", "llama.cpp", "lmstudio", "ollama"});
    const auto complain = [store](const std::string& name) {
        const auto known = store.read(raw_text(name));
        return known ? std::string() : known.error().message();
    };
    keys.push_back(key("models.stores", c, &M::stores, strings_type(complain),
                       "stores of other tools that are read in place: huggingface, llama.cpp, "
                       "lmstudio, ollama"));
}

void add_memory_and_limits(std::vector<ConfigKey>& keys) {
    const auto m = &Config::memory;
    using M = MemoryConfig;
    keys.push_back(key("memory.reserve", m, &M::reserve, sizes_type(),
                       "memory kept free, per device (host, cuda0, …)"));
    keys.push_back(key("memory.budget", m, &M::budget, sizes_type(),
                       "memory that models may use at most, per device"));
    keys.push_back(key("memory.safety_factor", m, &M::safety_factor, number_type(1, 10),
                       "multiplies an estimate that no load has corrected yet"));
    keys.push_back(key("memory.yield", m, &M::yield, boolean_type(),
                       "unload idle models when other processes need their memory"));
    const auto c = &Config::limits;
    using L = LimitsConfig;
    keys.push_back(key("limits.max_loaded", c, &L::max_loaded, count_type(0U, 10'000U),
                       "models loaded at once; 0: as many as fit"));
    keys.push_back(key("limits.idle_unload", c, &L::idle_unload, duration_type(none, a_year),
                       "unload a model that was not used for so long; 0: never"));
    keys.push_back(key("limits.start_timeout", c, &L::start_timeout, duration_type(a_moment, a_day),
                       "from the start of a model's server to its first healthy answer"));
    keys.push_back(key("limits.first_byte_timeout", c, &L::first_byte_timeout,
                       duration_type(a_moment, a_day),
                       "from a request sent to a model's server to the first byte of its answer"));
    keys.push_back(key("limits.stall_timeout", c, &L::stall_timeout, duration_type(a_moment, a_day),
                       "longest pause inside an answer"));
    keys.push_back(key("limits.parallel", c, &L::parallel, count_type(1U, most_slots),
                       "requests that one server answers at a time, where the model does not say"));
    keys.push_back(key("limits.drain_timeout", c, &L::drain_timeout, duration_type(none, a_day),
                       "at stop: how long requests in progress may go on"));
    keys.push_back(key("limits.stop_timeout", c, &L::stop_timeout,
                       duration_type(a_moment, std::chrono::hours(1)),
                       "how long a model's server may take to end before it is killed"));
    keys.push_back(key("limits.quarantine_after", c, &L::quarantine_after, count_type(1U, 1000U),
                       "failures in a row after which a model is not started until it is reset"));
    keys.push_back(key("limits.probe_interval", c, &L::probe_interval, duration_type(none, a_day),
                       "how often a ready server is asked whether it still answers; three misses "
                       "end it; 0: never"));
}

void add_queue_and_servers(std::vector<ConfigKey>& keys) {
    const auto q = &Config::queue;
    using Q = QueueConfig;
    constexpr std::size_t most_waiting = 1'000'000;
    keys.push_back(key("queue.size", q, &Q::size, count_type<std::size_t>(0, most_waiting),
                       "requests that may wait for one model"));
    keys.push_back(key("queue.max_wait", q, &Q::max_wait, duration_type(none, a_day),
                       "longest that a request which could run after a swap is passed over by "
                       "requests for loaded models"));
    keys.push_back(key("queue.min_residency", q, &Q::min_residency, duration_type(none, a_day),
                       "how long a model just loaded keeps its place"));
    keys.push_back(key("queue.aging", q, &Q::aging, duration_type(a_moment, a_day),
                       "waiting for so long lifts a request by one priority"));
    const auto c = &Config::llama_server;
    using S = LlamaServerConfig;
    keys.push_back(key("llama_server.path", c, &S::path, string_type(),
                       "the program; looked up in PATH when it has no slash"));
    keys.push_back(key("llama_server.args", c, &S::args, words_type(),
                       "arguments for every model, before the model's own"));
    const std::vector<std::pair<std::string, ServerListen>> listen{
        {"unix", ServerListen::unix_socket}, {"tcp", ServerListen::tcp}};
    keys.push_back(key("llama_server.listen", c, &S::listen, named_type(listen),
                       "how servers listen for routerd: a Unix socket, or a free port of "
                       "127.0.0.1"));
    keys.push_back(key("llama_server.log_size", c, &S::log_size, size_type(4 * one_kib, one_gib),
                       "what is kept of each model's output"));
}

void add_access(std::vector<ConfigKey>& keys) {
    const auto a = &Config::auth;
    using A = AuthConfig;
    keys.push_back(key("auth.api_key", a, &A::api_key, string_type(complain_about_key),
                       "a key with every right"));
    keys.back().secret = true;
    keys.push_back(
        key("auth.keys_file", a, &A::keys_file, string_type(), "file with one key a line"));
    const auto r = &Config::rate_limit;
    using R = RateLimitConfig;
    keys.push_back(key("rate_limit.requests_per_minute", r, &R::requests_per_minute,
                       count_type(0U, 1'000'000U), "per key; 0: no limit"));
    keys.push_back(key("rate_limit.burst", r, &R::burst, count_type(0U, 1'000'000U),
                       "requests at once; 0: the same as requests_per_minute"));
    keys.push_back(key(
        "rate_limit.tokens_per_minute", r, &R::tokens_per_minute, count_type(0U, 1'000'000'000U),
        "tokens, of prompts and answers, that each key may use; who leaves a stream before "
        "its end is charged by what came; 0: no limit"));
    keys.push_back(key("rate_limit.concurrent", r, &R::concurrent, count_type(0U, 1'000'000U),
                       "requests of each key at once, those that wait among them; 0: no limit"));
}

void add_rest(std::vector<ConfigKey>& keys) {
    const auto p = &Config::pull;
    using P = PullConfig;
    keys.push_back(key("pull.dir", p, &P::dir, string_type(), "where downloads go"));
    keys.push_back(key("pull.connections", p, &P::connections, count_type(1U, 64U),
                       "connections for each file at most"));
    keys.push_back(key("pull.limit_rate", p, &P::limit_rate, size_type(0, any_size),
                       "bytes a second over all downloads; 0: no limit"));
    keys.push_back(key("pull.endpoint", p, &P::endpoint, string_type(complain_about_url),
                       "model hub to use in place of huggingface.co"));
    keys.push_back(key("pull.ollama_endpoint", p, &P::ollama_endpoint,
                       string_type(complain_about_url),
                       "registry to use in place of registry.ollama.ai"));
    keys.push_back(
        key("pull.allow", p, &P::allow, strings_type(complain_about_allowed),
            "hosts (\"host\", \"*.domain\") that may be fetched from beside those of the "
            "hub and of Ollama's registry; a whole origin (\"http://10.0.0.5:8000\") is "
            "trusted though it is not public or without TLS"));
    keys.push_back(key("pull.token", p, &P::token, string_type(complain_about_key),
                       "access token of the hub"));
    keys.back().secret = true;
    keys.push_back(
        key("pull.token_file", p, &P::token_file, string_type(), "file with that token"));
    keys.push_back(key("pull.proxy", p, &P::proxy, string_type(complain_about_url),
                       "proxy to fetch through; none is used without it"));
    keys.back().secret = true;  // it may have a password in it
    keys.push_back(key("pull.stall_timeout", p, &P::stall_timeout, duration_type(a_moment, a_day),
                       "without a byte, before another connection is made"));
    const std::vector<std::pair<std::string, PullLayout>> layout{{"plain", PullLayout::plain},
                                                                 {"hub", PullLayout::hub}};
    keys.push_back(
        key("pull.layout", p, &P::layout, named_type(layout),
            "where files of the hub go: below dir, or (\"hub\") into the hub's own cache, "
            "for other programs to use too"));
    const auto l = &Config::log;
    const auto level = choice_type({"trace", "debug", "info", "warn", "error"});
    keys.push_back(key("log.level", l, &LogConfig::level, level, "how much the daemon logs"));
    keys.push_back(key("log.format", l, &LogConfig::format, choice_type({"text", "json"}),
                       "lines for people or for programs"));
    keys.push_back(key("log.file", l, &LogConfig::file, string_type(complain_about_path),
                       "append to this file in place of stderr; SIGUSR1 opens it anew"));
    const auto t = &Config::tiers;
    keys.push_back(key("tiers.fast_below", t, &TiersConfig::fast_below, number_type(0, 1e6),
                       "parameters in billions below which a small model is `fast`"));
    keys.push_back(key("tiers.powerful_from", t, &TiersConfig::powerful_from, number_type(0, 1e6),
                       "parameters in billions from which a model is `powerful`"));
    const auto s = &Config::state;
    keys.push_back(
        key("state.dir", s, &StateConfig::dir, string_type(), "database and logs of models"));
    keys.push_back(key("state.socket", s, &StateConfig::socket,
                       string_type(complain_about_socket_path), "control socket"));
    keys.push_back(key("state.runtime_dir", s, &StateConfig::runtime_dir, string_type(),
                       "sockets of model servers"));
}

std::vector<ConfigKey> make_table() {
    std::vector<ConfigKey> keys;
    add_http(keys);
    add_models(keys);
    add_memory_and_limits(keys);
    add_queue_and_servers(keys);
    add_access(keys);
    add_rest(keys);
    return keys;
}

}  // namespace

const std::vector<ConfigKey>& config_table() {
    static const std::vector<ConfigKey> table = make_table();
    return table;
}

const ConfigKey* find_config_key(std::string_view name) {
    for (const auto& row : config_table()) {
        if (row.name == name) {
            return &row;
        }
    }
    return nullptr;
}

std::string toml_text(const ConfigKey& row, const Config& config) {
    const auto text = row.text(config);
    if (row.secret && !text.empty()) {
        return "(hidden)";
    }
    return row.is_string ? json_quoted(text) : text;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    const auto near = nearest(word, candidates);
    return near.empty() ? "" : "did you mean '" + near + "'?";
}

}  // namespace routerd
