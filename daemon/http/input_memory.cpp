#include "daemon/http/input_memory.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "daemon/net/lender.hpp"

namespace routerd {

InputMemory::InputMemory(IoLoop& loop, std::size_t capacity)
    : capacity_(std::max(capacity, least)) {
    const auto size = capacity_ + padding;
    if (capacity_ >= Lender::least) {
        pages_ = loop.pages().take(before + size);
        data_ = pages_.data() + before;
        capacity_ = pages_.size() - before - padding;
    } else {
        block_ = capacity_ == least ? loop.blocks().take()
                                    : std::make_unique_for_overwrite<char[]>(size);
        data_ = block_.get();
    }
}

void InputMemory::give_back(IoLoop& loop) noexcept {
    auto memory = std::exchange(*this, InputMemory());
    if (memory.pages_) {
        loop.pages().give_back(std::move(memory.pages_));
    } else if (memory.capacity_ == least) {
        loop.blocks().give_back(std::move(memory.block_));
    }
}

bool InputMemory::can_lend(std::string_view part) const noexcept {
    return part.size() >= Lender::least && pages_.contains(part);
}

std::string_view InputMemory::join(std::string_view front, std::string_view part) noexcept {
    const bool may_join = can_lend(part) && !is_lent() &&
                          front.size() <= static_cast<std::size_t>(part.data() - pages_.data());
    if (!may_join) {
        return {};
    }
    auto* const begin = pages_.data() + (part.data() - pages_.data()) - front.size();
    std::memcpy(begin, front.data(), front.size());
    return {begin, front.size() + part.size()};
}

bool InputMemory::lend(std::string_view part) noexcept {
    const bool lends = can_lend(part);
    if (lends) {
        pages_.lend();
    }
    return lends;
}

}  // namespace routerd
