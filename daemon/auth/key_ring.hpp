#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/base/result.hpp"
#include "daemon/store/keys.hpp"
#include "daemon/store/store.hpp"

namespace routerd {

/// The keys that are made and revoked at run time. Core loop only; `store` outlives it.
class KeyRing {
  public:
    explicit KeyRing(Store& store) noexcept : store_(store) {}

    /// Reads those that are kept. Before anything else.
    asio::awaitable<Result<void>> start();

    /// By name.
    const std::vector<KeyRow>& keys() const noexcept { return keys_; }

    struct Wanted {
        std::string name;
        std::vector<std::string> scopes;  ///< of "inference", "read", "admin"; none: inference
        std::vector<std::string> models;  ///< ids; none: all
        std::optional<std::chrono::milliseconds> good_for;  ///< empty: for ever
    };
    struct Made {
        KeyRow row;
        std::string key;  ///< nowhere else, and never again
    };
    /// Kept on disk when it returns. Errors: invalid_request, conflict (the name is taken),
    /// unavailable.
    asio::awaitable<Result<Made>> create(Wanted wanted);

    /// By name or id; what it was. Errors: not_found, with the nearest name; unavailable.
    asio::awaitable<Result<KeyRow>> revoke(std::string name);

    /// Called after each change.
    void on_change(std::function<void()> callback) { on_change_ = std::move(callback); }

  private:
    const KeyRow* find(const std::string& name) const;

    Store& store_;
    std::vector<KeyRow> keys_;
    std::function<void()> on_change_;
};

}  // namespace routerd
