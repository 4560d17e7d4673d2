#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace routerd::test {

/// Bytes of a GGUF file, right or wrong as the test wants: small files made in memory. Values are
/// written as they are given; nothing is checked.
class GgufWriter {
  public:
    static constexpr std::uint32_t string_type = 8;
    static constexpr std::uint32_t array_type = 9;

    std::uint32_t version = 3;
    std::uint64_t alignment = 32;  ///< of the data; say it in the metadata, too, if it is another

    /// A pair of any type number and payload.
    GgufWriter& raw(std::string_view key, std::uint32_t type, std::string_view payload) {
        pairs_ += text_bytes(key) + bytes(type) + std::string(payload);
        ++pair_count_;
        return *this;
    }
    GgufWriter& text(std::string_view key, std::string_view value) {
        return raw(key, string_type, text_bytes(value));
    }
    GgufWriter& number(std::string_view key, std::uint32_t value) {
        return raw(key, 4, bytes(value));
    }
    GgufWriter& number16(std::string_view key, std::uint16_t value) {
        return raw(key, 2, bytes(value));
    }
    GgufWriter& flag(std::string_view key, bool value) {
        return raw(key, 7, bytes(static_cast<std::uint8_t>(value ? 1 : 0)));
    }
    GgufWriter& numbers(std::string_view key, const std::vector<std::uint32_t>& values) {
        std::string payload = bytes(std::uint32_t{4}) + bytes(std::uint64_t{values.size()});
        for (const auto value : values) {
            payload += bytes(value);
        }
        return raw(key, array_type, payload);
    }
    GgufWriter& texts(std::string_view key, const std::vector<std::string>& values) {
        std::string payload = bytes(string_type) + bytes(std::uint64_t{values.size()});
        for (const auto& value : values) {
            payload += text_bytes(value);
        }
        return raw(key, array_type, payload);
    }

    /// F32 unless `type` says otherwise; `data_bytes` is what the type makes of the shape.
    GgufWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& shape,
                       std::uint32_t type = 0, std::uint64_t data_bytes = 0) {
        std::uint64_t elements = 1;
        tensors_ += text_bytes(name) + bytes(static_cast<std::uint32_t>(shape.size()));
        for (const auto dimension : shape) {
            tensors_ += bytes(dimension);
            elements *= dimension;
        }
        tensors_ += bytes(type) + bytes(data_);
        ++tensor_count_;
        const auto size = data_bytes == 0 ? elements * sizeof(float) : data_bytes;
        data_ += (size + alignment - 1) / alignment * alignment;
        return *this;
    }

    std::string header() const {
        std::string head =
            "GGUF" + bytes(version) + bytes(tensor_count_) + bytes(pair_count_) + pairs_ + tensors_;
        if (tensor_count_ > 0) {
            head.resize((head.size() + alignment - 1) / alignment * alignment);
        }
        return head;
    }
    /// The header and zeros for the tensors.
    std::string file() const {
        auto all = header();
        all.resize(all.size() + data_);
        return all;
    }

    /// Metadata that every model needs, and one small tensor.
    static GgufWriter model(std::string_view architecture = "llama",
                            std::string_view name = "test") {
        GgufWriter writer;
        const std::string prefix(architecture);
        writer.text("general.architecture", architecture).text("general.name", name);
        writer.number(prefix + ".context_length", 4096).number(prefix + ".block_count", 2);
        writer.number(prefix + ".embedding_length", 64);
        writer.tensor("token_embd.weight", {64, 2});
        return writer;
    }

  private:
    template <class T>
    static std::string bytes(T value) {
        static_assert(std::is_arithmetic_v<T>);
        std::string result(sizeof(T), '\0');
        std::memcpy(result.data(), &value, sizeof(T));
        return result;
    }
    static std::string text_bytes(std::string_view text) {
        return bytes(std::uint64_t{text.size()}) + std::string(text);
    }

    std::string pairs_;
    std::string tensors_;
    std::uint64_t pair_count_ = 0;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t data_ = 0;
};

}  // namespace routerd::test
