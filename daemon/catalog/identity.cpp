#include "daemon/catalog/identity.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "daemon/catalog/file_name.hpp"

namespace routerd {
namespace {

using Taken = std::set<std::string>;

bool comes_first(const FoundModel* a, const FoundModel* b) {
    return std::tie(a->place, a->files.front()) < std::tie(b->place, b->files.front());
}

const std::string* known_id(const FoundModel& model, const KnownIds& known) {
    const auto found = known.find(model.files.front());
    return found == known.end() ? nullptr : &found->second;
}

/// The first that had the plain name before, else the first.
FoundModel* owner(const std::vector<FoundModel*>& sharing, const std::string& plain,
                  const KnownIds& known) {
    const auto had = std::find_if(sharing.begin(), sharing.end(), [&](const FoundModel* model) {
        const auto* id = known_id(*model, known);
        return id != nullptr && *id == plain;
    });
    return had == sharing.end() ? sharing.front() : *had;
}

/// "parent-stem", "grandparent-parent-stem", …, then numbers.
std::string free_name(const FoundModel& model, const Taken& taken) {
    auto name = slug(model.parent + "-" + model.stem);
    auto folder = parent_path(parent_path(model.files.front()));
    while (taken.contains(name) && !folder.empty()) {
        name = slug(base_name(folder)) + "-" + name;
        folder = parent_path(folder);
    }
    const auto base = name;
    for (std::size_t number = 2; taken.contains(name); ++number) {
        name = base + "-" + std::to_string(number);
    }
    return name;
}

void name_rest(const std::vector<FoundModel*>& rest, const KnownIds& known, Taken& taken) {
    for (auto* model : rest) {
        const auto* before = known_id(*model, known);
        // Only a name made by this rule: another stem's name would be taken away from its owner.
        if (before != nullptr && before->ends_with(slug(model->stem)) &&
            taken.insert(*before).second) {
            model->id = *before;
        }
    }
    for (auto* model : rest) {
        if (model->id.empty()) {
            model->id = free_name(*model, taken);
            taken.insert(model->id);
        }
    }
}

}  // namespace

void assign_ids(std::vector<FoundModel>& models, const KnownIds& known) {
    Taken taken;
    std::map<std::string, std::vector<FoundModel*>> by_name;
    for (auto& model : models) {
        model.id.clear();
        if (!model.config_id.empty() && taken.insert(model.config_id).second) {
            model.id = model.config_id;
            continue;
        }
        by_name[slug(model.stem)].push_back(&model);
    }
    std::vector<FoundModel*> rest;
    for (auto& [name, sharing] : by_name) {
        std::sort(sharing.begin(), sharing.end(), comes_first);
        auto* plain = taken.contains(name) ? nullptr : owner(sharing, name, known);
        if (plain != nullptr) {
            plain->id = name;
            taken.insert(name);
        }
        std::copy_if(sharing.begin(), sharing.end(), std::back_inserter(rest),
                     [plain](const FoundModel* model) { return model != plain; });
    }
    name_rest(rest, known, taken);
    std::sort(models.begin(), models.end(),
              [](const FoundModel& a, const FoundModel& b) { return a.id < b.id; });
}

KnownIds contested_ids(const std::vector<FoundModel>& models) {
    std::map<std::string, std::size_t> sharing;
    for (const auto& model : models) {
        ++sharing[slug(model.stem)];
    }
    KnownIds contested;
    for (const auto& model : models) {
        const auto plain = slug(model.stem);
        if (model.config_id.empty() && (sharing[plain] > 1 || model.id != plain)) {
            contested.emplace(model.files.front(), model.id);
        }
    }
    return contested;
}

}  // namespace routerd
