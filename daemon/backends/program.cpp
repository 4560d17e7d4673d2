#include "daemon/backends/program.hpp"

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

bool is_file(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool is_program(const std::string& path) {
    return is_file(path) && ::access(path.c_str(), X_OK) == 0;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody calls setenv
    return value == nullptr ? std::string() : std::string(value);
}

std::string expanded(const std::string& name) {
    return name.starts_with("~/") ? variable("HOME") + name.substr(1) : name;
}

Error missing(const std::string& sentence, const std::string& setting) {
    return Error(Errc::load_failed, sentence)
        .with_hint("set " + setting + " to the path of the program");
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::string& setting) {
    if (name.empty()) {
        return missing("no server program is configured", setting);
    }
    const auto path = expanded(name);
    if (path.find('/') != std::string::npos) {
        if (is_program(path)) {
            return path;
        }
        const auto* why = is_file(path) ? "is not executable" : "is not there";
        return missing("the server program '" + escaped(path) + "' " + why, setting);
    }
    const auto folders = variable("PATH");
    for (const auto folder : split(folders, ':')) {
        auto candidate = std::string(folder.empty() ? "." : folder) + "/" + path;
        if (is_program(candidate)) {
            return candidate;
        }
    }
    return missing("no program '" + escaped(path) + "' in PATH (" + escaped(folders) + ")",
                   setting);
}

}  // namespace routerd
