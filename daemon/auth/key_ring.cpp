#include "daemon/auth/key_ring.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/auth/key.hpp"

namespace routerd {
namespace {

constexpr std::array<std::string_view, 3> known_scopes{"inference", "read", "admin"};
constexpr std::size_t longest_name = 64;
constexpr std::string_view reserved = "api_key";  // what the configured one is called
constexpr std::size_t id_digits = 8;

bool is_name_character(char c) {
    const auto lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '@';
}

Result<void> check(const KeyRing::Wanted& wanted) {
    const auto& name = wanted.name;
    if (name.empty() || name.size() > longest_name || name == reserved || name.front() == '-' ||
        !std::ranges::all_of(name, is_name_character)) {
        return Error(Errc::invalid_request,
                     "'" + escaped(name.substr(0, 2 * longest_name)) + "' cannot name a key")
            .with_hint("up to 64 letters, digits, '.', '_', '-' and '@'");
    }
    for (const auto& scope : wanted.scopes) {
        if (std::ranges::find(known_scopes, scope) == known_scopes.end()) {
            return Error(Errc::invalid_request, "there is no scope '" + escaped(scope) + "'")
                .with_hint("scopes are inference, read and admin");
        }
    }
    if (wanted.good_for && wanted.good_for->count() <= 0) {
        return Error(Errc::invalid_request, "the key would expire at once");
    }
    return {};
}

}  // namespace

asio::awaitable<Result<void>> KeyRing::start() {
    auto load = [](Database& database) { return KeyRepository(database).load_all(); };
    auto rows = co_await store_.run(std::move(load));
    if (!rows) {
        co_return rows.error().within("read the keys");
    }
    keys_ = std::move(*rows);
    co_return boost::system::in_place_value;
}

const KeyRow* KeyRing::find(const std::string& name) const {
    const auto found = std::ranges::find_if(
        keys_, [&name](const KeyRow& row) { return row.name == name || row.id == name; });
    return found == keys_.end() ? nullptr : &*found;
}

asio::awaitable<Result<KeyRing::Made>> KeyRing::create(Wanted wanted) {
    const auto checked = check(wanted);
    if (!checked) {
        co_return checked.error();
    }
    const Error taken = Error(Errc::conflict, "there is a key '" + wanted.name + "' already")
                            .with_hint("routerctl keys revoke " + wanted.name + " ends it");
    if (find(wanted.name) != nullptr) {
        co_return taken;
    }
    auto key = new_key();
    if (!key) {
        co_return key.error();
    }
    Made made;
    made.row.digest = to_hex(digest_of(*key));
    made.row.id = "k-" + made.row.digest.substr(0, id_digits);
    made.row.name = std::move(wanted.name);
    made.row.scopes = std::move(wanted.scopes);
    if (made.row.scopes.empty()) {
        made.row.scopes.emplace_back(known_scopes.front());
    }
    made.row.models = std::move(wanted.models);
    made.row.created_at = std::chrono::system_clock::now();
    if (wanted.good_for) {
        made.row.expires_at = made.row.created_at + *wanted.good_for;
    }
    made.key = std::move(*key);
    auto save = [row = made.row](Database& database) {
        return KeyRepository(database).insert(row);
    };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        co_return saved.error().code() == Errc::conflict
            ? taken
            : saved.error().within("keep key '" + made.row.name + "'");
    }
    const auto place = std::ranges::upper_bound(keys_, made.row.name, {}, &KeyRow::name);
    keys_.insert(place, made.row);
    if (on_change_) {
        on_change_();
    }
    co_return made;
}

asio::awaitable<Result<KeyRow>> KeyRing::revoke(std::string name) {
    const auto* known = find(name);
    if (known == nullptr) {
        std::vector<std::string> names;
        names.reserve(keys_.size());
        for (const auto& row : keys_) {
            names.push_back(row.name);
        }
        const auto near = nearest(name, names);
        co_return Error(Errc::not_found, "there is no key '" + escaped(name.substr(0, 128)) + "'")
            .with_hint(near.empty() ? "routerctl keys ls shows those there are"
                                    : "did you mean '" + near + "'?");
    }
    const auto row = *known;
    auto remove = [id = row.id](Database& database) { return KeyRepository(database).remove(id); };
    const auto removed = co_await store_.run(std::move(remove));
    if (!removed) {
        co_return removed.error().within("revoke key '" + row.name + "'");
    }
    std::erase_if(keys_, [&row](const KeyRow& one) { return one.id == row.id; });
    if (on_change_) {
        on_change_();
    }
    co_return row;
}

}  // namespace routerd
