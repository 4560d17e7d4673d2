// The part of a download that is done by the threads of the disk.
#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/transfer/download.hpp"

namespace routerd::transfer {
namespace {

constexpr std::uint64_t sync_each = std::uint64_t{8} << 20U;
constexpr auto sync_at_least_each = std::chrono::seconds(5);
constexpr std::size_t hash_blocks = 16;  // at once
constexpr std::size_t write_blocks = 16;
constexpr std::uint64_t reread_at_once = std::uint64_t{1} << 20U;

}  // namespace

/// While one is under way the download stays.
class Download::DiskJob : public DiskPool::Job {
  public:
    explicit DiskJob(Download& download) : download_(download) { ++download_.jobs_; }

    void finish() final {
        --download_.jobs_;
        done();
    }

  protected:
    virtual void done() = 0;
    Download& download() noexcept { return download_; }

  private:
    Download& download_;
};

class Download::OpenJob final : public DiskJob {
  public:
    OpenJob(Download& owner, PartFile::Begin begin)
        : DiskJob(owner),
          root_(owner.order_.root),
          path_(owner.order_.path),
          begin_(begin),
          written_(owner.order_.record.written),
          size_(owner.size_) {}

    void run() override {
        const auto held = begin_ == PartFile::Begin::resume ? written_.total() : 0;
        if (size_) {
            const auto room = expect_room(root_, *size_ - std::min(held, *size_));
            if (!room) {
                file_ = Result<PartFile>(room.error());
                return;
            }
        }
        file_ = PartFile::open(root_, path_, begin_);
        const bool is_usable = *file_ && (written_.empty() || begin_ == PartFile::Begin::fresh ||
                                          (**file_).size() >= written_.ranges().back().end);
        const bool is_gone = !*file_ && file_->error().code() == Errc::not_found;
        if (begin_ == PartFile::Begin::resume && (is_gone || (*file_ && !is_usable))) {
            begin_ = PartFile::Begin::fresh;
            file_ = PartFile::open(root_, path_, begin_);
        }
        if (*file_ && size_) {
            const auto allocated = (**file_).allocate(*size_);
            if (!allocated) {
                file_ = Result<PartFile>(allocated.error());
            }
        }
    }

  private:
    void done() override { download().opened(std::move(*file_), begin_ == PartFile::Begin::fresh); }

    std::string root_;
    std::string path_;
    PartFile::Begin begin_;
    Extents written_;
    std::optional<std::uint64_t> size_;
    std::optional<Result<PartFile>> file_;
};

class Download::AllocateJob final : public DiskJob {
  public:
    AllocateJob(Download& owner, std::uint64_t size)
        : DiskJob(owner), file_(*owner.file_), root_(owner.order_.root), size_(size) {}

    void run() override {
        result_ = expect_room(root_, size_);
        if (result_) {
            result_ = file_.allocate(size_);
        }
    }

  private:
    void done() override {
        if (!result_) {
            download().fail(result_.error());
        }
    }

    PartFile& file_;
    std::string root_;
    std::uint64_t size_;
    Result<void> result_;
};

/// Blocks in the order of the file, as few calls as their gaps allow.
class Download::WriteJob final : public DiskJob {
  public:
    WriteJob(Download& owner, std::vector<BlockPtr> blocks)
        : DiskJob(owner), file_(*owner.file_), blocks_(std::move(blocks)) {
        std::ranges::sort(blocks_, {}, [](const BlockPtr& block) { return block->offset; });
    }

    void run() override {
        for (auto first = blocks_.begin(); first != blocks_.end() && result_;) {
            std::vector<iovec> pieces;
            auto next = (*first)->offset;
            auto last = first;
            for (; last != blocks_.end() && (*last)->offset == next; ++last) {
                pieces.push_back({(*last)->data.data(), (*last)->size});
                next = (*last)->end();
            }
            result_ = file_.write((*first)->offset, pieces);
            first = last;
        }
    }

  private:
    void done() override { download().written(std::move(blocks_), result_); }

    PartFile& file_;
    std::vector<BlockPtr> blocks_;
    Result<void> result_;
};

/// Adds bytes to the digest: those of blocks, or, where they are in the file alone, of a range.
class Download::HashJob final : public DiskJob {
  public:
    HashJob(Download& owner, std::vector<BlockPtr> blocks)
        : DiskJob(owner), file_(*owner.file_), digest_(owner.digest_), blocks_(std::move(blocks)) {
        for (const auto& block : blocks_) {
            bytes_ += block->size;
        }
    }
    HashJob(Download& owner, Range range)
        : DiskJob(owner),
          file_(*owner.file_),
          digest_(owner.digest_),
          range_(range),
          bytes_(range.size()) {}

    void run() override {
        for (const auto& block : blocks_) {
            digest_.update(block->bytes());
        }
        if (!range_.empty()) {
            std::vector<char> text(range_.size());
            result_ = file_.read(range_.begin, text);
            digest_.update(text);
        }
    }

  private:
    void done() override { download().hashed(bytes_, std::move(blocks_), result_); }

    PartFile& file_;
    Sha256& digest_;
    std::vector<BlockPtr> blocks_;
    Range range_;
    std::uint64_t bytes_ = 0;
    Result<void> result_;
};

class Download::SyncJob final : public DiskJob {
  public:
    explicit SyncJob(Download& owner)
        : DiskJob(owner), file_(*owner.file_), what_(owner.written_) {}

    void run() override { result_ = file_.sync(); }

  private:
    void done() override { download().synced(what_, result_); }

