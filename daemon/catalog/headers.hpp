#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/catalog/stamp.hpp"
#include "daemon/gguf/metadata.hpp"
#include "daemon/store/files.hpp"

namespace routerd {

/// What reading one file's header gave.
struct Header {
    enum class State {
        good,
        bad,      ///< its content is at fault, until it changes
        writing,  ///< somebody is still writing it
        failed,   ///< it could not be read this time
    };
    State state = State::failed;
    /// Never null when good. Shared by the cache and every scan that saw the file unchanged.
    std::shared_ptr<const gguf::Metadata> metadata;
    std::string reason;  ///< when not good
};

/// Headers that were read, by path, each good as long as the file has the same stamp: in memory for
/// the next scan, and as rows for the next start. One scan uses it at a time, on any one thread.
class Headers {
  public:
    /// From the store, at start. Rows that this version cannot read are left out.
    void restore(const std::vector<FileRow>& rows);

    /// The header of `path`, from the cache if `stamp` is the same and not `again`.
    Header get(const std::string& path, const FileStamp& stamp, bool again);

    /// What the store does not have yet; given once, then counts as saved.
    struct Changes {
        std::vector<FileRow> written;
        std::vector<std::string> removed;
    };
    /// To be called after each scan: what get() was not asked for since is forgotten.
    Changes finish_scan();

    /// Files that were read from the disk since the last finish_scan().
    std::size_t reads() const noexcept { return reads_; }

  private:
    struct Entry {
        FileStamp stamp;
        Header header;
        bool seen = false;
        bool saved = false;
    };

    std::unordered_map<std::string, Entry> entries_;
    std::size_t reads_ = 0;
};

/// Reads one header now: the work behind Headers::get().
Header read_header(const std::string& path, WallTime now);

}  // namespace routerd
