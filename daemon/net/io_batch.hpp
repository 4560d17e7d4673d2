#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace routerd {

/// Receives and sends of many sockets as one system call, by io_uring. None of them waits, so each
/// has ended when run() returns: nothing is ever in flight, and a buffer needs to live no longer.
/// Where the kernel has no io_uring for us (too old, kernel.io_uring_disabled, a container's filter
/// of system calls) the same is done one by one. Used on one thread, the first run()'s.
class IoBatch {
  public:
    static constexpr std::size_t capacity = 64;  ///< operations

    IoBatch();
    IoBatch(const IoBatch&) = delete;
    IoBatch& operator=(const IoBatch&) = delete;
    ~IoBatch();

    /// Whether io_uring may be used; it may at first.
    void allow(bool allowed) noexcept;

    /// Whether run() takes one system call. On the thread that will run it.
    bool is_joined() noexcept;

    /// Adds recv(2) without waiting. `result`, bytes or a negative errno, is there after run(). As
    /// many as `capacity` may be added before that.
    void receive(int socket, std::span<char> room, int& result) noexcept;

    /// Adds send(2) without waiting, as receive().
    void send(int socket, std::span<const char> bytes, int& result) noexcept;

    /// Does what was added, in that order.
    void run() noexcept;

  private:
    class Ring;

    struct Operation {
        int socket;
        bool sends;
        void* bytes;
        std::size_t size;
        int* result;
    };

    void run_alone(const Operation& operation) noexcept;

    bool allowed_ = true;
    std::unique_ptr<Ring> ring_;  // nullptr: not tried yet, or not to be had
    std::array<Operation, capacity> operations_{};
    std::size_t count_ = 0;
};

}  // namespace routerd
