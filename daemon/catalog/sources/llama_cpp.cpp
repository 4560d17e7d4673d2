#include "daemon/catalog/sources/llama_cpp.hpp"

#include <string_view>

#include <nlohmann/json.hpp>

#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/sources/huggingface.hpp"
#include "daemon/catalog/sources/small_file.hpp"

namespace routerd::sources {
namespace {

constexpr std::size_t longest_note = 64U << 10U;

/// "https://huggingface.co/org/repo/resolve/main/x.gguf" in the note beside the file.
std::string address_of(const std::string& path) {
    const auto note = read_small_file(path + ".json", longest_note);
    if (!note) {
        return {};
    }
    const auto json = nlohmann::json::parse(*note, nullptr, false);
    const auto found = json.is_object() ? json.find("url") : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void describe(Candidate& file) {
    const auto address = address_of(file.path);
    const auto scheme = address.find("://");
    const auto host = scheme == std::string::npos ? scheme : address.find('/', scheme + 3);
    const auto resolve = address.find("/resolve/");
    if (host == std::string::npos || resolve == std::string::npos || resolve <= host) {
        return;
    }
    file.repo = address.substr(host + 1, resolve - host - 1);
    file.parent = base_name(file.repo);
    // The cache writes org_repo_ in front of the file's name.
    const auto name = base_name(std::string_view(address).substr(0, address.find('?')));
    const auto split = split_name(name);
    file.stem = split ? split->stem : std::string(stem_of(name));
}

}  // namespace

std::vector<std::string> llama_cpp_folders(const Environment& environment) {
    const auto own = environment.find("LLAMA_CACHE");
    if (own != environment.end() && !own->second.empty()) {
        return {expand_home(own->second, environment)};
    }
    const auto cache = environment.find("XDG_CACHE_HOME");
    if (cache != environment.end() && !cache->second.empty()) {
        return {cache->second + "/llama.cpp"};
    }
    return {expand_home("~/.cache/llama.cpp", environment)};
}

void describe_llama_cpp_files(std::vector<Candidate>& files) {
    describe_hub_files(files);
    for (auto& file : files) {
        if (file.repo.empty()) {
            describe(file);
        }
    }
}

}  // namespace routerd::sources
