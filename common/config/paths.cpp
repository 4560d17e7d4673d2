#include "common/config/paths.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace routerd {
namespace {

std::string home_of(const Environment& environment) {
    const auto home = environment.find("HOME");
    if (home != environment.end() && home->second.starts_with('/')) {
        return home->second;
    }
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->pw_dir : "/";
}

/// An XDG directory; relative ones are to be ignored (XDG base directory specification).
std::string xdg(const Environment& environment, std::string_view variable,
                const std::string& below_home) {
    const auto found = environment.find(variable);
    if (found != environment.end() && found->second.starts_with('/')) {
        return found->second;
    }
    return home_of(environment) + below_home;
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return environment;
}

DefaultPaths system_paths() {
    return {.config_file = "/etc/routerd/routerd.toml",
            .config_folder = "/etc/routerd/conf.d",
            .state_dir = "/var/lib/routerd",
            .runtime_dir = "/run/routerd",
            .socket = "/run/routerd/routerd.sock",
            .models_dir = "/var/lib/routerd/models"};
}

DefaultPaths user_paths(const Environment& environment) {
    const auto config = xdg(environment, "XDG_CONFIG_HOME", "/.config") + "/routerd";
    DefaultPaths paths{
        .config_file = config + "/routerd.toml",
        .config_folder = config + "/conf.d",
        .state_dir = xdg(environment, "XDG_STATE_HOME", "/.local/state") + "/routerd",
        .runtime_dir = {},
        .socket = {},
        .models_dir = xdg(environment, "XDG_DATA_HOME", "/.local/share") + "/routerd/models"};
    const auto runtime = environment.find("XDG_RUNTIME_DIR");
    if (runtime != environment.end() && runtime->second.starts_with('/')) {
        paths.runtime_dir = runtime->second + "/routerd";
        paths.socket = runtime->second + "/routerd.sock";
    } else {
        paths.runtime_dir = "/tmp/routerd-" + std::to_string(::getuid());
        paths.socket = paths.runtime_dir + "/routerd.sock";
    }
    return paths;
}

std::string expand_home(std::string_view path, const Environment& environment) {
    if (path == "~" || path.starts_with("~/")) {
        return home_of(environment) + std::string(path.substr(1));
    }
    return std::string(path);
}

Result<void> make_private_directory(const std::string& path) {
    std::error_code error;
    const auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) {
        std::filesystem::create_directories(parent, error);  // mkdir below says what went wrong
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return errno_error("create the directory '" + path + "'", errno);
    }
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        return errno_error("look at '" + path + "'", errno);
    }
    constexpr mode_t writable_by_others = S_IWGRP | S_IWOTH;
    std::string reason;
    if (!S_ISDIR(info.st_mode)) {
        reason = "is not a directory";
    } else if (info.st_uid != ::geteuid()) {
        reason = "belongs to user " + std::to_string(info.st_uid);
    } else if ((info.st_mode & writable_by_others) != 0) {
        reason = "can be written by others";
    }
    if (!reason.empty()) {
        return Error(Errc::forbidden,
                     "'" + path + "' " + reason + ", so sockets in it are not safe")
            .with_hint("remove it, or set [state] runtime_dir and socket to a place of your own");
    }
    return {};
}

}  // namespace routerd
