#include "daemon/net/name_book.hpp"

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include <netdb.h>
#include <sys/socket.h>

#include "daemon/net/quiet_thread.hpp"

namespace routerd {
namespace {

constexpr std::chrono::seconds good_for(30);
constexpr int most_threads = 32;  // of the process; each may last as long as DNS has patience

std::atomic<int> threads = 0;

Error not_found(const std::string& host, const std::string& why) {
    return {Errc::unavailable, "look up '" + host + "': " + why};
}

}  // namespace

NameBook::NameBook(asio::any_io_executor executor, Lookup lookup)
    : executor_(std::move(executor)),
      lookup_(std::move(lookup)),
      answers_(executor_, [this](Answer&& answer) { take(std::move(answer)); }) {}

Result<NameBook::Addresses> NameBook::ask_system(const std::string& host, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
    if (failure != 0) {
        return not_found(host, failure == EAI_SYSTEM ? std::generic_category().message(errno)
                                                     : std::string(::gai_strerror(failure)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(list, &::freeaddrinfo);
    Addresses addresses;
    for (const auto* one = list; one != nullptr; one = one->ai_next) {
        addresses.emplace_back(one->ai_addr, one->ai_addrlen, IPPROTO_TCP);
    }
    return addresses;
}

void NameBook::forget(const std::string& host, std::uint16_t port) {
    known_.erase({host, port});
}

/// Begins to ask, or joins who asks already.
Result<std::shared_ptr<NameBook::Question>> NameBook::ask(const Key& key) {
    if (const auto found = asked_.find(key); found != asked_.end()) {
        return found->second;
    }
    auto run = [lookup = lookup_, key, answers = answers_.address()] {
        answers.send({key, lookup(key.first, key.second)});
        --threads;
    };
    if (++threads > most_threads) {
        --threads;
        return not_found(key.first, "too many names are being looked up (does DNS answer?)");
    }
    try {
        quiet_thread("routerd-names", std::move(run)).detach();
    } catch (const std::system_error& error) {
        --threads;
        return not_found(key.first, std::string("start a thread: ") + error.what());
    }
    return asked_.emplace(key, std::make_shared<Question>()).first->second;
}

void NameBook::take(Answer answer) {
    if (answer.addresses) {
        known_[answer.key] = {*answer.addresses, steady_now() + good_for};
    }
    const auto asked = asked_.extract(answer.key);
    asked.mapped()->answer.emplace(std::move(answer.addresses));
    for (auto* waiting : asked.mapped()->waiting) {
        waiting->notify();
    }
}

asio::awaitable<Result<NameBook::Found>> NameBook::find(std::string host, std::uint16_t port,
                                                        TimePoint deadline) {
    const Key key(std::move(host), port);
    const auto known = known_.find(key);
    if (known != known_.end() && steady_now() < known->second.until) {
        co_return Found{known->second.addresses, false};
    }
    const auto asked = ask(key);
    if (!asked) {
        co_return asked.error();
    }
    const auto& question = *asked;
    Signal done(executor_);
    const auto place = question->waiting.insert(question->waiting.end(), &done);
    struct Leave {
        Question& question;
        std::list<Signal*>::iterator place;
        ~Leave() { question.waiting.erase(place); }
    };
    const Leave leave{*question, place};
    bool in_time = true;
    while (!question->answer && in_time) {
        in_time = co_await done.wait_until(deadline);
    }
    if (!question->answer) {
        co_return Error(Errc::deadline_exceeded,
                        "look up '" + key.first + "': no answer in time (does DNS answer?)");
    }
    if (!*question->answer) {
        co_return question->answer->error();
    }
    if ((*question->answer)->empty()) {
        co_return not_found(key.first, "it has no address");
    }
    co_return Found{**question->answer, true};
}

}  // namespace routerd
