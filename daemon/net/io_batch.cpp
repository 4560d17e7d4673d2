#include "daemon/net/io_batch.hpp"

#include <cassert>
#include <cerrno>
#include <climits>
#include <new>
#include <string>
#include <system_error>

#include <liburing.h>
#include <sys/socket.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

constexpr int receive_flags = MSG_DONTWAIT;
constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
constexpr int not_done = INT_MIN;  // a result

/// Of a negative errno.
std::string why(int error) {
    return std::generic_category().message(-error);
}

}  // namespace

/// The kernel's side: two queues that it shares with us.
class IoBatch::Ring {
  public:
    /// nullptr where there is none to be had.
    static std::unique_ptr<Ring> make() noexcept {
        std::unique_ptr<Ring> made(new (std::nothrow) Ring);
        // SINGLE_ISSUER spares the kernel a lock, from 6.0 on.
        const int error = made == nullptr ? -ENOMEM : made->begin(IORING_SETUP_SINGLE_ISSUER);
        const int second = error == -EINVAL ? made->begin(0) : error;
        const int third = second == 0 && !made->knows_messages() ? -EOPNOTSUPP : second;
        if (third != 0) {
            spdlog::debug("io_uring: {}: each message is a system call of its own", why(third));
            return nullptr;
        }
        return made;
    }

    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        if (begun_) {
            ::io_uring_queue_exit(&ring_);
        }
    }

    /// Does them; those that it could not leave not_done. False: it is of no more use.
    bool run(std::span<const Operation> operations) noexcept {
        for (const auto& operation : operations) {
            add(operation);
        }
        const auto count = static_cast<unsigned>(operations.size());
        for (unsigned ended = 0; ended < count;) {
            const int told = ::io_uring_submit_and_wait(&ring_, count - ended);
            const unsigned before = ended;
            ended += take_results();
            const bool is_stuck = told < 0 && told != -EINTR && ended == before;
            if (is_stuck) {
                spdlog::warn(
                    "io_uring_enter: {}: each message is a system call of its own from "
                    "now on",
                    why(told));
                return false;
            }
        }
        return true;
    }

  private:
    int begin(unsigned flags) noexcept {
        const int error = ::io_uring_queue_init(capacity, &ring_, flags);
        begun_ = error == 0;
        return error;
    }

    /// Kernels before 5.6 have io_uring without these two.
    bool knows_messages() noexcept {
        auto* const known = ::io_uring_get_probe_ring(&ring_);
        if (known == nullptr) {
            return false;
        }
        const bool has_both = ::io_uring_opcode_supported(known, IORING_OP_SEND) != 0 &&
                              ::io_uring_opcode_supported(known, IORING_OP_RECV) != 0;
        ::io_uring_free_probe(known);
        return has_both;
    }

    void add(const Operation& operation) noexcept {
        auto* entry = ::io_uring_get_sqe(&ring_);
        if (operation.sends) {
            ::io_uring_prep_send(entry, operation.socket, operation.bytes, operation.size,
                                 send_flags);
        } else {
            ::io_uring_prep_recv(entry, operation.socket, operation.bytes, operation.size,
                                 receive_flags);
        }
        ::io_uring_sqe_set_data(entry, operation.result);
    }

    unsigned take_results() noexcept {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* ended = nullptr;
        io_uring_for_each_cqe(&ring_, head, ended) {
            *static_cast<int*>(::io_uring_cqe_get_data(ended)) = ended->res;
            ++count;
        }
        ::io_uring_cq_advance(&ring_, count);
        return count;
    }

    io_uring ring_{};
    bool begun_ = false;
};

IoBatch::IoBatch() = default;

IoBatch::~IoBatch() = default;

void IoBatch::allow(bool allowed) noexcept {
    allowed_ = allowed;
    if (!allowed) {
        ring_.reset();
    }
}

bool IoBatch::is_joined() noexcept {
    if (allowed_ && ring_ == nullptr) {
        ring_ = Ring::make();
        allowed_ = ring_ != nullptr;
    }
    return allowed_;
}

void IoBatch::receive(int socket, std::span<char> room, int& result) noexcept {
    assert(count_ < capacity);
    result = not_done;
    operations_[count_++] = {socket, false, room.data(), room.size(), &result};
}

void IoBatch::send(int socket, std::span<const char> bytes, int& result) noexcept {
    assert(count_ < capacity);
    result = not_done;
    // What is sent is only read.
    operations_[count_++] = {socket, true, const_cast<char*>(bytes.data()), bytes.size(), &result};
}

void IoBatch::run_alone(const Operation& operation) noexcept {
    ssize_t moved = 0;
    do {
        moved = operation.sends
                    ? ::send(operation.socket, operation.bytes, operation.size, send_flags)
                    : ::recv(operation.socket, operation.bytes, operation.size, receive_flags);
    } while (moved < 0 && errno == EINTR);
    *operation.result = moved < 0 ? -errno : static_cast<int>(moved);
}

void IoBatch::run() noexcept {
    const std::span<const Operation> all(operations_.data(), count_);
    if (count_ > 1 && is_joined() && !ring_->run(all)) {
        allow(false);
    }
    for (const auto& operation : all) {
        if (*operation.result == not_done || *operation.result == -EINTR) {
            run_alone(operation);
        }
    }
    count_ = 0;
}

}  // namespace routerd
