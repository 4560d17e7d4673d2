#include "tools/tiny_model/gguf_writer.hpp"

#include <bit>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"

namespace routerd::tiny_model {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is written as it lies in memory");

constexpr std::uint32_t gguf_version = 3;
constexpr std::uint64_t alignment = 32;  // the format's default, so no key has to say it

// Type numbers of the GGUF format.
constexpr std::uint32_t type_u32 = 4;
constexpr std::uint32_t type_i32 = 5;
constexpr std::uint32_t type_f32 = 6;
constexpr std::uint32_t type_bool = 7;
constexpr std::uint32_t type_string = 8;
constexpr std::uint32_t type_array = 9;

std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

template <class T>
void put(std::string& out, T value) {
    static_assert(std::is_arithmetic_v<T>);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
}

void put(std::string& out, const std::string& text) {
    put<std::uint64_t>(out, text.size());
    out += text;
}

template <class T>
void put_array(std::string& out, std::uint32_t type, const std::vector<T>& values) {
    put(out, type_array);
    put(out, type);
    put<std::uint64_t>(out, values.size());
    for (const auto& value : values) {
        put(out, value);
    }
}

/// Writes a value with its type in front.
struct PutValue {
    std::string& out;

    void operator()(std::uint32_t value) const {
        put(out, type_u32);
        put(out, value);
    }
    void operator()(float value) const {
        put(out, type_f32);
        put(out, value);
    }
    void operator()(bool value) const {
        put(out, type_bool);
        put<std::uint8_t>(out, value ? 1 : 0);
    }
    void operator()(const std::string& value) const {
        put(out, type_string);
        put(out, value);
    }
    void operator()(const std::vector<std::string>& values) const {
        put_array(out, type_string, values);
    }
    void operator()(const std::vector<float>& values) const { put_array(out, type_f32, values); }
    void operator()(const std::vector<std::int32_t>& values) const {
        put_array(out, type_i32, values);
    }
};

Result<void> write_at(int fd, const char* data, std::uint64_t size, std::uint64_t offset) {
    while (size > 0) {
        const auto written = ::pwrite(fd, data, size, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return errno_error("write", errno);
        }
        data += written;
        size -= static_cast<std::uint64_t>(written);
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

}  // namespace

void GgufWriter::add(std::string key, Value value) {
    entries_.push_back({std::move(key), std::move(value)});
}

void GgufWriter::add_tensor(std::string name, std::vector<std::uint64_t> shape,
                            std::vector<float> values) {
    place({std::move(name), std::move(shape), ElementType::f32, std::move(values), 0});
}

void GgufWriter::add_zero_tensor(std::string name, std::vector<std::uint64_t> shape,
                                 ElementType type) {
    place({std::move(name), std::move(shape), type, {}, 0});
}

void GgufWriter::place(Tensor tensor) {
    std::uint64_t bytes = tensor.type == ElementType::f32 ? 4 : 2;
    for (const auto length : tensor.shape) {
        bytes *= length;
    }
    tensor.offset = data_bytes_;
    data_bytes_ += aligned(bytes);
    tensors_.push_back(std::move(tensor));
}

std::string GgufWriter::head() const {
    std::string out = "GGUF";
    put(out, gguf_version);
    put<std::uint64_t>(out, tensors_.size());
    put<std::uint64_t>(out, entries_.size());
    for (const auto& entry : entries_) {
        put(out, entry.key);
        std::visit(PutValue{out}, entry.value);
    }
    for (const auto& tensor : tensors_) {
        put(out, tensor.name);
        put(out, static_cast<std::uint32_t>(tensor.shape.size()));
        for (const auto length : tensor.shape) {
            put(out, length);
        }
        put(out, static_cast<std::uint32_t>(tensor.type));
        put(out, tensor.offset);
    }
    out.resize(aligned(out.size()), '\0');
    return out;
}

Result<std::uint64_t> GgufWriter::write(const std::string& path) const {
    const auto part = path + ".part";
    const auto attempt = "write '" + path + "'";
    const UniqueFd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) {
        return errno_error(attempt, errno);
    }
    const auto start = head();
    const auto total = start.size() + data_bytes_;
    auto done = write_at(file.get(), start.data(), start.size(), 0);
    for (const auto& tensor : tensors_) {
        if (done && !tensor.values.empty()) {
            std::string bytes(tensor.values.size() * sizeof(float), '\0');
            std::memcpy(bytes.data(), tensor.values.data(), bytes.size());
            done = write_at(file.get(), bytes.data(), bytes.size(), start.size() + tensor.offset);
        }
    }
    if (done && ::ftruncate(file.get(), static_cast<off_t>(total)) != 0) {
        done = errno_error("set its size", errno);
    }
    if (done && ::rename(part.c_str(), path.c_str()) != 0) {
        done = errno_error("rename it into place", errno);
    }
    if (!done) {
        ::unlink(part.c_str());
        return done.error().within(attempt);
    }
    return total;
}

}  // namespace routerd::tiny_model