    PartFile& file_;
    Extents what_;
    Result<void> result_;
};

void Download::open(PartFile::Begin begin) {
    file_.reset();
    engine_.disk().add(std::make_unique<OpenJob>(*this, begin));
}

void Download::opened(Result<PartFile> file, bool is_fresh) {
    if (!file) {
        fail(file.error());
        return;
    }
    file_ = std::move(*file);
    for (auto& [offset, block] : pending_) {
        give_back(std::move(block));
    }
    pending_.clear();
    const auto& record = order_.record;
    written_ = is_fresh ? Extents() : record.written;
    synced_ = is_fresh ? Extents() : record.synced;
    etag_ = is_fresh ? "" : record.etag;
    taken_ = written_;
    digest_ = Sha256();
    frontier_ = 0;
    caught_up_at_ = written_.empty() ? 0 : written_.ranges().back().end;
    arrived_ = written_.total();
    arrived_then_ = std::min(arrived_then_, arrived_);
    kept_ = arrived_;
    told_ = arrived_;
    told_synced_ = synced_.total();
    proved_ = false;
    count_.set_most(order_.connections);
    if (restarting_) {
        size_ = order_.size;
        restarting_ = false;
        tell_record();
    }
}

void Download::allocate(std::uint64_t size) {
    engine_.disk().add(std::make_unique<AllocateJob>(*this, size));
}

void Download::flush(Lane& lane) {
    unwritten_.push_back(std::move(lane.block));
    pump_writes();
}

/// One at a time: the file system lets only one writer into a file anyway.
void Download::pump_writes() {
    if (writing_ || unwritten_.empty()) {
        return;
    }
    std::vector<BlockPtr> blocks;
    while (!unwritten_.empty() && blocks.size() < write_blocks) {
        blocks.push_back(std::move(unwritten_.front()));
        unwritten_.pop_front();
    }
    writing_ = true;
    engine_.disk().add(std::make_unique<WriteJob>(*this, std::move(blocks)));
}

void Download::give_back(BlockPtr block) {
    --blocks_;
    engine_.blocks().give(std::move(block));
}

void Download::written(std::vector<BlockPtr> blocks, const Result<void>& done) {
    writing_ = false;
    for (auto& block : blocks) {
        const Range range{block->offset, block->end()};
        if (!done || restarting_) {
            give_back(std::move(block));
            continue;
        }
        written_.add(range);
        taken_.add(range);
        if (is_catching_up() || ending_ || pending_.contains(range.begin)) {
            caught_up_at_ = std::max(caught_up_at_, range.end);
            give_back(std::move(block));
        } else {
            pending_.emplace(range.begin, std::move(block));
        }
    }
    if (!done) {
        fail(done.error());
    }
    if (!done || restarting_) {
        for (auto& block : unwritten_) {
            give_back(std::move(block));
        }
        unwritten_.clear();
    }
    pump_writes();
    if (!ending_) {
        pump_digest();
    }
}

void Download::pump_digest() {
    if (hashing_ || restarting_) {
        return;
    }
    std::vector<BlockPtr> blocks;
    auto next = frontier_;
    for (auto found = pending_.find(next); found != pending_.end() && blocks.size() < hash_blocks;
         found = pending_.find(next)) {
        next = found->second->end();
        blocks.push_back(std::move(found->second));
        pending_.erase(found);
    }
    if (!blocks.empty()) {
        hashing_ = true;
        engine_.disk().add(std::make_unique<HashJob>(*this, std::move(blocks)));
        return;
    }
    Range range{frontier_, std::min(written_.end_at(frontier_), frontier_ + reread_at_once)};
    if (!pending_.empty()) {
        range.end = std::min(range.end, pending_.begin()->first);
    }
    if (!range.empty()) {
        hashing_ = true;
        engine_.disk().add(std::make_unique<HashJob>(*this, range));
    }
}

void Download::hashed(std::uint64_t bytes, std::vector<BlockPtr> blocks, const Result<void>& done) {
    hashing_ = false;
    for (auto& block : blocks) {
        give_back(std::move(block));
    }
    if (!done) {
        fail(done.error());
    }
    if (restarting_ || ending_) {
        return;
    }
    frontier_ += bytes;
    pump_digest();
}

void Download::sync_if_due(TimePoint now) {
    const auto waiting = written_.total() - synced_.total();
    const bool is_due = waiting >= sync_each || now - synced_at_ >= sync_at_least_each;
    if (syncing_ || waiting == 0 || !is_due) {
        return;
    }
    syncing_ = true;
    synced_at_ = now;
    engine_.disk().add(std::make_unique<SyncJob>(*this));
}

void Download::synced(const Extents& what, const Result<void>& done) {
    syncing_ = false;
    if (!done) {
        fail(done.error());
    }
    if (!restarting_) {
        synced_ = what;
    }
}

/// All is here when the digest has read it all.
void Download::finish_if_whole() {
    if (ending_ || restarting_ || !size_ || frontier_ != *size_ || written_.total() != *size_ ||
        running() > 0) {
        return;
    }
    if (sha256_.empty()) {
        sha256_ = digest_.finish();
    }
    if (synced_ != written_) {
        synced_at_ = {};
        sync_if_due(steady_now());
        return;
    }
    if (jobs_ > 0 || (ranges_ && awaits_record_)) {
        return;
    }
    over_ = true;
    Told told;
    told.id = id_;
    told.end = Result<Fetched>(Fetched{*size_, sha256_});
    engine_.tell(std::move(told));
}

}  // namespace routerd::transfer
