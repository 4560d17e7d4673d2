#include "daemon/catalog/headers.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "common/base/unique_fd.hpp"
#include "daemon/catalog/writer_probe.hpp"
#include "daemon/gguf/json.hpp"
#include "daemon/gguf/reader.hpp"

namespace routerd {
namespace {

// In front of each row's text. Raise it when the reader learns more, so that all is read anew.
constexpr char good_mark[] = "gguf3 ";
constexpr char bad_mark[] = "bad1 ";

std::string payload_of(const Header& header) {
    if (header.state == Header::State::bad) {
        return bad_mark + header.reason;
    }
    return good_mark + gguf::to_json(*header.metadata).dump();
}

/// nullopt when another version wrote it.
std::optional<Header> header_from(const std::string& payload) {
    Header header;
    if (payload.starts_with(bad_mark)) {
        header.state = Header::State::bad;
        header.reason = payload.substr(std::strlen(bad_mark));
        return header;
    }
    if (!payload.starts_with(good_mark)) {
        return std::nullopt;
    }
    auto metadata = gguf::from_json(std::string_view(payload).substr(std::strlen(good_mark)));
    if (!metadata) {
        return std::nullopt;
    }
    header.state = Header::State::good;
    header.metadata = std::make_shared<const gguf::Metadata>(std::move(*metadata));
    return header;
}

bool is_lasting(const Header& header) noexcept {
    return header.state == Header::State::good || header.state == Header::State::bad;
}

}  // namespace

Header read_header(const std::string& path, WallTime now) {
    Header header;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        header.reason = std::string("cannot be opened: ") + std::strerror(errno);
        return header;
    }
    if (S_ISREG(status.st_mode) && is_being_written(fd.get(), stamp_of(status), now)) {
        header.state = Header::State::writing;
        header.reason = "is still being written";
        return header;
    }
    auto metadata = gguf::read_fd(fd.get());
    if (!metadata) {
        const bool lasting = metadata.error().code() == Errc::invalid_request;
        header.state = lasting ? Header::State::bad : Header::State::failed;
        header.reason = metadata.error().message();
        return header;
    }
    metadata->chat_template.clear();  // told by its traits; 10,000 of them would fill the memory
    metadata->chat_template.shrink_to_fit();
    header.state = Header::State::good;
    header.metadata = std::make_shared<const gguf::Metadata>(std::move(*metadata));
    return header;
}

void Headers::restore(const std::vector<FileRow>& rows) {
    for (const auto& row : rows) {
        Entry entry;
        entry.stamp = {row.device, row.inode, row.size, row.modified_ns};
        entry.saved = true;
        if (auto header = header_from(row.payload)) {
            entry.header = std::move(*header);
        } else {
            entry.stamp = {};  // fits no file: read anew, then replaced or removed
        }
        entries_.insert_or_assign(row.path, std::move(entry));
    }
}

Header Headers::get(const std::string& path, const FileStamp& stamp, bool again) {
    const auto found = entries_.find(path);
    if (!again && found != entries_.end() && found->second.stamp == stamp) {
        found->second.seen = true;
        return found->second.header;
    }
    ++reads_;
    auto header = read_header(path, std::chrono::system_clock::now());
    if (is_lasting(header)) {
        entries_.insert_or_assign(path, Entry{stamp, header, true, false});
    }
    return header;
}

Headers::Changes Headers::finish_scan() {
    Changes changes;
    for (auto at = entries_.begin(); at != entries_.end();) {
        auto& [path, entry] = *at;
        if (!entry.seen) {
            changes.removed.push_back(path);
            at = entries_.erase(at);
            continue;
        }
        if (!entry.saved) {
            const auto& stamp = entry.stamp;
            changes.written.push_back({path, stamp.device, stamp.inode, stamp.size,
                                       stamp.modified_ns, payload_of(entry.header)});
            entry.saved = true;
        }
        entry.seen = false;
        ++at;
    }
    reads_ = 0;
    return changes;
}

}  // namespace routerd
