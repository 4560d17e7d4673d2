#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/transfer/block.hpp"
#include "daemon/transfer/disk_pool.hpp"
#include "daemon/transfer/order.hpp"
#include "daemon/transfer/request.hpp"
#include "daemon/transfer/token_bucket.hpp"

namespace routerd::transfer {

class DocumentFetch;
class Download;

/// What the engine tells of one transfer.
struct Told {
    std::uint64_t id = 0;
    std::optional<Live> live;
    std::optional<Record> record;  ///< to be kept; Engine::recorded() says when it is
    std::optional<Result<Fetched>> end;
    std::optional<Result<Answer>> answer;
};

/// The thread that fetches: it drives libcurl and decides what each connection does next. Writing
/// and digests are other threads' (DiskPool). Everything of a transfer is this thread's alone; the
/// functions for other threads leave a message.
class Engine {
  public:
    /// `tell` is called on the engine's thread and must not block.
    Engine(const CurlLibrary& curl, TransferSettings settings, std::function<void(Told)> tell);
    ~Engine();  ///< breaks off what is under way
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Any thread.
    void fetch(std::uint64_t id, Order order);
    void ask(std::uint64_t id, Question question);
    /// It ends with Errc::cancelled, when what arrived is in the file and told of.
    void stop(std::uint64_t id);
    void limit(std::uint64_t id, std::uint64_t rate, unsigned connections);
    /// `written`: total() of the record that is kept now.
    void recorded(std::uint64_t id, std::uint64_t written);
    void change(TransferSettings settings);

    // The engine's thread alone, for its transfers.
    const CurlLibrary& curl() const noexcept { return curl_; }
    CURLM* multi() const noexcept { return multi_; }
    const TransferSettings& settings() const noexcept { return settings_; }
    DiskPool& disk() noexcept { return *disk_; }
    BlockPool& blocks() noexcept { return blocks_; }
    TokenBucket& bucket() noexcept { return bucket_; }
    void tell(Told told) const { tell_(std::move(told)); }
    /// How many bytes one of the downloads under way may keep in memory.
    std::size_t memory_share() const noexcept;

  private:
    using Command = std::function<void()>;

    void post(Command command);
    void run();
    bool quits();
    void take_commands();
    void finish_requests();
    void finish(const CURL* easy, CURLcode code);
    void step_all(TimePoint now);
    int wait_time(TimePoint now);

    const CurlLibrary& curl_;
    TransferSettings settings_;
    std::function<void(Told)> tell_;
    CURLM* multi_;
    std::unique_ptr<DiskPool> disk_;
    BlockPool blocks_;
    TokenBucket bucket_;
    std::map<std::uint64_t, std::unique_ptr<Download>> downloads_;
    std::map<std::uint64_t, std::unique_ptr<DocumentFetch>> documents_;
    std::mutex mutex_;
    std::vector<Command> commands_;  // under the mutex
    bool quits_ = false;             // the same
    std::thread thread_;
};

}  // namespace routerd::transfer
