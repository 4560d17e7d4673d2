#include "common/config/secret_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <sys/stat.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

bool fits_header(std::string_view secret) {
    return std::all_of(secret.begin(), secret.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f;
    });
}

}  // namespace

Result<std::vector<std::string>> read_secret_file(const std::string& path) {
    const auto attempt = "read the key file '" + path + "'";
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        return errno_error(attempt, errno);
    }
    if ((found.st_mode & 0077U) != 0) {
        return Error(Errc::invalid_request, attempt + ": others than its owner can read it")
            .with_hint("chmod 600 " + shell_quote(path));
    }
    if (!S_ISREG(found.st_mode)) {
        return Error(Errc::invalid_request, attempt + ": it is not a regular file");
    }
    std::ifstream file(path);
    if (!file.is_open()) {
        return errno_error(attempt, errno);
    }
    std::vector<std::string> secrets;
    for (std::string line; std::getline(file, line);) {
        const auto secret = trim(line);
        if (secret.empty() || secret.front() == '#') {
            continue;
        }
        if (!fits_header(secret)) {
            return Error(Errc::invalid_request,
                         attempt + ": a key in it has white space or control characters inside")
                .with_hint("one key a line");
        }
        secrets.emplace_back(secret);
    }
    if (secrets.empty()) {
        return Error(Errc::invalid_request, attempt + ": there is no key in it")
            .with_hint("one key a line; lines that begin with # are comments");
    }
    return secrets;
}

}  // namespace routerd
