#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/pull/documents.hpp"

namespace routerd::pull::test {

/// Answers by URL as it was told to, 404 else, and remembers what it was asked.
class ScriptedDocuments final : public Documents {
  public:
    asio::awaitable<Result<Document>> get(Request request) override {
        asked.push_back(request);
        const auto found = answers.find(request.url);
        if (found != answers.end()) {
            co_return found->second;
        }
        Document missing;
        missing.status = 404;
        co_return missing;
    }

    void answer(const std::string& url, std::string body, unsigned status = 200,
                std::vector<std::pair<std::string, std::string>> headers = {}) {
        Document document;
        document.status = status;
        document.headers = std::move(headers);
        document.body = std::move(body);
        answers.insert_or_assign(url, std::move(document));
    }

    std::map<std::string, Result<Document>> answers;
    std::vector<Request> asked;
};

}  // namespace routerd::pull::test
