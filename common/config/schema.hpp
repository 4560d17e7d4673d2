#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace routerd {

using Duration = std::chrono::milliseconds;

/// Of one server. llama-server takes a few hundred; what batches in other ways takes more.
inline constexpr unsigned most_slots = 16384;

/// How a model's server listens for the router.
enum class ServerListen {
    unix_socket,  ///< a socket of ours: no port to lose, nobody else can reach it
    tcp,          ///< 127.0.0.1 and a free port, for what cannot listen on a Unix socket
};

enum class Tier { fast, balanced, powerful };

/// [http] the public listeners
struct HttpConfig {
    std::vector<std::string> listen{"127.0.0.1:8080"};   ///< host:port, [v6]:port or unix:///path;
                                                         ///< https:// in front of a host is TLS
    std::string tls_certificate;                         ///< PEM file of the https:// addresses
    std::string tls_key;                                 ///< its key, a PEM file
    unsigned workers = 1;                                ///< event loops; 0: one a processor
    std::uint64_t max_body = 64ULL << 20U;               ///< bytes of one request body
    std::vector<std::string> cors_origins;               ///< exact origins, none by default
    Duration header_timeout = std::chrono::seconds(10);  ///< first byte of a head to its last
    Duration body_timeout = std::chrono::seconds(30);    ///< longest pause inside a body
    Duration idle_timeout = std::chrono::seconds(60);    ///< a kept connection without a request
    bool io_uring = true;           ///< joins the system calls of a turn, where the kernel can
    bool insecure_no_auth = false;  ///< command line only: listen beyond loopback without a key
};

/// [models] where models are found
struct ModelsConfig {
    std::vector<std::string> dirs;     ///< scanned with their sub-folders; ~ is the home directory
    std::string default_model;         ///< key `default`: used until `switch` names another
    std::vector<std::string> preload;  ///< loaded at start; {"*"} is every enabled model
    bool watch = true;                 ///< notice changes by inotify
    std::vector<std::string> stores{"huggingface", "llama.cpp", "lmstudio", "ollama"};
};

/// [memory]
struct MemoryConfig {
    std::map<std::string, std::uint64_t> reserve;  ///< bytes kept free per device ("host", "cuda0")
    std::map<std::string, std::uint64_t> budget;  ///< bytes that models may use at most, per device
    double safety_factor = 1.1;                   ///< on an estimate not yet corrected by a load
    bool yield = false;  ///< idle models leave when other processes need their memory
};

/// [limits]
struct LimitsConfig {
    unsigned max_loaded = 0;                                  ///< models at once; 0: as many as fit
    Duration idle_unload = std::chrono::seconds(300);         ///< 0: never
    Duration start_timeout = std::chrono::seconds(120);       ///< spawn to the first healthy probe
    Duration first_byte_timeout = std::chrono::seconds(120);  ///< request sent to first byte back
    Duration stall_timeout = std::chrono::seconds(120);       ///< between two reads of an answer
    unsigned parallel = 1;                                    ///< slots of a server
    Duration drain_timeout = std::chrono::seconds(30);  ///< at stop: how long requests may go on
    Duration stop_timeout = std::chrono::seconds(10);   ///< first SIGTERM to SIGKILL of a server
    unsigned quarantine_after = 10;                     ///< failures in a row, then no more starts
    Duration probe_interval =
        std::chrono::seconds(10);  ///< between looks at ready servers; 0: none
};

/// [queue]
struct QueueConfig {
    std::size_t size = 500;                            ///< waiting requests per model
    Duration max_wait = std::chrono::seconds(5);       ///< longest that a waiter is passed over
    Duration min_residency = std::chrono::seconds(2);  ///< a model just loaded keeps its place
    Duration aging = std::chrono::seconds(30);         ///< waiting this long lifts by one band
};

/// [llama_server]
struct LlamaServerConfig {
    std::string path = "llama-server";  ///< looked up in PATH when it has no slash
    std::vector<std::string> args;      ///< for every model, before the model's own
    ServerListen listen = ServerListen::unix_socket;
    std::uint64_t log_size =
        4ULL << 20U;  ///< bytes kept of each model's output (two files of half)
};

