#include "daemon/transfer/disk_pool.hpp"

#include <utility>

#include <pthread.h>

namespace routerd::transfer {

DiskPool::DiskPool(std::size_t threads, std::function<void()> wake) : wake_(std::move(wake)) {
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this] {
            ::pthread_setname_np(::pthread_self(), "pull-disk");
            work();
        });
    }
}

DiskPool::~DiskPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    more_.notify_all();
    for (auto& thread : threads_) {
        thread.join();
    }
}

void DiskPool::add(std::unique_ptr<Job> job) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(job));
    }
    more_.notify_one();
}

void DiskPool::finish_all() {
    std::vector<std::unique_ptr<Job>> done;
    {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
    }
    for (const auto& job : done) {
        job->finish();
    }
}

void DiskPool::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) {
            return;
        }
        auto job = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        job->run();
        lock.lock();
        const bool is_first = done_.empty();
        done_.push_back(std::move(job));
        if (is_first) {
            lock.unlock();
            wake_();
            lock.lock();
        }
    }
}

}  // namespace routerd::transfer
