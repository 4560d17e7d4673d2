// Reads arbitrary bytes as the body of a request. Beside crashes and sanitizers' findings, a run
// fails when another parser finds another model or stream in a body that both take, when a good
// body is refused, or when a field that was set or removed by splicing is not what it should be.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "daemon/proxy/peek.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using nlohmann::json;
using routerd::fuzz::lies_in;
using routerd::fuzz::require;

/// Reads the whole document with the other parser, and keeps what peek() is to find at its top.
class Reference : public nlohmann::json_sax<json> {
  public:
    bool is_object = false;
    std::size_t depth = 0;
    std::optional<std::string> model;
    bool is_model_bad = false;     ///< it had another type, be it overridden later
    std::optional<bool> stream;    ///< the last one that is a boolean
    bool is_stream_other = false;  ///< the last one is no boolean

    bool null() override {
        if (is_of("model")) {
            model.reset();
        }
        return scalar();
    }
    bool boolean(bool value) override {
        if (is_of("stream")) {
            stream = value;
            is_stream_other = false;
            return true;
        }
        return other();
    }
    bool number_integer(number_integer_t /*value*/) override { return other(); }
    bool number_unsigned(number_unsigned_t /*value*/) override { return other(); }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
        return other();
    }
    bool string(string_t& value) override {
        if (is_of("model")) {
            model = value;
            return true;
        }
        return scalar();
    }
    bool binary(binary_t& /*value*/) override { return other(); }
    bool start_object(std::size_t /*count*/) override {
        is_object = is_object || depth == 0;
        return open();
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t /*count*/) override { return open(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        if (depth == 1) {
            key_ = name;
        }
        return true;
    }
    bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return false;
    }

  private:
    bool is_of(std::string_view name) const { return depth == 1 && key_ == name; }
    bool scalar() {
        is_stream_other = is_stream_other || is_of("stream");
        return true;
    }
    bool other() {
        is_model_bad = is_model_bad || is_of("model");
        return scalar();
    }
    bool open() {
        other();
        ++depth;
        return true;
    }
    bool close() {
        --depth;
        return true;
    }

    std::string key_;
};

/// The other parser skips the mark of the byte order, and takes NUL for the end.
bool has_oddity(std::string_view text) {
    return text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string_view::npos;
}

void check_refused(const Reference& reference, bool is_json, std::string_view body) {
    const bool is_good =
        is_json && reference.is_object && !reference.is_model_bad && !has_oddity(body);
    require(!is_good, "a good body is taken");
}

void check_taken(const routerd::Peeked& peeked, const Reference& reference) {
    require(reference.is_object && !reference.is_model_bad, "what is taken has a good model");
    require(peeked.model == reference.model, "the last model counts");
    if (!reference.is_stream_other) {
        require(peeked.stream == reference.stream.value_or(false), "the last stream counts");
    }
}

void check_rewritten(std::string& body) {
    const std::string opening(routerd::opening_padded(body));
    const auto rewritten = routerd::rewrite_fields(body, {{"model", "\"x\""}}, {"stream"});
    require(rewritten.has_value(), "what was taken can be spliced");
    auto expected = json::parse(body, nullptr, false);
    expected["model"] = "x";
    expected.erase("stream");
    require(json::parse(*rewritten, nullptr, false) == expected, "the other fields stay");
    auto copy = *rewritten;
    const auto again = routerd::peek(copy);
    require(again && again->model == "x" && !again->stream, "what was spliced is good");
    require(routerd::opening_padded(copy) == opening, "it is the same conversation");
}

/// In memory that ends behind the padding, so that the sanitizer sees more being read.
bool is_taken_with(std::string_view body, char behind, std::optional<std::string>& model) {
    std::vector<char> memory(body.begin(), body.end());
    memory.resize(body.size() + routerd::peek_padding, behind);
    const auto peeked = routerd::peek_padded({memory.data(), body.size()});
    model = peeked ? peeked->model : std::nullopt;
    return peeked.has_value();
}

void check_padding(std::string_view body, bool is_taken, const std::optional<std::string>& model) {
    for (const char behind : {'"', '}', ' '}) {
        std::optional<std::string> found;
        require(is_taken_with(body, behind, found) == is_taken && found == model,
                "what is behind the body has no influence");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string body(routerd::fuzz::text_of(data, size));
    const auto as_sent = body;
    Reference reference;
    const bool is_json = json::sax_parse(as_sent, &reference);
    const auto peeked = routerd::peek(body);
    require(body == as_sent, "the body stays as it is");
    check_padding(as_sent, peeked.has_value(), peeked ? peeked->model : std::nullopt);
    if (!peeked) {
        require(!peeked.error().message().empty(), "a refusal says why");
        check_refused(reference, is_json, as_sent);
        return 0;
    }
    const auto opening = routerd::opening_padded(body);
    require(body == as_sent, "the body stays as it is");
    require(lies_in(opening, body), "the opening is a part of the body");
    require((routerd::conversation_of(opening) == 0) == opening.empty(),
            "a conversation has a number");
    if (is_json) {  // else what is wrong is inside a value that was skipped: the server will say it
        check_taken(*peeked, reference);
        check_rewritten(body);
    }
    return 0;
}
