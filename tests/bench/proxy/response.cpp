#include "tests/bench/proxy/response.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace bench {
namespace {

constexpr std::size_t longest_head = 64U << 10U;

bool read_number(std::string_view text, int base, std::uint64_t& value) {
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc() && (stop == end || *stop == ';' || *stop == ' ');
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

}  // namespace

/// Moves bytes to `held_` until it ends with `end`; false when they are not enough.
bool ResponseReader::collect(std::string_view& bytes, std::string_view end) {
    const auto before = held_.size();
    held_.append(bytes.substr(0, longest_head));
    const auto from = before < end.size() ? 0 : before - end.size() + 1;
    const auto at = held_.find(end, from);
    if (at == std::string::npos) {
        bytes = {};
        state_ = held_.size() > longest_head ? State::bad : state_;
        return false;
    }
    held_.resize(at + end.size());
    bytes.remove_prefix(held_.size() - before);
    return true;
}

void ResponseReader::read_head() {
    const auto head = lower(held_);
    std::uint64_t status = 0;
    if (!head.starts_with("http/1.1 ") || !read_number(head.substr(9, 3), 10, status)) {
        state_ = State::bad;
        return;
    }
    status_ = static_cast<unsigned>(status);
    if (status_ < 200) {
        return;  // 1xx: the answer is still to come
    }
    const auto value = [&head](const std::string& name) {
        const auto at = head.find("\r\n" + name + ": ");
        const auto begin = at + name.size() + 4;
        return at == std::string::npos ? "" : head.substr(begin, head.find("\r\n", begin) - begin);
    };
    closes_ = value("connection").find("close") != std::string::npos;
    const auto length = value("content-length");
    if (value("transfer-encoding") == "chunked") {
        state_ = length.empty() ? State::chunk_size : State::bad;
        return;
    }
    if (status_ == 204 || status_ == 304) {
        state_ = State::done;
        return;
    }
    const bool is_known = read_number(length, 10, left_);
    state_ = !is_known ? State::bad : left_ == 0 ? State::done : State::length;
}

/// The line before, after or behind a chunk.
void ResponseReader::read_line() {
    const auto line = std::string_view(held_).substr(0, held_.size() - 2);
    if (state_ == State::chunk_size) {
        const bool is_size = read_number(line, 16, left_);
        state_ = !is_size ? State::bad : left_ == 0 ? State::trailer : State::chunk;
    } else if (state_ == State::chunk_end) {
        state_ = line.empty() ? State::chunk_size : State::bad;
    } else if (line.empty()) {
        state_ = State::done;
    }
}

}  // namespace bench
