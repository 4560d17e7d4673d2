#pragma once

#include <string_view>

/// Every metric of the daemon, one line each; dashboards depend on the names.
namespace routerd::metrics {

enum class Type { counter, gauge, histogram };

struct Metric {
    std::string_view name;
    Type type;
    std::string_view help;
};

// Of requests, by {model,endpoint,status} or {model}.
inline constexpr Metric requests{"router_requests_total", Type::counter,
                                 "Requests answered; model is empty where none was resolved."};
inline constexpr Metric duration{"router_request_duration_seconds", Type::histogram,
                                 "From a request's coming to the last byte of its answer."};
inline constexpr Metric first_byte{"router_time_to_first_byte_seconds", Type::histogram,
                                   "From a request's coming to the first byte (of a stream: the "
                                   "first token) of its answer."};
inline constexpr Metric queue_wait{"router_queue_wait_seconds", Type::histogram,
                                   "How long requests waited for a place in the model."};
inline constexpr Metric tokens{"router_tokens_total", Type::counter,
                               "Tokens of prompts and of answers (kind), where the server told."};

// Of models, by {model}.
inline constexpr Metric models_loaded{"router_models_loaded", Type::gauge,
                                      "Models with a server that is ready."};
inline constexpr Metric vram{"router_model_vram_bytes", Type::gauge,
                             "Memory of GPUs reserved for a model's servers."};
inline constexpr Metric resident{"router_model_resident_memory_bytes", Type::gauge,
                                 "Host memory resident in a model's servers."};
inline constexpr Metric queue_depth{"router_queue_depth", Type::gauge,
                                    "Requests that wait for a model."};
inline constexpr Metric busy{"router_requests_processing", Type::gauge,
                             "Requests that a model works on."};
inline constexpr Metric load_time{"router_model_load_seconds", Type::histogram,
                                  "From the start of a model's server to its being ready."};
inline constexpr Metric starts{"router_model_starts_total", Type::counter,
                               "Servers started for a model."};
inline constexpr Metric restarts{"router_model_restarts_total", Type::counter,
                                 "Of those, after one that crashed or did not load."};
inline constexpr Metric load_failures{"router_model_load_failures_total", Type::counter,
                                      "Servers that ended before they were ready."};
inline constexpr Metric crashes{"router_model_crashes_total", Type::counter,
                                "Servers that ended by themselves."};
inline constexpr Metric evictions{"router_model_evictions_total", Type::counter,
                                  "Servers stopped to make room for another model."};

// Of the daemon.
inline constexpr Metric history_lost{"routerd_request_history_skipped_total", Type::counter,
                                     "Requests not written to the history: too many came in a "
                                     "second, or the database did not take them."};
inline constexpr Metric build_info{"routerd_build_info", Type::gauge,
                                   "Always 1; the version is in the label."};
inline constexpr Metric cpu{"process_cpu_seconds_total", Type::counter,
                            "User and system CPU time spent."};
inline constexpr Metric own_resident{"process_resident_memory_bytes", Type::gauge,
                                     "Resident memory size."};
inline constexpr Metric own_virtual{"process_virtual_memory_bytes", Type::gauge,
                                    "Virtual memory size."};
inline constexpr Metric open_fds{"process_open_fds", Type::gauge, "Open file descriptors."};
inline constexpr Metric max_fds{"process_max_fds", Type::gauge, "Limit of open file descriptors."};
inline constexpr Metric threads{"process_threads", Type::gauge, "Threads of the process."};
inline constexpr Metric start_time{"process_start_time_seconds", Type::gauge,
                                   "When the process started, since 1970."};

}  // namespace routerd::metrics
