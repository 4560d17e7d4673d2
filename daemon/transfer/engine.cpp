#include "daemon/transfer/engine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <pthread.h>

#include "daemon/transfer/document_fetch.hpp"
#include "daemon/transfer/download.hpp"

namespace routerd::transfer {
namespace {

constexpr std::size_t disk_threads = 3;  // one writes, one computes a digest, one syncs
constexpr auto step_time = std::chrono::milliseconds(50);
constexpr auto rest_time = std::chrono::seconds(60);  // nothing to do: until somebody wakes it
constexpr std::size_t smallest_share = std::size_t{4} << 20U;

}  // namespace

Engine::Engine(const CurlLibrary& curl, TransferSettings settings, std::function<void(Told)> tell)
    : curl_(curl),
      settings_(std::move(settings)),
      tell_(std::move(tell)),
      multi_(curl.multi_init()) {
    disk_ = std::make_unique<DiskPool>(disk_threads, [this] { curl_.multi_wakeup(multi_); });
    bucket_.set_rate(settings_.limit_rate, steady_now());
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "pull");
        run();
    });
}

Engine::~Engine() {
    {
        const std::lock_guard lock(mutex_);
        quits_ = true;
    }
    curl_.multi_wakeup(multi_);
    thread_.join();
    disk_.reset();  // its jobs refer to the downloads
    downloads_.clear();
    documents_.clear();
    curl_.multi_cleanup(multi_);
}

void Engine::post(Command command) {
    {
        const std::lock_guard lock(mutex_);
        commands_.push_back(std::move(command));
    }
    curl_.multi_wakeup(multi_);
}

void Engine::fetch(std::uint64_t id, Order order) {
    post([this, id, order = std::move(order)]() mutable {
        downloads_.emplace(id, std::make_unique<Download>(*this, id, std::move(order)));
    });
}

void Engine::ask(std::uint64_t id, Question question) {
    post([this, id, question = std::move(question)]() mutable {
        documents_.emplace(id, std::make_unique<DocumentFetch>(*this, id, std::move(question)));
    });
}

void Engine::stop(std::uint64_t id) {
    post([this, id] {
        if (const auto found = downloads_.find(id); found != downloads_.end()) {
            found->second->stop();
        } else if (const auto asked = documents_.find(id); asked != documents_.end()) {
            asked->second->stop();
        }
    });
}

void Engine::limit(std::uint64_t id, std::uint64_t rate, unsigned connections) {
    post([this, id, rate, connections] {
        if (const auto found = downloads_.find(id); found != downloads_.end()) {
            found->second->limit(rate, connections);
        }
    });
}

void Engine::recorded(std::uint64_t id, std::uint64_t written) {
    post([this, id, written] {
        if (const auto found = downloads_.find(id); found != downloads_.end()) {
            found->second->recorded(written);
        }
    });
}

void Engine::change(TransferSettings settings) {
    post([this, settings = std::move(settings)] {
        settings_ = settings;
        bucket_.set_rate(settings_.limit_rate, steady_now());
    });
}

std::size_t Engine::memory_share() const noexcept {
    return std::max(settings_.memory / std::max(downloads_.size(), std::size_t{1}), smallest_share);
}

void Engine::take_commands() {
    std::vector<Command> commands;
    {
        const std::lock_guard lock(mutex_);
        commands.swap(commands_);
    }
    for (const auto& command : commands) {
        command();
    }
}

void Engine::finish(const CURL* easy, CURLcode code) {
    const auto is_its = [easy, code](const auto& entry) {
        return entry.second->finish(easy, code);
    };
    static_cast<void>(std::ranges::any_of(downloads_, is_its) ||
                      std::ranges::any_of(documents_, is_its));
}

void Engine::finish_requests() {
    int left = 0;
    while (const CURLMsg* const message = curl_.multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) {
            finish(message->easy_handle, message->data.result);
        }
    }
}

void Engine::step_all(TimePoint now) {
    for (const auto& [id, download] : downloads_) {
        download->step(now);
    }
    for (const auto& [id, document] : documents_) {
        document->step(now);
    }
    std::erase_if(downloads_, [](const auto& entry) { return entry.second->is_over(); });
    std::erase_if(documents_, [](const auto& entry) { return entry.second->is_over(); });
    if (downloads_.empty() && blocks_.in_use() == 0) {
        blocks_.shrink();
    }
}

int Engine::wait_time(TimePoint now) {
    if (downloads_.empty() && documents_.empty()) {
        return static_cast<int>(std::chrono::milliseconds(rest_time).count());
    }
    auto due = now + step_time;
    for (const auto& [id, download] : downloads_) {
        due = std::min(due, download->due(now));
    }
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(due - now).count());
}

bool Engine::quits() {
    const std::lock_guard lock(mutex_);
    return quits_;
}

void Engine::run() {
    while (!quits()) {
        take_commands();
        disk_->finish_all();
        int running = 0;
        curl_.multi_perform(multi_, &running);
        finish_requests();
        disk_->finish_all();
        const auto now = steady_now();
        step_all(now);
        curl_.multi_poll(multi_, nullptr, 0, wait_time(now), nullptr);
    }
}

}  // namespace routerd::transfer
