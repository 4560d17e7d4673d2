#include "daemon/gguf/tensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <unordered_set>

#include "common/base/text.hpp"
#include "daemon/gguf/types.hpp"
#include "daemon/gguf/weights.hpp"

namespace routerd::gguf {
namespace {

constexpr std::uint64_t longest_name = 63;    // GGML_MAX_NAME with its zero
constexpr std::uint32_t most_dimensions = 4;  // GGML_MAX_DIMS
constexpr std::uint64_t name_overhead = 64;   // bytes that the set of names needs beside a name
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

/// The sums over a table, each checked against overflow.
class Table {
  public:
    Table(Input& input, std::uint32_t alignment, Metadata& metadata)
        : input_(input), alignment_(alignment), metadata_(metadata), weights_(metadata) {}

    void read_one();

    /// After the last: whether the data lies inside the file.
    void finish();

  private:
    std::string read_name();
    bool read_elements(const std::string& name);
    void place(const std::string& name, std::uint32_t type, std::uint64_t offset);
    void fail(const std::string& name, const std::string& why) {
        input_.fail(Errc::invalid_request, "tensor '" + escaped(name) + "' " + why);
    }

    Input& input_;
    std::uint64_t alignment_;
    Metadata& metadata_;
    WeightSums weights_;
    std::unordered_set<std::string> names_;
    std::map<std::uint32_t, std::uint64_t> elements_by_type_;
    std::uint64_t elements_ = 0;  // of the tensor at hand
    std::uint64_t row_ = 0;       // its first dimension
    std::uint64_t rows_ = 0;      // its second dimension, 1 where it has none
    bool is_stack_ = false;       // it has a third
    std::uint64_t next_ = 0;      // where the next tensor's data must begin
    std::uint64_t end_ = 0;       // where the last tensor's data ends
    bool exact_ = true;           // false after a tensor whose size is not known
};

std::string Table::read_name() {
    const auto length = input_.number<std::uint64_t>();
    if (input_.ok() && length > longest_name) {
        input_.fail(Errc::invalid_request,
                    "a tensor's name of " + std::to_string(length) + " bytes");
    }
    auto name = input_.text(length);
    input_.charge(name_overhead);
    if (input_.ok() && !names_.insert(name).second) {
        fail(name, "is there twice");
    }
    return name;
}

/// Multiplies the dimensions; false when the table is at fault.
bool Table::read_elements(const std::string& name) {
    const auto dimensions = input_.number<std::uint32_t>();
    if (dimensions > most_dimensions) {
        fail(name, "has " + std::to_string(dimensions) + " dimensions");
        return false;
    }
    elements_ = 1;
    row_ = 1;
    rows_ = 1;
    is_stack_ = false;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
        const auto dimension = input_.number<std::uint64_t>();
        row_ = i == 0 ? dimension : row_;
        rows_ = i == 1 ? dimension : rows_;
        is_stack_ = is_stack_ || (i > 1 && dimension > 1);
        // The dimension by itself, too: a zero beside it would hide one that is out of range.
        if (dimension > largest || __builtin_mul_overflow(elements_, dimension, &elements_) ||
            elements_ > largest) {
            fail(name, "has more elements than 64 bits can count");
            return false;
        }
    }
    return input_.ok();
}

void Table::place(const std::string& name, std::uint32_t number, std::uint64_t offset) {
    const auto* type = tensor_type(number);
    if (type == nullptr && !may_be_newer_tensor_type(number)) {
        return fail(name, "has the unknown type " + std::to_string(number));
    }
    if (offset % alignment_ != 0 || (exact_ ? offset != next_ : offset < next_)) {
        return fail(name, "begins at byte " + std::to_string(offset) + " of the data, not at " +
                              std::to_string(next_));
    }
    if (type != nullptr && row_ % type->block != 0) {
        return fail(name, "has rows of " + std::to_string(row_) + " elements, not a multiple of " +
                              std::to_string(type->block));
    }
    exact_ = exact_ && type != nullptr;
    std::uint64_t bytes = 0;
    const bool too_big =
        (type != nullptr && __builtin_mul_overflow(elements_ / type->block, type->bytes, &bytes)) ||
        __builtin_add_overflow(offset, bytes, &end_) ||
        __builtin_add_overflow(end_, alignment_ - 1, &next_) || next_ > largest ||
        __builtin_add_overflow(metadata_.parameters, elements_, &metadata_.parameters);
    if (too_big) {
        return fail(name, "is bigger than 64 bits can say");
    }
    next_ -= next_ % alignment_;
    metadata_.tensor_bytes += bytes;
    weights_.add({name, number, row_, rows_, is_stack_, bytes});
    elements_by_type_[number] += elements_;
}

void Table::read_one() {
    const auto name = read_name();
    if (!input_.ok() || !read_elements(name)) {
        return;
    }
    const auto type = input_.number<std::uint32_t>();
    const auto offset = input_.number<std::uint64_t>();
    if (input_.ok()) {
        place(name, type, offset);
    }
}

void Table::finish() {
    if (!input_.ok() || elements_by_type_.empty()) {
        return;
    }
    weights_.finish();
    const auto header = input_.offset() + alignment_ - 1;
    const auto start = header - header % alignment_;
    if (start > input_.size() || end_ > input_.size() - start) {
        input_.fail(Errc::invalid_request, "its tensors end at byte " +
                                               std::to_string(start + end_) + " but the file at " +
                                               std::to_string(input_.size()) +
                                               ": it is not complete");
        return;
    }
    const auto most =
        std::max_element(elements_by_type_.begin(), elements_by_type_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto* type = tensor_type(most->first);
    if (metadata_.quantization.empty() && type != nullptr) {
        metadata_.quantization = type->name;
    }
}

}  // namespace

void read_tensors(Input& input, std::uint64_t count, std::uint32_t alignment, Metadata& metadata) {
    Table table(input, alignment, metadata);
    metadata.tensor_count = count;
    for (std::uint64_t i = 0; i < count && input.ok(); ++i) {
        table.read_one();
    }
    table.finish();
}

}  // namespace routerd::gguf
