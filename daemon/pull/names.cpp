#include "daemon/pull/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t longest_part = 255;   // NAME_MAX
constexpr std::size_t longest_path = 1024;  // bytes
constexpr std::size_t longest_shown = 200;  // bytes of a name in a message
constexpr int most_decodings = 3;           // "%25252e": nobody means well

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string complain_about_part(std::string_view part) {
    if (part.empty()) {
        return "a part of it is empty";
    }
    if (part == "." || part == "..") {
        return "'" + std::string(part) + "' is in it";
    }
    if (part.size() > longest_part) {
        return "a part of it is longer than " + std::to_string(longest_part) + " bytes";
    }
    if (part.front() == '.') {
        return "a part of it is hidden";
    }
    if (part.back() == '.' || part.back() == ' ') {
        return "a part of it ends in a dot or space";
    }
    return {};
}

/// What is wrong with a path as it stands; empty when it is good.
std::string complain_about_path(std::string_view path) {
    if (path.empty() || path.size() > longest_path) {
        return "it is empty or longer than " + std::to_string(longest_path) + " bytes";
    }
    if (escaped(path) != path) {  // no UTF-8, or control characters
        return "a character of it is not for names";
    }
    if (path.find('\\') != std::string_view::npos) {
        return "a backslash is in it";
    }
    if (path.front() == '/') {
        return "it is absolute";
    }
    if (path.front() == '~' || (path.size() > 1 && is_letter(path[0]) && path[1] == ':')) {
        return "it begins with '" + std::string(path.substr(0, path.front() == '~' ? 1 : 2)) + "'";
    }
    for (const auto part : split(path, '/')) {
        if (auto complaint = complain_about_part(part); !complaint.empty()) {
            return complaint;
        }
    }
    return {};
}

/// The same, and of what it is when it is decoded.
std::string complain_at_all(std::string_view path, bool may_have_folders) {
    std::string form(path);
    for (int i = 0; i <= most_decodings; ++i) {
        if (auto complaint = complain_about_path(form); !complaint.empty()) {
            return complaint;
        }
        if (!may_have_folders && form.find('/') != std::string::npos) {
            return "a '/' is in it";
        }
        auto decoded = percent_decoded(form);
        if (decoded == form) {
            return {};
        }
        form = std::move(decoded);
    }
    return "it is encoded too many times";
}

Result<std::string> good_or_not(std::string_view path, const std::string& complaint) {
    if (complaint.empty()) {
        return std::string(path);
    }
    return Error(Errc::invalid_request, "'" + escaped(path.substr(0, longest_shown)) +
                                            "' cannot be the name of a file here: " + complaint);
}

std::string encoded(std::string_view text, std::string_view kept) {
    std::string result;
    std::array<char, 4> code{};
    for (const char c : text) {
        const bool plain =
            is_letter(c) || (c >= '0' && c <= '9') || kept.find(c) != std::string_view::npos;
        if (plain) {
            result += c;
            continue;
        }
        std::snprintf(code.data(), code.size(), "%%%02X",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        result += code.data();
    }
    return result;
}

}  // namespace

Result<std::string> checked_path(std::string_view path) {
    return good_or_not(path, complain_at_all(path, true));
}

Result<std::string> checked_name(std::string_view name) {
    return good_or_not(name, complain_at_all(name, false));
}

Result<std::string> name_in_url(std::string_view url) {
    auto path = url.substr(0, url.find_first_of("?#"));
    const auto scheme = path.find("://");
    path.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
    const auto slash = path.rfind('/');
    const auto last = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    auto name = checked_name(percent_decoded(last));
    if (name && !is_gguf_name(*name)) {
        return Error(Errc::invalid_request,
                     "'" + escaped(name->substr(0, longest_shown)) + "' does not end in .gguf")
            .with_hint("give the URL of the file itself, not of a page about it");
    }
    return name;
}

std::string percent_decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const auto digits = text.substr(std::min(i + 1, text.size()), 2);
        const auto* end = digits.data() + digits.size();
        const bool is_code = text[i] == '%' && digits.size() == 2 &&
                             std::from_chars(digits.data(), end, value, 16).ptr == end;
        result += is_code ? static_cast<char>(value) : text[i];
        i += is_code ? 2 : 0;
    }
    return result;
}

std::string percent_encoded_path(std::string_view path) {
    return encoded(path, "-._~/");
}

std::string percent_encoded(std::string_view part) {
    return encoded(part, "-._~");
}

}  // namespace routerd::pull
