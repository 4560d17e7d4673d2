#include "daemon/transfer/request.hpp"

#include <array>

#include <sys/socket.h>
#include <unistd.h>

#include "common/base/text.hpp"

namespace routerd::transfer {
namespace {

constexpr long connect_seconds = 15;
constexpr const char* agent = "routerd/" ROUTERD_VERSION;

/// A certificate that is not good, or an answer that is not HTTP, is no better a minute later.
bool will_pass(CURLcode code) {
    return code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE &&
           code != CURLE_SSL_ISSUER_ERROR && code != CURLE_UNSUPPORTED_PROTOCOL &&
           code != CURLE_WEIRD_SERVER_REPLY;
}

}  // namespace

Request::Request(const CurlLibrary& curl, CURLM* multi, Sink& sink, const Options& options)
    : curl_(&curl),
      multi_(multi),
      sink_(&sink),
      options_(options),
      easy_(curl.easy_init()),
      said_(CURL_ERROR_SIZE, '\0') {
    if (easy_ != nullptr) {
        set_up();
    }
}

Request::~Request() {
    end();
    if (easy_ != nullptr) {
        curl_->easy_cleanup(easy_);
    }
}

void Request::set_up() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTP09_ALLOWED, 0L);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_USERAGENT, agent);
    set(CURLOPT_PROXY, options_.proxy.c_str());
    set(CURLOPT_ERRORBUFFER, said_.data());
    set(CURLOPT_HEADERFUNCTION, &Request::take_line);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Request::take_data);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_OPENSOCKETFUNCTION, &Request::open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    if (options_.buffer != 0) {
        set(CURLOPT_BUFFERSIZE, static_cast<long>(options_.buffer));
    }
}

std::optional<Error> Request::start(const http::Url& url, const std::vector<std::string>& headers,
                                    const OriginPolicy& policy) {
    end();
    curl_->slist_free_all(headers_);
    headers_ = nullptr;
    for (const auto& header : headers) {
        headers_ = curl_->slist_append(headers_, header.c_str());
    }
    url_ = url;
    policy_ = &policy;
    refused_.reset();
    said_.front() = '\0';
    if (easy_ == nullptr) {
        return Error(Errc::unavailable, "begin a transfer: out of memory");
    }
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_URL, url.text().c_str());
    const auto added = curl_->multi_add_handle(multi_, easy_);
    if (added != CURLM_OK) {
        return Error(Errc::unavailable, "begin a transfer: error " + std::to_string(added));
    }
    running_ = true;
    paused_ = false;
    return std::nullopt;
}

void Request::end() {
    if (running_) {
        curl_->multi_remove_handle(multi_, easy_);
    }
    running_ = false;
    paused_ = false;
    curl_->slist_free_all(headers_);
    headers_ = nullptr;
    if (easy_ != nullptr) {
        set(CURLOPT_HTTPHEADER, headers_);
    }
}

void Request::resume() {
    if (paused_) {
        paused_ = false;
        curl_->easy_pause(easy_, CURLPAUSE_CONT);
    }
}

std::size_t Request::take_line(char* text, std::size_t size, std::size_t count, void* request) {
    auto& self = *static_cast<Request*>(request);
    const bool goes_on = self.sink_->on_line(std::string_view(text, size * count));
    return goes_on ? size * count : 0;
}

std::size_t Request::take_data(char* text, std::size_t size, std::size_t count, void* request) {
    auto& self = *static_cast<Request*>(request);
    switch (self.sink_->on_data(std::span<const char>(text, size * count))) {
        case Sink::Taken::all:
            return size * count;
        case Sink::Taken::later:
            self.paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        case Sink::Taken::refused:
            break;
    }
    return size * count == 0 ? 1 : 0;  // anything else than the size is an error to libcurl
}

curl_socket_t Request::open_socket(void* request, curlsocktype /*purpose*/,
                                   curl_sockaddr* address) {
    auto& self = *static_cast<Request*>(request);
    if (self.options_.proxy.empty()) {
        const auto allowed = self.policy_->check_address(address->addr, *self.url_);
        if (!allowed) {
            self.refused_ = allowed.error();
            return CURL_SOCKET_BAD;
        }
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Error Request::failure(CURLcode code) const {
    if (refused_) {
        return *refused_;
    }
    const std::string detail = said_.front() == '\0' ? curl_->easy_strerror(code) : said_.c_str();
    const auto message =
        "fetch from '" + escaped(url_ ? url_->origin.host : "") + "': " + escaped(detail);
    const Error error(will_pass(code) ? Errc::unavailable : Errc::upstream_error, message);
    const bool is_out_of_reach =
        code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    return is_out_of_reach
               ? error.with_hint(
                     "see whether this machine can reach it; the unit of a service must "
                     "allow it, too (its drop-in network.conf)")
               : error;
}

}  // namespace routerd::transfer
