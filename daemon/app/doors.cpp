#include "daemon/app/doors.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

constexpr unsigned control_socket_mode = 0660;

/// Those of `some` that are not among `others`.
std::vector<Door> without(const std::vector<Door>& some, const std::vector<Door>& others) {
    std::vector<Door> rest;
    std::ranges::copy_if(some, std::back_inserter(rest), [&others](const Door& door) {
        return std::ranges::find(others, door) == others.end();
    });
    return rest;
}

/// The system has no place for both: "0.0.0.0:80" is taken while somebody listens on
/// "127.0.0.1:80".
bool may_be_in_the_way(const ListenAddress& one, const ListenAddress& other) {
    return one.is_unix() ? one.unix_path == other.unix_path
                         : !other.is_unix() && one.port != 0 && one.port == other.port;
}

Result<void> open_at(IoLoop& loop, Server& server, const Door& door) {
    auto listener = Listener::open(loop, door.address);
    if (!listener) {
        return listener.error();
    }
    spdlog::info("listening on {}", listener->address().url());
    server.listen(std::move(*listener), door.is_control);
    return {};
}

void close_at(Server& server, const Door& door) {
    spdlog::info("not listening on {} any more", door.address.url());
    server.stop_listening(door.address, door.is_control);
}

}  // namespace

Result<Doors> Doors::plan(const Config& config, std::vector<HandedOver> handed) {
    Doors doors;
    for (auto& one : handed) {
        if (one.asked != ListenAddress()) {
            doors.inherited_.push_back(std::move(one));
            continue;
        }
        const bool is_control =
            one.name == "control" || one.address.unix_path == config.state.socket;
        doors.handed_are_loopback_ =
            doors.handed_are_loopback_ && (is_control || one.address.is_loopback());
        (is_control ? doors.handed_control_ : doors.handed_public_).push_back(std::move(one));
    }
    doors.has_handed_control_ = !doors.handed_control_.empty();
    doors.has_handed_public_ = !doors.handed_public_.empty();
    const auto read = doors.read(config);
    return read ? Result<Doors>(std::move(doors)) : read.error();
}

Result<void> Doors::read(const Config& config) {
    own_.clear();
    loopback_only_ = handed_are_loopback_;
    if (!has_handed_control_) {
        Door control{.address = {}, .is_control = true};
        control.address.unix_path = config.state.socket;
        control.address.unix_mode = control_socket_mode;
        own_.push_back(std::move(control));
    }
    if (has_handed_public_) {
        return {};
    }
    for (const auto& text : config.http.listen) {
        auto address = parse_listen_address(text);
        if (!address) {
            return address.error().within("[http] listen");
        }
        loopback_only_ = loopback_only_ && address->is_loopback();
        own_.push_back({std::move(*address), false});
    }
    return {};
}

/// Of the inherited sockets those that are still wanted, one a door, or an empty one; the others
/// are closed, so that they are not in the way.
std::vector<HandedOver> Doors::take_wanted() {
    std::vector<HandedOver> wanted;
    for (const auto& door : own_) {
        const auto found = std::ranges::find_if(inherited_, [&door](const HandedOver& one) {
            return one.socket && one.asked == door.address;
        });
        wanted.push_back(found == inherited_.end() ? HandedOver() : std::move(*found));
    }
    for (const auto& one : inherited_) {
        if (one.socket && one.owns_file) {
            ::unlink(one.address.unix_path.c_str());
        }
    }
    inherited_.clear();
    return wanted;
}

Result<Doors::Open> Doors::open(IoLoop& loop) {
    Open open;
    auto inherited = take_wanted();
    for (std::size_t i = 0; i < own_.size(); ++i) {
        const auto& door = own_[i];
        auto listener = inherited[i].socket
                            ? Result<Listener>(Listener::adopt(loop, std::move(inherited[i])))
                            : Listener::open(loop, door.address);
        if (!listener) {
            return listener.error();
        }
        (door.is_control ? open.control : open.everybody).push_back(std::move(*listener));
    }
    for (auto& one : handed_control_) {
        open.control.push_back(Listener::adopt(loop, std::move(one)));
    }
    for (auto& one : handed_public_) {
        open.everybody.push_back(Listener::adopt(loop, std::move(one)));
    }
    handed_control_.clear();
    handed_public_.clear();
    return open;
}

Result<Doors> Doors::changed_to(const Config& config) const {
    Doors next;
    next.has_handed_control_ = has_handed_control_;
    next.has_handed_public_ = has_handed_public_;
    next.handed_are_loopback_ = handed_are_loopback_;
    const auto read = next.read(config);
    return read ? Result<Doors>(std::move(next)) : read.error();
}

Result<void> Doors::change(IoLoop& loop, Server& server, const Doors& next) const {
    auto gone = without(own_, next.own_);
    const auto fresh = without(next.own_, own_);
    std::vector<Door> closed;
    std::vector<Door> opened;
    for (const auto& door : fresh) {
        auto done = open_at(loop, server, door);
        const auto in_the_way = std::ranges::stable_partition(gone, [&door](const Door& other) {
            return !may_be_in_the_way(door.address, other.address);
        });
        if (!done && done.error().code() == Errc::conflict && !in_the_way.empty()) {
            for (const auto& other : in_the_way) {
                close_at(server, other);
                closed.push_back(other);
            }
            gone.erase(in_the_way.begin(), in_the_way.end());
            done = open_at(loop, server, door);
        }
        if (!done) {
            std::ranges::for_each(opened, [&](const Door& one) { close_at(server, one); });
            for (const auto& one : closed) {
                const auto again = open_at(loop, server, one);
                if (!again) {
                    spdlog::error("{}", again.error().message());
                }
            }
            return done.error();
        }
        opened.push_back(door);
    }
    std::ranges::for_each(gone, [&](const Door& one) { close_at(server, one); });
    return {};
}

}  // namespace routerd
