#include "daemon/http/request_id.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace routerd {

bool is_sane_request_id(std::string_view id) noexcept {
    constexpr std::size_t longest = 128;
    return !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

void set_new_request_id(std::string& id) {
    static thread_local std::mt19937_64 random{std::random_device{}()};
    constexpr std::string_view digits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::array<char, 15> text{'r', 'e', 'q', '-'};  // 62^11 > 2^64
    auto bits = random();
    for (std::size_t i = 4; i < text.size(); ++i, bits /= digits.size()) {
        text[i] = digits[bits % digits.size()];
    }
    id.assign(text.data(), text.size());
}

}  // namespace routerd
