// A stand-in for llama-server with faults to choose from. It takes llama-server's arguments; the
// faults come from the environment variable FAKE_LLAMA (what [model."id"] env sets), a list like
// "load-ms=200,ignore-term":
//   load-ms=N          503 for N ms before it is healthy   gate=FILE   503 until FILE exists
//   never-healthy      503 for ever                        hang-health accepts and never answers
//   no-listen          never binds                         start-ms=N  binds after N ms
//   crash-load         exit 1 after load-ms, with an error line
//   exit0-load         exit 0 after load-ms                segv-load   SIGSEGV after load-ms
//   die-on=WORD        exit 1 at once when WORD is among the arguments
//   lose-port=FILE     says that its port is taken and exits 1, once (until FILE exists)
//   crash-once=FILE    as crash-load, once (until FILE exists)
//   ignore-term        SIGTERM does nothing                chunks=N    chunks of a stream [3]
//   chunk-ms=N         pause between chunks [0]            stream-end=die|hang|abort
//   grandchild         leaves a process in a session of its own that ignores SIGTERM
//   flood=N            writes N lines of log while it loads
// With --list-devices it lists two GPUs and ends.
// The first line of its log is "FAKE pid=… fds=[…] env=[…] signals=…", for tests of what it
// inherits.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/fake_llama_server/server.hpp"

namespace {

using fake::Faults;

Faults faults_of(const char* text) {
    Faults faults;
    std::string rest = text == nullptr ? "" : text;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const auto word = rest.substr(0, comma);
        const auto equals = word.find('=');
        faults[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    }
    return faults;
}

std::string argument(const std::vector<std::string>& words, const std::string& name,
                     const std::string& otherwise) {
    std::string found = otherwise;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] == name) {
            found = words[i + 1];
        }
    }
    return found;
}

std::string list_of_fds() {
    std::vector<int> fds;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        fds.push_back(std::stoi(entry.path().filename().string()));
    }
    std::sort(fds.begin(), fds.end());
    fds.pop_back();  // the one that this walk used
    std::string text;
    for (const int fd : fds) {
        text += (text.empty() ? "" : ",") + std::to_string(fd);
    }
    return text;
}

std::string list_of_names() {
    std::string text;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string variable(*entry);
        text += (text.empty() ? "" : ",") + variable.substr(0, variable.find('='));
    }
    return text;
}

/// The lines of /proc/self/status that tell which signals are blocked and ignored.
std::string signal_state() {
    std::ifstream status("/proc/self/status");
    std::string line, text;
    while (std::getline(status, line)) {
        if (line.starts_with("SigBlk:") || line.starts_with("SigIgn:")) {
            text += line.substr(7 + 1);
        }
    }
    return text;
}

void introduce_itself() {
    rlimit core{};
    getrlimit(RLIMIT_CORE, &core);
    std::fprintf(stderr, "FAKE pid=%d sid=%d fds=[%s] env=[%s] signals=%s core=%lu\n", getpid(),
                 getsid(0), list_of_fds().c_str(), list_of_names().c_str(), signal_state().c_str(),
                 static_cast<unsigned long>(core.rlim_cur));
}

bool happens_once(const Faults& faults, const std::string& fault) {
    const auto found = faults.find(fault);
    if (found == faults.end() || std::filesystem::exists(found->second)) {
        return false;
    }
    std::ofstream(found->second) << "happened\n";
    return true;
}

[[noreturn]] void fail_to_load(const std::string& model) {
    std::fprintf(stderr, "0.00.013.798 E srv    load_model: failed to load model, '%s'\n",
                 model.c_str());
    std::fprintf(stderr, "0.00.014.102 E srv  llama_server: exiting due to model loading error\n");
    std::_Exit(1);
}

void leave_a_grandchild() {
    if (fork() == 0) {
        setsid();
        std::signal(SIGTERM, SIG_IGN);
        for (;;) {
            pause();
        }
    }
}

void end_early(const Faults& faults, const std::vector<std::string>& words,
               const std::string& model) {
    const auto die_on = faults.find("die-on");
    if (die_on != faults.end() &&
        std::find(words.begin(), words.end(), die_on->second) != words.end()) {
        std::fprintf(stderr, "error: invalid argument: %s\n", die_on->second.c_str());
        std::_Exit(1);
    }
    if (happens_once(faults, "lose-port")) {
        std::fprintf(stderr, "0.00.015.649 E srv start: couldn't bind HTTP server socket\n");
        std::_Exit(1);
    }
    if (happens_once(faults, "crash-once")) {
        fail_to_load(model);
    }
}

void load(const Faults& faults, const std::string& model, fake::Server& server) {
    for (int i = 0; i < fake::number(faults, "flood", 0); ++i) {
        std::fprintf(stderr, "0.00.001.%03d I flood: line %d of a flood that says nothing\n",
                     i % 1000, i);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(fake::number(faults, "load-ms", 0)));
    if (faults.contains("crash-load")) {
        fail_to_load(model);
    }
    if (faults.contains("exit0-load")) {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        std::fprintf(stderr, "FAKE exits at %lld\n",
                     static_cast<long long>(std::chrono::nanoseconds(now).count()));
        std::_Exit(0);
    }
    if (faults.contains("segv-load")) {
        std::raise(SIGSEGV);
    }
    const auto gate = faults.find("gate");
    while (gate != faults.end() && !std::filesystem::exists(gate->second)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!faults.contains("never-healthy")) {
        server.healthy = true;
        std::fprintf(stderr, "0.00.056.322 I srv  llama_server: model loaded\n");
    }
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// The daemon takes the right to dump core from each server just after its start. AddressSanitizer
// would do that at the same moment, and ends the program when the other was quicker.
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
    return "disable_coredump=0";
}
#endif

int main(int argc, char** argv) {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would make an exit of it
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (std::find(words.begin(), words.end(), "--list-devices") != words.end()) {
        std::printf(
            "Available devices:\n  CUDA0: Fake GPU (6144 MiB, 6000 MiB free)\n"
            "  CUDA1: Fake GPU (6144 MiB, 6000 MiB free)\n");
        return 0;
    }
    const auto faults = faults_of(std::getenv("FAKE_LLAMA"));
    const auto model = argument(words, "-m", "");
    introduce_itself();
    std::signal(SIGPIPE, SIG_IGN);
    if (faults.contains("ignore-term")) {
        std::signal(SIGTERM, SIG_IGN);
    } else {
        std::signal(SIGTERM, [](int) { std::_Exit(0); });
    }
    if (faults.contains("grandchild")) {
        leave_a_grandchild();
    }
    end_early(faults, words, model);
    std::this_thread::sleep_for(std::chrono::milliseconds(fake::number(faults, "start-ms", 0)));
    fake::Server server(faults, argument(words, "--alias", model),
                        std::stoi(argument(words, "-np", "1")));
    if (!faults.contains("no-listen") &&
        !server.listen(argument(words, "--host", "127.0.0.1"), argument(words, "--port", "9931"))) {
        return 1;
    }
    load(faults, model, server);
    for (;;) {
        pause();
    }
}
