#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/pull/documents.hpp"
#include "daemon/pull/reference.hpp"
#include "daemon/pull/repository_file.hpp"

namespace routerd::pull {

/// The hub's own address.
inline constexpr const char* hub_endpoint = "https://huggingface.co";

/// The addresses of the hub for one repository.
class HubAddresses {
  public:
    HubAddresses(std::string endpoint, const HubReference& reference);

    bool is_hub() const;                                ///< not a mirror
    std::string revision() const;                       ///< what the revision stands for
    std::string tree(const std::string& commit) const;  ///< first page of the listing
    std::string file(const std::string& commit, const std::string& path) const;

  private:
    std::string endpoint_;
    std::string repo_;
    std::string revision_;
};

/// What the hub says of a revision.
struct HubCommit {
    std::string sha;  ///< 40 hexadecimal digits
    bool is_gated = false;
};

/// Errors: forbidden, not_found, upstream_error.
Result<HubCommit> read_commit(const Document& document, bool has_token);

/// Adds the files of a page of the listing to `files`. Those whose names are not for here are left
/// out; of GGUF files a note says so. Errors: forbidden, not_found, upstream_error.
Result<void> read_page(const Document& document, bool has_token, std::vector<RepositoryFile>& files,
                       std::vector<std::string>& notes);

/// The address of the page of the listing after `page`, which came from `url`; empty: it is the
/// last. Errors: upstream_error (it is not on the same host), invalid_request (`url`).
Result<std::string> address_after(const Document& page, const std::string& url);

}  // namespace routerd::pull
