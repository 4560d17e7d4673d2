#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/catalog/model.hpp"
#include "daemon/catalog/stamp.hpp"

namespace routerd {

/// A regular file with a GGUF name, found in a folder.
struct WalkedFile {
    std::string path;  ///< absolute, as found: a link's own path
    FileStamp stamp;   ///< of what it leads to
    bool linked = false;
    bool unfinished = false;  ///< a download program's companion file says so
};

/// What a walk may take.
struct WalkLimits {
    std::size_t depth = 32;  ///< folders below a root
    std::size_t files = 200'000;
};

/// Goes through folder trees and gathers GGUF files. Each folder is entered once, however many
/// links lead to it; links are followed only where they stay inside one of the roots. What vanishes
/// on the way is not there. Blocks; one thread.
class Walker {
  public:
    /// @param roots       existing folders; `walk` goes through them or what lies below.
    /// @param on_folder   called before a folder is read, to watch it; may be empty.
    Walker(const std::vector<std::string>& roots, WalkLimits limits,
           std::function<void(const std::string&)> on_folder);

    /// The files below `root`, by path. A root that is not there has none.
    std::vector<WalkedFile> walk(const std::string& root);

    /// Links that lead out or nowhere, folders that may not be read: found by walk() so far.
    const std::vector<BrokenFile>& problems() const noexcept { return problems_; }

    /// Whether `path`, all links resolved, lies in one of the roots.
    bool is_inside(const std::string& path) const;

  private:
    struct Folder {
        std::string path;
        std::size_t depth;
    };
    struct Entry;

    void read_folder(const Folder& folder);
    void look_at(int folder_fd, const Folder& folder, const Entry& entry);
    void follow(const std::string& path, bool is_gguf);
    void mark_unfinished(std::size_t first, const std::vector<std::string>& companions);
    void complain(const std::string& path, std::string reason);

    std::vector<std::string> roots_;  // links resolved
    WalkLimits limits_;
    std::function<void(const std::string&)> on_folder_;
    std::set<std::pair<std::uint64_t, std::uint64_t>> entered_;  // device, inode
    std::vector<Folder> waiting_;
    std::vector<WalkedFile> files_;
    std::vector<BrokenFile> problems_;
};

}  // namespace routerd
