#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace routerd::transfer {

/// Threads for what blocks or computes: writing, digests, syncing.
class DiskPool {
  public:
    /// Some work: run() on a thread of the pool, then finish() on the owner's.
    class Job {
      public:
        Job() = default;
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;
        virtual ~Job() = default;
        virtual void run() = 0;
        virtual void finish() = 0;
    };

    /// `wake` is called on any thread when finish_all() has something to do.
    DiskPool(std::size_t threads, std::function<void()> wake);
    ~DiskPool();  ///< what has not begun is dropped
    DiskPool(const DiskPool&) = delete;
    DiskPool& operator=(const DiskPool&) = delete;

    void add(std::unique_ptr<Job> job);

    /// On the owner's thread: finish() of each job that has run.
    void finish_all();

  private:
    void work();

    std::function<void()> wake_;
    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<std::unique_ptr<Job>> waiting_;  // this and what follows: under the mutex
    std::vector<std::unique_ptr<Job>> done_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace routerd::transfer
