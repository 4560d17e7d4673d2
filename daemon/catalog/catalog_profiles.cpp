#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/catalog_impl.hpp"
#include "daemon/catalog/edits.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/profiles.hpp"
#include "daemon/store/profiles.hpp"
#include "daemon/store/settings.hpp"

namespace routerd {
namespace {

Error no_such_profile(const std::string& name, const std::map<std::string, Profile>& profiles) {
    std::vector<std::string> names;
    for (const auto& [known, profile] : profiles) {
        names.push_back(known);
    }
    const auto near = nearest(name, names);
    return Error(Errc::not_found, "there is no profile '" + escaped(name.substr(0, 128)) + "'")
        .with_hint(near.empty() ? "routerctl profile ls shows the profiles there are"
                                : "did you mean '" + near + "'?");
}

}  // namespace

std::vector<Profile> Catalog::Impl::profiles() const {
    std::vector<Profile> list;
    for (const auto& [name, profile] : profiles_) {
        list.push_back(profile);
        list.back().active = name == active_profile;
    }
    return list;
}

Result<Profile> Catalog::Impl::profile(const std::string& name) const {
    const auto found = profiles_.find(slug(name));
    if (found == profiles_.end()) {
        return no_such_profile(name, profiles_);
    }
    auto profile = found->second;
    profile.active = profile.name == active_profile;
    return profile;
}

/// Into the store, then among those that are known.
asio::awaitable<Result<void>> Catalog::Impl::keep_profile(Profile profile) {
    const ProfileRow row{profile.name, profile_to_text(profile), std::chrono::system_clock::now()};
    auto save = [row](Database& database) { return ProfileRepository(database).put(row); };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        co_return saved.error().within("keep profile '" + profile.name + "'");
    }
    profiles_.insert_or_assign(profile.name, profile);
    co_return Result<void>();
}

asio::awaitable<Result<Profile>> Catalog::Impl::create_profile(Profile profile) {
    auto turn = co_await changes_.enter();
    auto checked = checked_profile(std::move(profile), *snapshot);
    if (!checked) {
        co_return checked.error();
    }
    if (profiles_.contains(checked->name)) {
        co_return Error(Errc::conflict, "there is a profile '" + checked->name + "' already")
            .with_hint("routerctl profile rm " + checked->name + " removes it");
    }
    checked->active = false;
    const auto kept = co_await keep_profile(*checked);
    if (!kept) {
        co_return kept.error();
    }
    tell("profile.created", "", "profile '" + checked->name + "' was created");
    co_return checked;
}

asio::awaitable<Result<Profile>> Catalog::Impl::replace_profile(Profile profile) {
    auto turn = co_await changes_.enter();
    auto checked = checked_profile(std::move(profile), *snapshot);
    if (!checked) {
        co_return checked.error();
    }
    if (!profiles_.contains(checked->name)) {
        co_return no_such_profile(checked->name, profiles_);
    }
    checked->active = false;
    const auto kept = co_await keep_profile(*checked);
    if (!kept) {
        co_return kept.error();
    }
    tell("profile.changed", "", "profile '" + checked->name + "' was changed");
    checked->active = checked->name == active_profile;
    if (checked->active) {
        co_await publish();
    }
    co_return checked;
}

asio::awaitable<Result<void>> Catalog::Impl::remove_profile(std::string name) {
    auto turn = co_await changes_.enter();
    const auto known = profile(name);
    if (!known) {
        co_return known.error();
    }
    if (known->active) {
        co_return Error(Errc::conflict, "profile '" + known->name + "' is active")
            .with_hint("put it out of force first: routerctl profile use --none");
    }
    auto save = [id = known->name](Database& database) {
        return ProfileRepository(database).remove(id);
    };
    const auto removed = co_await store_.run(std::move(save));
    if (!removed) {
        co_return removed.error().within("remove profile '" + known->name + "'");
    }
    profiles_.erase(known->name);
    tell("profile.removed", "", "profile '" + known->name + "' was removed");
    co_return Result<void>();
}

/// In one transaction: which profile is active, the overrides beside it and the default model.
asio::awaitable<Result<void>> Catalog::Impl::put_in_force(
    std::string profile, Overrides overrides, std::optional<std::string> default_model) {
    auto save = [profile, rows = to_rows(overrides), default_model](Database& database) {
        auto settings = SettingsRepository(database).load_all();
        if (!settings) {
            return Result<void>(settings.error());
        }
        settings->erase(std::string(setting::active_profile));
        if (!profile.empty()) {
            settings->insert_or_assign(std::string(setting::active_profile), profile);
        }
        if (default_model) {
            settings->insert_or_assign(std::string(setting::default_model), *default_model);
        }
        return ProfileRepository(database).use(rows, *settings);
    };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        co_return saved.error();
    }
    active_profile = std::move(profile);
    overrides_ = std::move(overrides);
    chosen_default_ = default_model.value_or(chosen_default_);
    co_await publish();
    co_return Result<void>();
}

asio::awaitable<Result<Profile>> Catalog::Impl::use_profile(std::string name) {
    auto turn = co_await changes_.enter();
    const auto known = profile(name);
    if (!known) {
        co_return known.error();
    }
    auto overrides = overrides_under(*known, overrides_);
    const auto used =
        co_await put_in_force(known->name, std::move(overrides), known->default_model);
    if (!used) {
        co_return used.error().within("use profile '" + known->name + "'");
    }
    tell("profile.used", "", "profile '" + known->name + "' is in force");
    co_return profile(known->name);
}

asio::awaitable<Result<void>> Catalog::Impl::leave_profile() {
    auto turn = co_await changes_.enter();
    const auto left = co_await put_in_force("", overrides_, std::nullopt);
    if (!left) {
        co_return left.error().within("leave the active profile");
    }
    tell("profile.used", "", "no profile is in force");
    co_return Result<void>();
}

}  // namespace routerd
