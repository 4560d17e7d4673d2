#include "common/config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "common/config/addresses.hpp"
#include "common/config/environment.hpp"
#include "common/config/loader.hpp"
#include "common/config/toml_reader.hpp"
#include "common/http/url.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_file = 1U << 20U;  // of one file

Result<std::string> read_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0) {
        return errno_error("cannot be read", errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return Error(Errc::invalid_request, "is not a regular file");
    }
    std::string text;
    std::array<char, 65'536> buffer{};
    for (;;) {
        const auto size = ::read(file.get(), buffer.data(), buffer.size());
        if (size < 0) {
            return errno_error("cannot be read", errno);
        }
        if (size == 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(size));
        if (text.size() > largest_file) {
            return Error(Errc::payload_too_large, "is larger than 1 MiB");
        }
    }
}

void load_text(Loader& loader, const std::string& text, const std::string& name) {
    const auto document = read_toml(text, name);
    if (document.problem) {
        loader.problem(document.problem->where, document.problem->message);
        return;
    }
    loader.read_document(document.root);
}

void load_file(Loader& loader, LoadedConfig& loaded, const std::string& path) {
    const auto text = read_file(path);
    if (!text) {
        loader.problem(path, text.error().message());
        return;
    }
    loaded.files.push_back(path);
    load_text(loader, *text, path);
}

