#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/transfer/extents.hpp"
#include "daemon/transfer/origin_policy.hpp"

namespace routerd::transfer {

/// What is to be known of a part to go on with it another day.
struct Record {
    std::string etag;  ///< of what is here; empty: the origin gave none that counts
    std::optional<std::uint64_t> size;  ///< of the whole file
    Extents written;                    ///< what was given to the system
    Extents synced;                     ///< what is on the disk even after the power failed
};

/// A file to be fetched.
struct Order {
    http::Url url;
    std::string token;  ///< bearer token, for the origin of `url` alone; empty: none
    OriginPolicy policy;
    std::string root;                   ///< folder of downloads, absolute
    std::string path;                   ///< below it; the part is beside it (see PartFile)
    std::optional<std::uint64_t> size;  ///< as the source says
    bool has_digest = false;            ///< it is known, so that a file that was cut is found out
    unsigned connections = 1;           ///< at most
    std::uint64_t limit_rate = 0;       ///< bytes a second; 0: no limit but that of all
    bool patient = false;  ///< an origin that does not answer at all is waited for without end
    Record record;         ///< of an earlier time; nothing written: begin anew
};

/// How it goes.
struct Live {
    std::uint64_t done = 0;  ///< bytes that are here
    std::optional<std::uint64_t> size;
    unsigned connections = 0;  ///< that bring bytes now
    bool verifying = false;    ///< all is here, and is read by the digest
    std::string trouble;       ///< why it waits to try again; empty: it does not
    std::string note;  ///< what had to be decided: "the file changed at its origin: begun anew"
};

struct Fetched {
    std::uint64_t size = 0;
    std::string sha256;
};

/// A small answer, whole.
struct Answer {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;
};

struct Question {
    http::Url url;
    std::string accept;
    std::string token;  ///< for the origin of `url` alone
    std::size_t most = std::size_t{16} << 20U;
    OriginPolicy policy;
};

/// For all transfers together.
struct TransferSettings {
    std::uint64_t limit_rate = 0;  ///< bytes a second; 0: none
    std::chrono::milliseconds stall_timeout{std::chrono::seconds(30)};
    std::string proxy;                            ///< URL, or empty
    std::size_t memory = std::size_t{32} << 20U;  ///< bytes that wait for the disk and the digest
};

}  // namespace routerd::transfer
