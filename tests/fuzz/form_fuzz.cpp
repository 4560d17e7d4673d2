// Reads arbitrary bytes as the body of a form; its first line is the content type. Beside crashes
// and sanitizers' findings, a run fails when fields do not lie in the body one after another, when
// a field that was set or removed is not what it should be, or when another one was touched.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/proxy/form.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using routerd::FormFields;
using routerd::fuzz::lies_in;
using routerd::fuzz::require;

std::vector<FormFields::Field> fields_of(std::string_view body, std::string_view boundary) {
    std::vector<FormFields::Field> found;
    FormFields fields(body, boundary);
    const auto* at = body.data();
    while (const auto field = fields.next()) {
        require(lies_in(field->whole, body) && lies_in(field->name, field->whole) &&
                    lies_in(field->value, field->whole),
                "a field lies in the body");
        require(field->whole.data() >= at, "fields follow one another");
        at = field->whole.data() + field->whole.size();
        found.push_back(*field);
    }
    require(fields.at() <= body.size(), "it stays in the body");
    return found;
}

bool is_other(const FormFields::Field& field) {
    return field.name != "model" && field.name != "stream";
}

void check_rewritten(std::string_view body, std::string_view boundary) {
    const auto rewritten =
        routerd::rewrite_form(body, boundary, {{"model", "\"x\\ny\""}}, {"stream"});
    if (!rewritten) {
        require(std::string_view("x\ny").find("--" + std::string(boundary)) != std::string::npos,
                "what was taken can be spliced");
        return;
    }
    const auto again = routerd::peek_form(*rewritten, boundary);
    require(again && again->model == "x\ny" && !again->stream, "what was spliced is good");
    std::vector<FormFields::Field> before;
    for (const auto& field : fields_of(body, boundary)) {
        if (is_other(field)) {
            before.push_back(field);
        }
    }
    const auto after = fields_of(*rewritten, boundary);
    require(after.size() == before.size() + 1, "no field comes or goes beside those");
    for (std::size_t i = 0; i < before.size(); ++i) {
        require(after[i + 1].whole == before[i].whole, "the other fields stay as they came");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto body = routerd::fuzz::text_of(data, size);
    const auto type = routerd::fuzz::take_first_line(body);
    const auto boundary = routerd::boundary_of(type);
    if (!boundary) {
        return 0;
    }
    require(lies_in(*boundary, type), "the boundary is a part of the content type");
    const auto peeked = routerd::peek_form(body, *boundary);
    fields_of(body, *boundary);
    if (peeked) {
        check_rewritten(body, *boundary);
    } else {
        require(!peeked.error().message().empty(), "a refusal says why");
    }
    return 0;
}
