// Reads arbitrary bytes as the body of a request. Beside crashes and sanitizers' findings, a run
// fails when another parser finds another model in a body that both take, or when a field that was
// set or removed by splicing is not what it should be.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "daemon/proxy/peek.hpp"

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string body(data, data + size);
    const auto peeked = routerd::peek(body);
    if (!peeked) {
        require(!peeked.error().message().empty());
        return 0;
    }
    const auto opening = peeked->opening;
    const bool is_inside =
        opening.empty() || (opening.data() >= body.data() &&
                            opening.data() + opening.size() <= body.data() + body.size());
    require(is_inside);
    require((routerd::conversation_of(opening) == 0) == opening.empty());
    const auto tree = nlohmann::json::parse(body, nullptr, false);
    if (tree.is_discarded()) {
        return 0;  // what is wrong is inside a value that was skipped: the server will say it
    }
    require(tree.is_object());
    const auto model = tree.find("model");
    if (peeked->model) {
        require(model != tree.end() && *model == *peeked->model);
    } else {
        require(model == tree.end() || model->is_null());
    }
    const auto rewritten = routerd::rewrite_fields(body, {{"model", "\"x\""}}, {"stream"});
    require(rewritten.has_value());
    auto expected = tree;
    expected["model"] = "x";
    expected.erase("stream");
    require(nlohmann::json::parse(*rewritten, nullptr, false) == expected);
    return 0;
}