/// [auth]
struct AuthConfig {
    std::string api_key;    ///< one key with every right; empty: none
    std::string keys_file;  ///< one key a line
};

/// [rate_limit]
struct RateLimitConfig {
    unsigned requests_per_minute = 0;  ///< per key; 0: off
    unsigned burst = 0;                ///< 0: the same as requests_per_minute
    unsigned tokens_per_minute = 0;    ///< of prompts and answers, per key; 0: off
    unsigned concurrent = 0;           ///< requests of a key at once; 0: no limit
};

/// Where a pull from the hub puts its files.
enum class PullLayout {
    plain,  ///< <dir>/org/repo/file
    hub,    ///< as the hub's own programs keep them, for other programs to use too
};

/// [pull]
struct PullConfig {
    std::string dir;
    unsigned connections = 8;                           ///< of each file at most
    std::uint64_t limit_rate = 0;                       ///< bytes a second over all; 0: no limit
    std::string endpoint;                               ///< of the hub or a mirror
    std::string ollama_endpoint;                        ///< the same of Ollama's registry
    std::vector<std::string> allow;                     ///< hosts and origins beside the known ones
    std::string token;                                  ///< for the hub
    std::string token_file;                             ///< the same, in a file
    std::string proxy;                                  ///< URL; none is used without it
    Duration stall_timeout = std::chrono::seconds(30);  ///< without a byte, then a new connection
    PullLayout layout = PullLayout::plain;
};

/// [log]
struct LogConfig {
    std::string level = "info";   ///< trace, debug, info, warn, error
    std::string format = "text";  ///< text or json
    std::string file{};           ///< that lines are appended to; empty: stderr
};

/// [tiers] parameters in billions
struct TiersConfig {
    double fast_below = 7;
    double powerful_from = 14;
};

/// [state] where the daemon keeps its own files; the defaults depend on --user
struct StateConfig {
    std::string dir;          ///< database, logs of models
    std::string socket;       ///< control socket
    std::string runtime_dir;  ///< sockets of model servers
};

/// [model."id"] Everything is optional: what is absent is decided by the rest. The same keys are
/// what `routerctl set` takes and the store keeps as overrides.
struct ModelConfig {
    std::optional<std::string> path;               ///< a file outside the scanned directories
    std::optional<std::string> backend;            ///< "llama-server" or "remote"
    std::optional<std::string> url;                ///< of the server that has it, elsewhere
    std::optional<std::string> remote_model;       ///< what that server calls it; the id otherwise
    std::optional<std::string> key_file;           ///< with the key for that server
    std::optional<std::string> ca_file;            ///< PEM: who may vouch for it beside the usual
    std::optional<std::vector<std::string>> args;  ///< passed through unchanged, last
    std::optional<unsigned> context;               ///< tokens per slot
    std::optional<unsigned> parallel;              ///< slots
    std::optional<std::string> cache_type_k;
    std::optional<std::string> cache_type_v;
    std::optional<int> gpu_layers;  ///< -1: all
    std::optional<std::vector<std::string>> devices;
    std::optional<std::vector<std::string>> aliases;
    std::optional<Tier> tier;
    std::optional<bool> thinking;
    std::optional<bool> enabled;
    std::optional<bool> pin;  ///< never unloaded to make room or for being idle
    std::optional<Duration> idle_unload;
    std::optional<std::vector<std::string>> lora;   ///< adapter files
    std::map<std::string, std::string> set;         ///< request fields to set: name → JSON value
    std::optional<std::vector<std::string>> strip;  ///< request fields to remove
    std::map<std::string, std::string> env;
    std::optional<unsigned> instances;               ///< servers at most
    std::optional<std::vector<std::string>> groups;  ///< models of one are never loaded together
};

/// The whole configuration, as plain data. Defaults are those of an empty file.
struct Config {
    HttpConfig http;
    ModelsConfig models;
    MemoryConfig memory;
    LimitsConfig limits;
    QueueConfig queue;
    LlamaServerConfig llama_server;
    AuthConfig auth;
    RateLimitConfig rate_limit;
    PullConfig pull;
    LogConfig log;
    TiersConfig tiers;
    StateConfig state;
    std::map<std::string, ModelConfig> model;  ///< by id, as written
};

}  // namespace routerd
