// A stand-in for llama-server that answers at once, so that what is measured is the proxy.
// usage: upstream [--host /x.sock | --host H --port N] [anything else of llama-server's, ignored]
// BENCH_UPSTREAM_PORT=N in the environment: listens on 127.0.0.1:N as well.
//
//   GET  /health               200
//   GET  /stats                pid, open requests, requests whose client left: [id, when in ns]
//   POST /v1/chat/completions  what the body's bench_… fields ask for (wire.hpp, Ask)
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/bench/proxy/upstream_server.hpp"

namespace {

constexpr const char* help =
    "usage: upstream [--host /x.sock | --host H --port N]\n"
    "A stand-in for llama-server, for benchmarks of proxies.\n";

struct Arguments {
    std::string host;
    std::string port;
    bool ends = false;  ///< all that was asked for has been said
};

Arguments read_arguments(int argc, char** argv) {
    Arguments found;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const bool has_value = i + 1 < argc;
        if (word == "--host" && has_value) {
            found.host = argv[++i];
        } else if (word == "--port" && has_value) {
            found.port = argv[++i];
        } else if (word == "--version" || word == "--help" || word == "--list-devices") {
            std::fputs(word == "--version" ? "version: 0 (stand-in)\n"
                       : word == "--help"  ? help
                                           : "Available devices:\n",
                       word == "--version" ? stderr : stdout);
            found.ends = true;
        }
    }
    return found;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = read_arguments(argc, argv);
    if (arguments.ends) {
        return 0;
    }
    bench::UpstreamServer server;
    std::string failed;
    if (arguments.host.starts_with('/')) {
        failed = server.listen_on_path(arguments.host);
    } else if (!arguments.port.empty()) {
        failed = server.listen_on_port(arguments.port);
    }
    const char* more = std::getenv("BENCH_UPSTREAM_PORT");  // NOLINT(concurrency-mt-unsafe)
    if (failed.empty() && more != nullptr) {
        failed = server.listen_on_port(more);
    }
    if (failed.empty() && !server.listens()) {
        failed = "nowhere to listen; say --host /x.sock, --port N or BENCH_UPSTREAM_PORT=N";
    }
    if (!failed.empty()) {
        std::fprintf(stderr, "upstream: %s\n", failed.c_str());
        return 1;
    }
    server.run();
}
