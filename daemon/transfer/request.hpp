#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "daemon/transfer/curl_library.hpp"
#include "daemon/transfer/origin_policy.hpp"

namespace routerd::transfer {

/// One GET over libcurl at a time, on one of its connections; it follows nothing by itself. Used on
/// the thread that drives the multi handle. The address that is connected to is the one that the
/// policy allowed: nothing is looked up twice.
class Request {
  public:
    /// What becomes of it. The calls come out of curl_multi_perform().
    class Sink {
      public:
        Sink() = default;
        Sink(const Sink&) = delete;
        Sink& operator=(const Sink&) = delete;
        virtual ~Sink() = default;

        /// A line of the head, "\r\n" included; the last one is empty. False ends the request.
        virtual bool on_line(std::string_view line) = 0;

        enum class Taken {
            all,
            later,    ///< none of it: it comes again after resume()
            refused,  ///< ends the request
        };
        virtual Taken on_data(std::span<const char> data) = 0;
    };

    struct Options {
        std::string proxy;  ///< "http://host:port", or empty: none, whatever the environment says
        std::size_t buffer = 0;  ///< bytes of the receive buffer; 0: libcurl's own choice
    };

    Request(const CurlLibrary& curl, CURLM* multi, Sink& sink, const Options& options);
    ~Request();
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    /// `headers`: whole lines. `url` passed the policy's check; `policy` must outlive the request.
    /// Errors: unavailable.
    std::optional<Error> start(const http::Url& url, const std::vector<std::string>& headers,
                               const OriginPolicy& policy);

    /// It is under way no more; its connection is kept only when it was complete.
    void end();

    bool is_running() const noexcept { return running_; }
    bool is_paused() const noexcept { return paused_; }

    /// After Taken::later. May call on_data() at once.
    void resume();

    /// The handle is this one's.
    bool owns(const CURL* easy) const noexcept { return easy_ == easy; }

    /// Why it failed, from what libcurl said of it. Passing troubles are unavailable; what will not
    /// go away is forbidden or upstream_error.
    Error failure(CURLcode code) const;

  private:
    template <class Value>
    void set(CURLoption option, Value value) {
        curl_->easy_setopt(easy_, option, value);
    }
    void set_up();

    static std::size_t take_line(char* text, std::size_t size, std::size_t count, void* request);
    static std::size_t take_data(char* text, std::size_t size, std::size_t count, void* request);
    static curl_socket_t open_socket(void* request, curlsocktype purpose, curl_sockaddr* address);

    const CurlLibrary* curl_;
    CURLM* multi_;
    Sink* sink_;
    Options options_;
    CURL* easy_;
    curl_slist* headers_ = nullptr;
    std::optional<http::Url> url_;
    const OriginPolicy* policy_ = nullptr;
    std::optional<Error> refused_;  // the policy's, while it connects
    bool running_ = false;
    bool paused_ = false;
    std::string said_;  // libcurl's own words
};

}  // namespace routerd::transfer
