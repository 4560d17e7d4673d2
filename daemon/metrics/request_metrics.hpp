#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/metrics/values.hpp"

namespace routerd::metrics {

class Text;

/// What one answered request adds. The views are for the call alone.
struct RequestSample {
    std::string_view model;     ///< id of the catalogue; empty when none was resolved
    std::string_view endpoint;  ///< pattern of the route, never the path that was asked for
    unsigned status = 0;
    std::chrono::microseconds took{0};
    std::optional<std::chrono::microseconds> first_byte;  ///< nullopt: no answer came
    std::chrono::microseconds queued{0};
    std::uint64_t prompt_tokens = 0;
    std::uint64_t completion_tokens = 0;
};

/// A list that one thread adds to while others walk it.
template <class T>
class PublishedList {
  public:
    template <class... Args>
    T& add(Args&&... args) {
        auto& item = items_.emplace_back(std::forward<Args>(args)...);
        item.next = newest_.load(std::memory_order_relaxed);
        newest_.store(&item, std::memory_order_release);
        return item;
    }

    template <class Visit>
    void each(const Visit& visit) const {
        for (const T* item = newest_.load(std::memory_order_acquire); item != nullptr;
             item = item->next) {
            visit(*item);
        }
    }

    std::size_t size() const noexcept { return items_.size(); }  ///< for the thread that adds

  private:
    std::deque<T> items_;  // never moves what it has
    std::atomic<const T*> newest_{nullptr};
};

/// The series of the requests of one event loop. That loop's thread alone calls record(), which
/// finds its series by one hash and allocates for a new one only; any thread may read meanwhile.
/// The number of series is bounded: what comes beyond is counted for the model `other`.
class RequestShard {
  public:
    static constexpr std::size_t most_series = 4096;  ///< of model, endpoint and status
    static constexpr std::size_t most_models = 1024;
    static constexpr std::string_view other = "_other";

    RequestShard() = default;
    RequestShard(const RequestShard&) = delete;
    RequestShard& operator=(const RequestShard&) = delete;

    void record(const RequestSample& sample);

  private:
    friend class RequestMetrics;

    struct OfModel {
        explicit OfModel(std::string_view id) : model(id) {}

        std::string model;
        Histogram duration;
        Histogram first_byte;
        Histogram queued;
        Counter prompt_tokens;
        Counter completion_tokens;
        const OfModel* next = nullptr;
    };
    struct Key {
        std::string_view model;
        std::string_view endpoint;
        unsigned status = 0;

        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Series {
        Series(const Key& key, OfModel& all)
            : model(key.model), endpoint(key.endpoint), status(key.status), of_model(&all) {}

        std::string model;
        std::string endpoint;
        unsigned status;
        OfModel* of_model;
        Counter requests;
        const Series* next = nullptr;
    };

    Series& find(Key key);
    OfModel& model(std::string_view id);

    PublishedList<OfModel> models_;
    PublishedList<Series> series_;
    std::unordered_map<std::string_view, OfModel*> by_id_;  // keys are views into models_
    std::unordered_map<Key, Series*, Hash> by_key_;         // keys are views into series_
};

/// All shards together. Owned by App. add_shard() before other threads run; write() on any thread.
class RequestMetrics {
  public:
    /// A shard for one more event loop; lives as long as this.
    RequestShard& add_shard();

    /// The requests' metrics, in the order of their labels.
    void write(Text& text) const;

  private:
    std::vector<std::unique_ptr<RequestShard>> shards_;
};

}  // namespace routerd::metrics
