#include "cmd/routerctl/each.hpp"

namespace routerd::ctl {

int for_each_model(const Context& context, const std::vector<std::string>& names,
                   const std::function<Result<api::Model>(const std::string&)>& act) {
    return for_each_name<api::Model>(context, names, act,
                                     [](const api::Model& model) { return model.summary.id; });
}

}  // namespace routerd::ctl
