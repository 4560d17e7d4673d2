// The part of a pull that tells how it goes.
#include <algorithm>

#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/job.hpp"

namespace routerd::pull {
namespace {

std::optional<std::uint64_t> total_of(const std::vector<api::PullFile>& files) {
    std::uint64_t sum = 0;
    for (const auto& file : files) {
        if (!file.size) {
            return std::nullopt;
        }
        sum += *file.size;
    }
    return files.empty() ? std::nullopt : std::optional(sum);
}

std::string state_of(const FileView& view) {
    return view.is_complete                 ? "complete"
           : view.is_verifying              ? "verifying"
           : view.is_begun || view.done > 0 ? "downloading"
                                            : "waiting";
}

}  // namespace

api::Pull Job::view() const {
    api::Pull pull;
    pull.id = std::to_string(row_.id);
    pull.ref = row_.ref;
    pull.name = plan_ ? plan_->name : row_.ref;
    pull.error = row_.error;
    pull.hint = row_.hint;
    pull.code = row_.code;
    pull.limit_rate = limit_rate();
    pull.models = row_.models;
    pull.created = row_.created_at;
    pull.finished = row_.finished_at;
    std::string trouble;
    bool all_wait = true;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        const auto& entry = files_[i];
        const auto& view = entry.shared == nullptr ? entry.view : entry.shared->work().view();
        api::PullFile file;
        file.path = shown_path(plan_->files[i]);
        file.name = std::string(base_name(file.path));
        file.state = state_of(view);
        file.size = view.size;
        file.done = view.done;
        file.rate = entry.shared == nullptr ? 0 : view.rate;
        file.sha256 = view.sha256.empty() ? std::nullopt : std::optional(view.sha256);
        pull.done += view.done;
        pull.rate += file.rate;
        pull.connections += entry.shared == nullptr ? 0 : view.connections;
        if (entry.shared != nullptr) {
            trouble = view.trouble.empty() ? trouble : view.trouble;
            all_wait = all_wait && !view.trouble.empty() && view.connections == 0;
        }
        pull.files.push_back(std::move(file));
    }
    pull.size = total_of(pull.files);
    if (pull.size && pull.rate > 0 && is_active()) {
        pull.eta_seconds = (*pull.size - std::min(pull.done, *pull.size)) / pull.rate;
    }
    pull.notes = plan_ ? plan_->notes : std::vector<std::string>();
    pull.notes.insert(pull.notes.end(), notes_.begin(), notes_.end());
    for (const auto& entry : files_) {
        const auto& view = entry.shared == nullptr ? entry.view : entry.shared->work().view();
        if (!view.note.empty()) {
            pull.notes.push_back(view.note);
        }
    }
    const bool waits = !trouble.empty() && all_wait;
    pull.state = !is_active() ? row_.state
                 : !plan_     ? "resolving"
                 : waits      ? "retrying"
                              : "downloading";
    if (waits && is_active()) {
        pull.error = trouble;
    }
    return pull;
}

}  // namespace routerd::pull
