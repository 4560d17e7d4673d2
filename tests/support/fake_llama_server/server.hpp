#pragma once

#include <atomic>
#include <map>
#include <string>

namespace fake {

/// Name → value of the faults asked for.
using Faults = std::map<std::string, std::string>;

inline int number(const Faults& faults, const std::string& name, int otherwise) {
    const auto found = faults.find(name);
    return found == faults.end() ? otherwise : std::stoi(found->second);
}

/// Answers as llama-server does, a thread a connection: enough for tests, not for load.
class Server {
  public:
    Server(Faults faults, std::string alias, int slots)
        : faults_(std::move(faults)), alias_(std::move(alias)), slots_(slots) {}

    /// Binds and answers from then on. `host` with a slash is a Unix socket. False after saying
    /// why on stderr, as llama-server does.
    bool listen(const std::string& host, const std::string& port);

    std::atomic<bool> healthy = false;

  private:
    void serve(int client) const;
    bool answer(int client, const std::string& target, const std::string& body) const;
    void complete(int client, bool stream) const;
    void stream_chunks(int client) const;

    Faults faults_;
    std::string alias_;
    int slots_;
};

}  // namespace fake
