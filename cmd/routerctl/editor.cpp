#include "cmd/routerctl/editor.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd::ctl {
namespace {

/// A temporary file that goes away with this object.
struct TempFile {
    std::string path;
    ~TempFile() { ::unlink(path.c_str()); }
};

std::string editor_command(const Environment& environment) {
    for (const char* name : {"VISUAL", "EDITOR"}) {
        const auto found = environment.find(name);
        if (found != environment.end() && !found->second.empty()) {
            return found->second;
        }
    }
    return "vi";
}

Result<void> run_editor(const std::string& command, const std::string& path) {
    auto words = shell_split(command);
    words.push_back(path);
    std::vector<char*> argv;
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int failure = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
    if (failure != 0) {
        return errno_error("start the editor '" + words[0] + "'", failure)
            .with_hint("set EDITOR to the one you use");
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error(Errc::cancelled, "the editor '" + words[0] + "' failed; nothing was changed");
    }
    return {};
}

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return errno_error("write a temporary file", errno);
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
    const UniqueFd file(path == "-" ? ::dup(STDIN_FILENO)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return errno_error("open '" + path + "'", errno);
    }
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno != EINTR) {
            return errno_error("read '" + path + "'", errno);
        }
        if (count == 0) {
            return text;
        }
        text.append(buffer.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
    }
}

Result<std::string> edit_text(const std::string& text, const Environment& environment) {
    std::error_code ignored;
    auto folder = std::filesystem::temp_directory_path(ignored);
    TempFile file{.path = (folder / "routerctl-XXXXXX.toml").string()};
    const UniqueFd fd(::mkstemps(file.path.data(), 5));
    if (!fd) {
        return errno_error("make a temporary file '" + file.path + "'", errno);
    }
    const auto written = write_all(fd.get(), text);
    if (!written) {
        return written.error();
    }
    const auto edited = run_editor(editor_command(environment), file.path);
    if (!edited) {
        return edited.error();
    }
    return read_file(file.path);
}

}  // namespace routerd::ctl