/// `*.toml` of `folder` by name; a folder that is not there has none.
std::vector<std::string> files_of(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->path().extension() == ".toml") {
            files.push_back(it->path().string());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

void load_files(Loader& loader, LoadedConfig& loaded, const std::optional<std::string>& only) {
    if (only) {
        load_file(loader, loaded, *only);
        return;
    }
    std::error_code error;
    if (fs::exists(fs::symlink_status(loaded.paths.config_file, error))) {
        load_file(loader, loaded, loaded.paths.config_file);
    }
    for (const auto& path : files_of(loaded.paths.config_folder)) {
        load_file(loader, loaded, path);
    }
}

void load_environment(Loader& loader, const EnvironmentValues& found) {
    for (const auto& value : found.values) {
        const std::string where = "environment " + value.variable;
        if (value.known) {
            loader.read_text(value.key, value.text, where);
        } else {
            loader.unknown_key(where, value.key);
        }
    }
}

/// Defaults that depend on where the daemon runs, and "~" in paths.
void complete(Config& config, const DefaultPaths& paths, const Environment& environment,
              const Loader& loader) {
    const auto or_default = [](std::string& value, const std::string& otherwise) {
        value = value.empty() ? otherwise : value;
    };
    or_default(config.state.dir, paths.state_dir);
    or_default(config.state.socket, paths.socket);
    or_default(config.state.runtime_dir, paths.runtime_dir);
    if (!loader.has("models.dirs")) {
        config.models.dirs = {paths.models_dir};
    }
    // What is fetched is to be found.
    or_default(config.pull.dir,
               config.models.dirs.empty() ? paths.models_dir : config.models.dirs.front());
    for (auto* path :
         {&config.state.dir, &config.state.socket, &config.state.runtime_dir, &config.pull.dir,
          &config.pull.token_file, &config.auth.keys_file, &config.llama_server.path,
          &config.http.tls_certificate, &config.http.tls_key}) {
        *path = expand_home(*path, environment);
    }
    for (auto& dir : config.models.dirs) {
        dir = expand_home(dir, environment);
    }
    for (auto& [id, model] : config.model) {
        for (auto* path : {&model.path, &model.key_file, &model.ca_file}) {
            if (*path) {
                *path = expand_home(**path, environment);
            }
        }
    }
}

void check_tls(const HttpConfig& http, Loader& loader, std::vector<std::string>& notes) {
    const bool has_certificate = !http.tls_certificate.empty();
    const bool has_key = !http.tls_key.empty();
    const auto secure = std::find_if(http.listen.begin(), http.listen.end(), is_tls_address);
    if (has_certificate != has_key) {
        const auto* given = has_key ? "http.tls_key" : "http.tls_certificate";
        const auto* missing = has_key ? "http.tls_certificate" : "http.tls_key";
        loader.problem(loader.origin_of(given),
                       "'" + std::string(given) + "' is set and '" + missing + "' is not",
                       "TLS needs both, a certificate and its key");
    } else if (!has_key && secure != http.listen.end()) {
        loader.problem(loader.origin_of("http.listen"),
                       "'" + *secure + "' needs a certificate and its key, and there are none",
                       "set [http] tls_certificate and tls_key");
    } else if (has_key && secure == http.listen.end()) {
        notes.emplace_back(
            "'http.tls_certificate' is set and no address of 'http.listen' begins with https://: "
            "nothing speaks TLS");
    }
}

bool is_plain(const http::Url& url) {
    return url.origin.scheme == "http";
}

bool is_this_machine(const http::Origin& origin) {
    return origin.host == "localhost" || origin.host == "::1" ||
           (origin.is_address && origin.host.starts_with("127."));
}

/// A model is here or elsewhere.
void check_remote(const std::string& id, const ModelConfig& model, Loader& loader,
                  std::vector<std::string>& notes) {
    const auto complain = [&](const char* name, const std::string& what, const std::string& hint) {
        const auto key = model_key(id, name);
        loader.problem(loader.origin_of(key), "'" + key + "' " + what, hint);
    };
    const bool is_remote = model.backend == "remote";
    if (is_remote && !model.url) {
        complain("backend", "is remote and there is no url",
                 "say where its server is: url = \"https://example.org/v1\"");
    }
    if (model.url && model.backend && !is_remote) {
        complain("url", "is set for a model that " + *model.backend + " runs here",
                 "remove url or backend");
    }
    if (model.url && model.path) {
        complain("url", "is set beside 'path'",
                 "a model is a file here or on a server elsewhere: remove one of them");
    }
    const auto needs_url = [&](const char* name, const std::optional<std::string>& value) {
        if (value && !model.url) {
            complain(name, "is set and there is no url", "say where its server is, or remove it");
        }
    };
    needs_url("key_file", model.key_file);
    needs_url("ca_file", model.ca_file);
    needs_url("remote_model", model.remote_model);
    const auto url = http::parse_url(model.url.value_or(""));
    if (url && is_plain(*url) && model.ca_file) {
        complain("ca_file", "is set and the url begins with http://: nothing is shown or checked",
                 "write https:// if that server speaks TLS, else remove ca_file");
    }
    if (url && is_plain(*url) && model.key_file && !is_this_machine(url->origin)) {
        notes.push_back("'" + model_key(id, "url") +
                        "' begins with http://: whoever is on the way there can read the key");
    }
}

/// What no key alone can show to be wrong.
void check_together(const Config& config, Loader& loader, std::vector<std::string>& notes) {
    check_tls(config.http, loader, notes);
    if (config.tiers.fast_below > config.tiers.powerful_from) {
        loader.problem(loader.origin_of("tiers.fast_below"),
                       "'tiers.fast_below' is above 'tiers.powerful_from'",
                       "a model cannot be fast and powerful at once; lower the one or raise the "
                       "other");
    }
    for (const auto& [id, model] : config.model) {
        check_remote(id, model, loader, notes);
    }
    const bool has_key = !config.auth.api_key.empty() || !config.auth.keys_file.empty();
    for (const auto& address : config.http.listen) {
        if (!has_key && !config.http.insecure_no_auth &&
            !is_local_address(address)) {  // keys may be kept elsewhere
            notes.push_back("'" + address +
                            "' can be reached from other machines, and there is no [auth] api_key: "
                            "routerd starts only with a key of 'routerctl keys create'");
        }
    }
    const auto socket = complain_about_socket_path(config.state.socket);
    if (!socket.empty()) {
        loader.problem(loader.origin_of("state.socket"), "'state.socket': " + socket,
                       "set [state] socket to a shorter path");
    }
}

}  // namespace

std::string to_text(const ConfigProblem& problem) {
    return problem.where + ": " + problem.message +
           (problem.hint.empty() ? "" : " (" + problem.hint + ")");
}

LoadedConfig load_config(const LoadOptions& options) {
    LoadedConfig loaded;
    loaded.paths = options.user ? user_paths(options.environment) : system_paths();
    Loader loader(loaded);
    const auto environment = read_environment(options.environment);
    loaded.notes = environment.notes;
    auto only = options.file;
    if (!only && !environment.config_file.empty()) {
        only = environment.config_file;
    }
    load_files(loader, loaded, only);
    load_environment(loader, environment);
    for (const auto& [key, text] : options.overrides) {
        loader.read_text(key, text, "command line");
    }
    complete(loaded.config, loaded.paths, options.environment, loader);
    check_together(loaded.config, loader, loaded.notes);
    loaded.values = loader.values();
    return loaded;
}

LoadedConfig load_config_text(const std::string& text, const std::string& name) {
    LoadedConfig loaded;
    loaded.paths = system_paths();
    Loader loader(loaded);
    load_text(loader, text, name);
    complete(loaded.config, loaded.paths, {}, loader);
    check_together(loaded.config, loader, loaded.notes);
    loaded.values = loader.values();
    return loaded;
}

}  // namespace routerd
