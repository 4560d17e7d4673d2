#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/transfer/block.hpp"
#include "daemon/transfer/connection_count.hpp"
#include "daemon/transfer/engine.hpp"
#include "daemon/transfer/lane.hpp"
#include "daemon/transfer/part_file.hpp"
#include "daemon/transfer/sha256.hpp"

namespace routerd::transfer {

/// One file on its way, on the engine's thread. Each of its connections ("lanes") brings a part of
/// some MiB. Parts are handed out in the file's order and only a window's length ahead of the
/// digest, so that each byte is hashed from memory, in order, after it was written; only after a
/// restart is what an earlier process wrote read again. No more than `most_unrecorded` bytes arrive
/// ahead of the last record that is kept: that is what a crash can cost.
class Download : private Lane::Owner {
  public:
    Download(Engine& engine, std::uint64_t id, Order order);
    ~Download() override;

    /// Does whatever is due.
    void step(TimePoint now);

    /// When it wants to be stepped at the latest.
    TimePoint due(TimePoint now);

    /// A handle of the multi handle is through; false: it is not one of these.
    bool finish(const CURL* easy, CURLcode code);

    void stop();
    void limit(std::uint64_t rate, unsigned connections);
    void recorded(std::uint64_t written);

    bool is_over() const noexcept { return over_; }

  private:
    // What the disk does for it: download_disk.cpp.
    class DiskJob;
    class OpenJob;
    class AllocateJob;
    class WriteJob;
    class HashJob;
    class SyncJob;

    void on_head(Lane& lane) override;
    Request::Sink::Taken on_body(Lane& lane, std::span<const char> data) override;
    void accept(Lane& lane);
    bool may_take(const Lane& lane, TimePoint now);
    bool has_right_start(const Lane& lane, std::span<const char> data) const;
    void store(Lane& lane, std::span<const char> data);
    void flush(Lane& lane);

    std::optional<Range> next_range() const;
    std::uint64_t window_base() const;
    void start_lanes(TimePoint now);
    void start(Lane& lane, http::Url url, Range range, bool whole, unsigned hops);
    Lane& idle_lane();
    unsigned running() const noexcept;
    void end_lane(Lane& lane);
    void end_lanes();
    void through(Lane& lane, CURLcode code);
    void through_whole(Lane& lane);
    void in_vain(Lane& lane, const Judgement& judgement);
    void refused_there(Lane& lane, const Error& error);
    void follow(Lane& lane);
    void trouble(const Error& error, std::optional<std::chrono::seconds> delay, unsigned most);
    void restart(std::string note);
    void fail(Error error);
    void wind_down();
    void check_stalls(TimePoint now);
    void break_off(Lane& lane, std::chrono::milliseconds silence);
    void resume_paused(TimePoint now);
    void report(TimePoint now);
    /// Whoever never was there may be a wrong name.
    bool may_wait() const noexcept { return answered_ || order_.patient; }
    void tell_record();
    bool is_catching_up() const noexcept { return frontier_ < caught_up_at_; }

    void open(PartFile::Begin begin);
    void opened(Result<PartFile> file, bool is_fresh);
    void allocate(std::uint64_t size);
    void pump_writes();
    void written(std::vector<BlockPtr> blocks, const Result<void>& done);
    void give_back(BlockPtr block);
    void pump_digest();
    void hashed(std::uint64_t bytes, std::vector<BlockPtr> blocks, const Result<void>& done);
    void sync_if_due(TimePoint now);
    void synced(const Extents& what, const Result<void>& done);
    void finish_if_whole();

    Engine& engine_;
    std::uint64_t id_;
    Order order_;
    std::optional<http::Url>
        final_url_;  // where redirects led, until it is not welcome there any more
    std::optional<std::uint64_t> size_;
    std::string etag_;
    bool ranges_ = true;     // the origin sends parts
    bool proved_ = false;    // it answered as a good one
    bool answered_ = false;  // there was a response that was worth something
    std::list<Lane> lanes_;
    ConnectionCount count_;
    TokenBucket bucket_;

    std::optional<PartFile> file_;
    Extents taken_;    // written, or asked for
    Extents written_;  // given to the system
    Extents synced_;
    std::deque<BlockPtr> unwritten_;
    std::map<std::uint64_t, BlockPtr> pending_;  // written, for the digest; by offset
    Sha256 digest_;
    std::string sha256_;              // when it is finished
    std::uint64_t frontier_ = 0;      // what the digest has read
    std::uint64_t caught_up_at_ = 0;  // below it bytes are in the file alone, not in memory
    std::size_t blocks_ = 0;          // in use here
    std::size_t jobs_ = 0;            // of the disk, under way
    bool writing_ = false;
    bool hashing_ = false;
    bool syncing_ = false;
    TimePoint synced_at_;

    std::uint64_t arrived_ = 0;  // bytes that are here or in a block
    std::uint64_t kept_ = 0;     // of them, in the last record that is kept
    std::uint64_t told_ = 0;     // of them, in the last record that was told
    std::uint64_t told_synced_ = 0;
    bool awaits_record_ = false;
    TimePoint told_at_;
    TimePoint live_at_;

    unsigned failures_ = 0;  // in a row, without a byte in between
    std::uint64_t arrived_then_ = 0;
    unsigned restarts_ = 0;
    unsigned changes_ = 0;
    unsigned renewals_ = 0;  // of final_url_, without a byte in between
    TimePoint retry_at_;
    std::string trouble_;
    std::string note_;
    bool restarting_ = false;
    std::optional<Error> ending_;  // it ends with it when all is put away
    bool over_ = false;
};

}  // namespace routerd::transfer
