#include "daemon/succession/arrivals.hpp"

#include <cerrno>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/net/tls_session.hpp"

namespace routerd::succession {
namespace {

Result<UniqueFd> in_memory(const std::string& bytes) {
    UniqueFd file(::memfd_create("routerd-input", MFD_CLOEXEC));
    if (!file) {
        return errno_error("keep what a client has sent", errno);
    }
    for (std::size_t done = 0; done < bytes.size();) {
        const auto wrote = ::pwrite(file.get(), bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(done));
        if (wrote <= 0) {
            return errno_error("keep what a client has sent", errno);
        }
        done += static_cast<std::size_t>(wrote);
    }
    return file;
}

Result<std::string> contents(const UniqueFd& file) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) {
        return errno_error("read what a client has sent", errno);
    }
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const auto got =
            ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got <= 0) {
            return errno_error("read what a client has sent", got < 0 ? errno : EIO);
        }
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace

Result<Packet> to_packet(Arrival arrival) {
    Packet packet;
    packet.body = {{"is", "arrival"}, {"control", arrival.is_control}};
    packet.files.push_back(std::move(arrival.socket));
    if (!arrival.input.empty()) {
        auto input = in_memory(arrival.input);
        if (!input) {
            return input.error();
        }
        packet.files.push_back(std::move(*input));
    }
    return packet;
}

Result<Arrival> arrival_from(Packet packet) {
    if (packet.files.empty()) {
        return Error(Errc::unavailable, "a connection was handed over without its socket");
    }
    Arrival arrival;
    arrival.is_control = packet.body.value("control", false);
    arrival.socket = std::move(packet.files[0]);
    if (packet.files.size() > 1) {
        auto input = contents(packet.files[1]);
        if (!input) {
            return input.error();
        }
        arrival.input = std::move(*input);
    }
    return arrival;
}

}  // namespace routerd::succession
