#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/proxy/peek.hpp"

namespace routerd {

/// The boundary that the content type of a form names (multipart/form-data, RFC 7578 4.1). Part of
/// `content_type`. nullopt: it is of another type, or its boundary is none (RFC 2046 5.1.1).
std::optional<std::string_view> boundary_of(std::string_view content_type);

/// Walks over the fields of a form's body (RFC 2046 5.1.1) without a copy. `body` and `boundary`
/// outlive it.
class FormFields {
  public:
    struct Field {
        std::string_view name;   ///< as it is written, between its quotes
        std::string_view value;  ///< a file's bytes, or a text
        std::string_view whole;  ///< headers and value, and the line's end before the next boundary
        bool is_file = false;    ///< it has a file's name
    };

    FormFields(std::string_view body, std::string_view boundary);

    /// nullopt: there are no more, or fault() says what is wrong.
    std::optional<Field> next();

    /// nullptr: nothing, so far.
    const char* fault() const noexcept { return fault_; }
    /// Where it is, in bytes from the beginning.
    std::size_t at() const noexcept { return at_; }

  private:
    void fail(const char* why) noexcept;
    std::string_view to_boundary() noexcept;
    void skip_boundary_end() noexcept;

    std::string_view body_;
    std::string delimiter_;  // with the end of the line before it: LF
    std::size_t at_ = 0;
    bool ended_ = false;
    const char* fault_ = nullptr;
};

/// What a form's fields say of its way. A field that decides it may be there once only: servers
/// do not agree which of two counts. Errors: invalid_request, saying where the form ends to be one.
Result<Peeked> peek_form(std::string_view body, std::string_view boundary);

/// Sets and removes fields; what is set comes first, and the bytes of all others stay as they came.
/// `set`: name → JSON text, of which a string is set as what it means. `body` must have passed
/// peek_form(). Errors: invalid_request.
Result<std::string> rewrite_form(std::string_view body, std::string_view boundary,
                                 const std::map<std::string, std::string>& set,
                                 const std::vector<std::string>& strip);

}  // namespace routerd
