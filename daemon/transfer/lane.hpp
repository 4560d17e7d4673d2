#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/transfer/block.hpp"
#include "daemon/transfer/extents.hpp"
#include "daemon/transfer/request.hpp"
#include "daemon/transfer/response.hpp"

namespace routerd::transfer {

/// One connection's share in a download: what it asks for now and how far it is. What it means is
/// the download's to say.
struct Lane : public Request::Sink {
    class Owner {
      public:
        Owner() = default;
        Owner(const Owner&) = delete;
        Owner& operator=(const Owner&) = delete;
        virtual ~Owner() = default;
        virtual void on_head(Lane& lane) = 0;
        virtual Request::Sink::Taken on_body(Lane& lane, std::span<const char> data) = 0;
    };

    Lane(Owner& whose, const CurlLibrary& curl, CURLM* multi, const Request::Options& options)
        : owner(whose), request(curl, multi, *this, options) {}

    bool on_line(std::string_view line) override {
        constexpr std::size_t longest_head = std::size_t{64} << 10U;
        constexpr unsigned first_final = 200;  // before it come the interim ones
        take_line(head, line);
        if (head.bytes > longest_head) {
            error = Error(Errc::upstream_error, "the origin sends an endless head");
            return false;
        }
        if ((line == "\r\n" || line == "\n") && head.status >= first_final) {
            owner.on_head(*this);
        }
        return true;
    }

    Taken on_data(std::span<const char> data) override { return owner.on_body(*this, data); }

    /// Bytes of `range` that have not come.
    Range rest() const noexcept { return {position, range.end}; }

    Owner& owner;
    Request request;
    std::optional<http::Url> url;
    bool whole = false;          ///< asks for all of the file
    unsigned hops = 0;           ///< redirects that led to `url`
    Range range;                 ///< what it is to bring; the end is the largest number: not known
    std::uint64_t position = 0;  ///< in the file, of the next byte
    ResponseHead head;
    std::optional<Judgement> judgement;  ///< of the head; nullopt: none came
    bool takes = false;                  ///< the body is the file's
    std::size_t wasted = 0;              ///< bytes of a body that is not
    BlockPtr block;                      ///< being filled
    TimePoint last_byte;
    std::optional<Error> error;  ///< why we broke it off
};

}  // namespace routerd::transfer
