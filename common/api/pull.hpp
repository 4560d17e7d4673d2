#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// One file of a pull.
struct PullFile {
    std::string name;                   ///< of the file alone: "model-Q4_K_M.gguf"
    std::string path;                   ///< where it is when it is whole; absolute
    std::string state;                  ///< "waiting", "downloading", "verifying", "complete"
    std::optional<std::uint64_t> size;  ///< bytes; null: not known yet
    std::uint64_t done = 0;             ///< bytes that are here
    std::uint64_t rate = 0;             ///< bytes a second, lately
    std::optional<std::string> sha256;  ///< as the source says, else of what came
};

/// A download: of one model, with all of its files.
struct Pull {
    std::string id;   ///< "1"
    std::string ref;  ///< as it was asked for
    std::string
        name;  ///< what it stands for: "org/repo:Q4_K_M"; the same as ref before that is known
    std::string state;  ///< "resolving", "downloading", "retrying", "paused", "complete", "failed"
    std::string error;  ///< why it failed, was paused by itself, or tries again; else empty
    std::string hint;   ///< what to do about it, or empty
    std::string code;   ///< the error's kind, as in an answer's "code": "not_found"; empty: none
    std::optional<std::uint64_t> size;         ///< bytes of all files; null: not known yet
    std::uint64_t done = 0;                    ///< bytes that are here
    std::uint64_t rate = 0;                    ///< bytes a second, lately
    std::optional<std::uint64_t> eta_seconds;  ///< null: not known
    unsigned connections = 0;                  ///< in use now
    std::uint64_t limit_rate = 0;              ///< bytes a second; 0: no limit of its own
    std::vector<PullFile> files;
    std::vector<std::string> notes;   ///< what was chosen, and why; a sentence each
    std::vector<std::string> models;  ///< ids of what it brought, when it is complete
    WallTime created;
    std::optional<WallTime> finished;
};

using PullList = List<Pull>;

/// A pull to begin, or to join when it is under way.
struct PullRequest {
    std::string ref;
    std::optional<unsigned> connections;    ///< of each file at most; null: as configured
    std::optional<std::string> limit_rate;  ///< bytes a second, "20M"; null: no limit of its own
    std::vector<std::string> include;       ///< globs over the file names of a repository
    std::optional<std::string> token;       ///< for the origin; never shown again
    std::optional<std::string> sha256;      ///< of the one file of a URL
    bool insecure =
        false;  ///< a URL may be http:// and its host of this network (control socket only)
};

/// What of a pull may be changed while it runs; null: as it is.
struct PullChange {
    std::optional<std::string> limit_rate;  ///< "20M"; "0": no limit of its own
    std::optional<unsigned> connections;
    std::optional<std::string> token;  ///< for the origin, from now on; never shown again
};

/// Whether nothing more happens to the pull by itself: where a stream of it ends.
inline bool is_at_rest(const Pull& pull) {
    return pull.state == "complete" || pull.state == "failed" || pull.state == "paused";
}

}  // namespace routerd::api
