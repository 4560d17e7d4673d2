#include "daemon/catalog/inspect.hpp"

#include <cstdint>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/gguf/json.hpp"
#include "daemon/gguf/reader.hpp"
#include "daemon/gguf/weights.hpp"

namespace routerd {
namespace {

Result<gguf::Metadata> read_part(const std::string& path) {
    auto metadata = gguf::read_file(path);
    if (!metadata) {
        return metadata.error();
    }
    if (const auto mismatch = part_mismatch(base_name(path), *metadata)) {
        return Error(Errc::invalid_request, *mismatch);
    }
    return metadata;
}

/// Adds up all parts of the set that `path` belongs to.
Result<void> add_siblings(const std::string& path, const SplitName& split,
                          gguf::Metadata& metadata) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
    for (std::uint32_t number = 1; number <= split.count; ++number) {
        if (number == split.number) {
            continue;
        }
        const auto name = sibling_name(base_name(path), number);
        const auto part = read_part(folder + name);
        if (!part) {
            return part.error().within("part '" + escaped(name) + "'");
        }
        gguf::add_part(metadata, *part);
    }
    return {};
}

}  // namespace

Result<nlohmann::ordered_json> inspect_file(const std::string& path) {
    if (is_unfinished_name(base_name(path))) {
        return Error(Errc::invalid_request, "its name says that it is not complete");
    }
    auto metadata = read_part(path);
    if (!metadata) {
        return metadata.error();
    }
    if (const auto split = split_name(base_name(path))) {
        const auto added = add_siblings(path, *split, *metadata);
        if (!added) {
            return added.error();
        }
    }
    return gguf::to_json(*metadata);
}

}  // namespace routerd
