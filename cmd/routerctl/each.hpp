#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cmd/routerctl/context.hpp"
#include "cmd/routerctl/output/printer.hpp"

namespace routerd::ctl {

/// Whether there is no point in going on with others.
inline bool ends_all(const Error& error) {
    return error.code() == Errc::unreachable || error.code() == Errc::cancelled;
}

/// Does the same to each of `names` and prints what came of it: the name of what it was done to, or
/// the object in the format asked for. Goes on after a failure; the exit code is the first one's.
/// `id_of` names the object.
template <class T>
int for_each_name(const Context& context, const std::vector<std::string>& names,
                  const std::function<Result<T>(const std::string&)>& act,
                  const std::function<std::string(const T&)>& id_of) {
    int code = exit_ok;
    for (const auto& name : names) {
        const auto result = act(name);
        if (!result && ends_all(result.error())) {
            return worst(code, context.fail(result.error()));
        }
        if (!result) {
            code = worst(code, context.fail(result.error()));
            continue;
        }
        const auto id = id_of(*result);
        const auto print_id = [&context, &id] { print_name(context, id); };
        code = worst(code, print_value(context, *result, id, print_id));
    }
    return code;
}

/// for_each_name() for what answers with the model.
int for_each_model(const Context& context, const std::vector<std::string>& names,
                   const std::function<Result<api::Model>(const std::string&)>& act);

}  // namespace routerd::ctl
