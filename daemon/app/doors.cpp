#include "daemon/app/doors.hpp"

#include <utility>

namespace routerd {
namespace {

constexpr unsigned control_socket_mode = 0660;

}  // namespace

Result<Doors> Doors::plan(const Config& config) {
    Doors doors;
    doors.control_.unix_path = config.state.socket;
    doors.control_.unix_mode = control_socket_mode;
    auto handed = take_handed_over();
    if (!handed) {
        return handed.error();
    }
    for (auto& one : *handed) {
        const bool is_control =
            one.name == "control" || one.address.unix_path == config.state.socket;
        doors.loopback_only_ = doors.loopback_only_ && (is_control || one.address.is_loopback());
        (is_control ? doors.handed_control_ : doors.handed_public_).push_back(std::move(one));
    }
    if (!doors.handed_public_.empty()) {
        return doors;
    }
    for (const auto& text : config.http.listen) {
        auto address = parse_listen_address(text);
        if (!address) {
            return address.error().within("[http] listen");
        }
        doors.loopback_only_ = doors.loopback_only_ && address->is_loopback();
        doors.public_.push_back(std::move(*address));
    }
    return doors;
}

Result<Doors::Open> Doors::open(IoLoop& loop) {
    Open open;
    if (handed_control_.empty()) {
        auto listener = Listener::open(loop, control_);
        if (!listener) {
            return listener.error();
        }
        open.control.push_back(std::move(*listener));
    }
    for (const auto& address : public_) {
        auto listener = Listener::open(loop, address);
        if (!listener) {
            return listener.error();
        }
        open.everybody.push_back(std::move(*listener));
    }
    for (auto& one : handed_control_) {
        open.control.push_back(Listener::adopt(loop, std::move(one)));
    }
    for (auto& one : handed_public_) {
        open.everybody.push_back(Listener::adopt(loop, std::move(one)));
    }
    return open;
}

}  // namespace routerd
