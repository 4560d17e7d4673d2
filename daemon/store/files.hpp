#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace routerd {

class Database;

/// What a scan knows about one file, so that the next scan need not read it again.
struct FileRow {
    std::string path;  ///< absolute; the key
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;        ///< bytes
    std::int64_t modified_ns = 0;  ///< mtime since 1970
    std::string payload;           ///< the catalogue's own text
};

/// The scan cache. Store thread only, like every repository: make one where it is needed.
class FileRepository {
  public:
    explicit FileRepository(Database& database) noexcept : database_(&database) {}

    Result<std::vector<FileRow>> load_all();

    /// Adds or replaces rows by path and removes others, in one transaction.
    Result<void> apply(const std::vector<FileRow>& upserts,
                       const std::vector<std::string>& removed);

  private:
    Database* database_;
};

}  // namespace routerd
