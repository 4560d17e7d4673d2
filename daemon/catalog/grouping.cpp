#include "daemon/catalog/grouping.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/projectors.hpp"
#include "daemon/gguf/weights.hpp"

namespace routerd {
namespace {

enum class Kind { model, projector, companion };

Kind kind_of(const gguf::Metadata& metadata) {
    if (metadata.type == "mmproj" || metadata.architecture == "clip") {
        return Kind::projector;
    }
    const bool other =
        metadata.type == "adapter" || metadata.type == "imatrix" || !metadata.adapter_type.empty();
    return other ? Kind::companion : Kind::model;
}

FoundModel start_model(const Candidate& file) {
    FoundModel model;
    const auto split = split_name(base_name(file.path));
    const auto own = split ? split->stem : std::string(stem_of(base_name(file.path)));
    model.stem = file.stem.empty() ? own : file.stem;
    model.parent =
        file.parent.empty() ? std::string(base_name(parent_path(file.path))) : file.parent;
    model.source = file.source;
    model.place = file.place;
    model.config_id = file.config_id;
    model.aliases = file.aliases;
    model.repo = file.repo;
    model.mmproj = file.projector;
    model.mmproj_sees = !file.projector.empty();
    model.adapters = file.adapters;
    return model;
}

void add_part(FoundModel& model, const ReadFile& part) {
    model.files.push_back(part.file.path);
    model.size_bytes += part.file.stamp.size;
    model.modified_ns = std::max(model.modified_ns, part.file.stamp.modified_ns);
}

/// The parts of one set, by the numbers in their names.
class SplitSet {
  public:
    void add(ReadFile part) {
        const auto split = split_name(base_name(part.file.path));
        count_ = split->count;
        parts_.insert_or_assign(split->number, std::move(part));
    }

    void finish(Found& found) const;

  private:
    std::string trouble() const;
    FoundModel joined() const;

    std::uint32_t count_ = 0;
    std::map<std::uint32_t, ReadFile> parts_;
};

/// Why the set cannot be offered; empty when it can.
std::string SplitSet::trouble() const {
    for (const auto& [number, part] : parts_) {
        const auto name = escaped(base_name(part.file.path));
        if (part.header.state != Header::State::good) {
            return "part '" + name + "': " + part.header.reason;
        }
        if (const auto mismatch = part_mismatch(base_name(part.file.path), *part.header.metadata)) {
            return "part '" + name + "': " + *mismatch;
        }
    }
    std::uint32_t missing = 1;
    while (parts_.contains(missing)) {
        ++missing;
    }
    if (parts_.size() == count_) {
        return {};
    }
    return "part " + std::to_string(missing) + " of " + std::to_string(count_) + " is missing (" +
           std::to_string(parts_.size()) + " are there)";
}

FoundModel SplitSet::joined() const {
    const auto& first = parts_.begin()->second;
    auto model = start_model(first.file);
    auto whole = *first.header.metadata;
    for (const auto& [number, part] : parts_) {
        add_part(model, part);
        if (number == 1) {
            continue;
        }
        gguf::add_part(whole, *part.header.metadata);
    }
    model.metadata = std::make_shared<const gguf::Metadata>(std::move(whole));
    return model;
}

void SplitSet::finish(Found& found) const {
    const auto reason = trouble();
    if (reason.empty()) {
        found.models.push_back(joined());
        return;
    }
    found.broken.push_back({parts_.begin()->second.file.path, reason});
}

bool is_part(const ReadFile& read) {
    const auto split = split_name(base_name(read.file.path));
    return read.file.source != Source::ollama && split && split->count > 1;
}

}  // namespace

Found group_files(std::vector<ReadFile> files) {
    Found found;
    std::vector<Projector> projectors;
    std::map<std::tuple<std::string, std::string, std::uint32_t>, SplitSet> sets;
    for (auto& read : files) {
        const auto state = read.header.state;
        found.unsettled =
            found.unsettled || state == Header::State::writing || state == Header::State::failed;
        if (is_part(read)) {
            const auto split = split_name(base_name(read.file.path));
            std::string folder(parent_path(read.file.path));
            sets[{std::move(folder), split->stem, split->count}].add(std::move(read));
        } else if (state != Header::State::good) {
            found.broken.push_back({read.file.path, read.header.reason});
        } else if (kind_of(*read.header.metadata) == Kind::projector) {
            projectors.push_back({read.file, read.header.metadata});
        } else if (kind_of(*read.header.metadata) == Kind::model) {
            if (const auto mismatch =
                    part_mismatch(base_name(read.file.path), *read.header.metadata);
                mismatch && read.file.source != Source::ollama) {
                found.broken.push_back({read.file.path, *mismatch});
                continue;
            }
            auto model = start_model(read.file);
            add_part(model, read);
            model.metadata = read.header.metadata;
            found.models.push_back(std::move(model));
        }
    }
    for (const auto& [key, set] : sets) {
        set.finish(found);
    }
    pair_projectors(found.models, projectors);
    return found;
}

}  // namespace routerd
