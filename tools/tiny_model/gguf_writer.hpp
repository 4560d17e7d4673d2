#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.hpp"

namespace routerd::tiny_model {

/// A metadata value of one of the GGUF types that a small language model needs.
using Value = std::variant<std::uint32_t, float, bool, std::string, std::vector<std::string>,
                           std::vector<float>, std::vector<std::int32_t>>;

/// The element types written here; the values are ggml's.
enum class ElementType : std::uint32_t { f32 = 0, f16 = 1 };

/// Builds one GGUF version 3 file: metadata and tensors in the order in which they were added.
/// Holds everything but zero tensors in memory until write().
class GgufWriter {
  public:
    void add(std::string key, Value value);

    /// `shape` has the fastest dimension first, as ggml counts; `values` are its elements.
    void add_tensor(std::string name, std::vector<std::uint64_t> shape, std::vector<float> values);

    /// All zeros: a hole in the file, which takes neither memory nor disk space here.
    void add_zero_tensor(std::string name, std::vector<std::uint64_t> shape, ElementType type);

    /// Writes beside `path` and renames, so that nobody ever sees half a model. Returns the file's
    /// size in bytes. Errors: unavailable.
    Result<std::uint64_t> write(const std::string& path) const;

  private:
    struct Entry {
        std::string key;
        Value value;
    };
    struct Tensor {
        std::string name;
        std::vector<std::uint64_t> shape;
        ElementType type;
        std::vector<float> values;  ///< empty: zeros
        std::uint64_t offset;       ///< from the start of the data
    };

    void place(Tensor tensor);
    std::string head() const;

    std::vector<Entry> entries_;
    std::vector<Tensor> tensors_;
    std::uint64_t data_bytes_ = 0;
};

}  // namespace routerd::tiny_model
