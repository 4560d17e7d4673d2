#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/unique_fd.hpp"

namespace routerd::test {

/// A request as the server saw it.
struct SeenRequest {
    std::string line;  ///< "GET /control/v1/status"
    std::string head;
    std::string body;
};

/// A daemon that answers from a script: on a Unix socket in a temporary folder, one connection at a
/// time, on a thread of its own that the destructor ends.
class ScriptedServer {
  public:
    ScriptedServer();
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string path() const { return folder_ + "/d.sock"; }
    std::string host() const { return "unix://" + path(); }
    const std::string& folder() const noexcept { return folder_; }

    /// The exact bytes to answer to `line` ("GET /x?y=z"); then the connection is closed.
    void answer(const std::string& line, std::string bytes);
    void answer_json(const std::string& line, std::string_view body,
                     std::string_view status = "200 OK");
    /// `events` is the text of the stream.
    void answer_stream(const std::string& line, std::string_view events);

    /// What to answer to `line` the next time, after the answer given before: each but the last is
    /// given once.
    void then(const std::string& line, std::string bytes);
    void then_stream(const std::string& line, std::string_view events);

    /// Answers `bytes` and then keeps the connection open until the client closes it.
    void answer_and_hold(const std::string& line, std::string bytes);

    std::vector<SeenRequest> seen() const;

  private:
    struct Answer {
        std::string bytes;
        bool hold = false;
    };

    void serve();
    void serve_one(int client);

    std::string folder_;
    UniqueFd listener_;
    UniqueFd stop_;  // an eventfd
    mutable std::mutex mutex_;
    std::map<std::string, std::deque<Answer>> answers_;
    std::vector<SeenRequest> seen_;
    std::thread thread_;
};

}  // namespace routerd::test
