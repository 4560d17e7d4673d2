#include "daemon/process/listening.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace routerd {
namespace {

/// Inodes of the sockets that listen on `port`. A line of /proc/net/tcp is "sl local remote state
/// … uid timeout inode …" with local as HEXADDRESS:HEXPORT and state 0A for listening.
std::vector<std::string> listeners(const char* table, std::uint16_t port) {
    std::vector<std::string> inodes;
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // headings
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
            timeout >> inode;
        const auto colon = local.rfind(':');
        if (state != "0A" || colon == std::string::npos) {
            continue;
        }
        unsigned found = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
        if (found == port) {
            inodes.push_back(inode);
        }
    }
    return inodes;
}

std::vector<std::string> sockets_of(pid_t pid) {
    std::vector<std::string> inodes;
    std::error_code ec;
    const auto folder = "/proc/" + std::to_string(pid) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
        const auto target = std::filesystem::read_symlink(entry.path(), ec).native();
        constexpr std::string_view head = "socket:[";
        if (!ec && target.starts_with(head)) {
            inodes.push_back(target.substr(head.size(), target.size() - head.size() - 1));
        }
    }
    return inodes;
}

}  // namespace

bool only_listener_is(pid_t pid, std::uint16_t port) {
    auto all = listeners("/proc/net/tcp", port);
    const auto six = listeners("/proc/net/tcp6", port);
    all.insert(all.end(), six.begin(), six.end());
    const auto own = sockets_of(pid);
    return !all.empty() && std::ranges::all_of(all, [&own](const std::string& inode) {
        return std::ranges::find(own, inode) != own.end();
    });
}

}  // namespace routerd
