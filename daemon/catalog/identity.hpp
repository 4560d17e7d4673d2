#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/catalog/found.hpp"

namespace routerd {

/// Which file had which id before: path of the first part → id.
using KnownIds = std::map<std::string, std::string>;

/// Gives every model its id.
///
/// The rule: a model that [model."id"] names by its path has that id. Any other has the slug of its
/// stem; where several files share a stem, one of them keeps the plain name and the others get
/// their folder's name in front ("qwen3-8b", "backup-qwen3-8b"), then the folder's folder, then a
/// number. Who keeps the plain name: the file that had it before, so that a copy that is added
/// renames nothing; among new files the first by place (order of the directories and stores) and
/// then path. The outcome depends on the set of files and on `known` only, not on the order of
/// `models`.
void assign_ids(std::vector<FoundModel>& models, const KnownIds& known);

/// The ids that are not simply the slug of the stem or that others share it with: what has to be
/// remembered so that the rule holds after a restart.
KnownIds contested_ids(const std::vector<FoundModel>& models);

}  // namespace routerd
