#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "daemon/net/net.hpp"

namespace routerd {

/// What an exception says; nullopt for none.
inline std::optional<std::string> words_of(const std::exception_ptr& thrown) {
    if (!thrown) {
        return std::nullopt;
    }
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is no exception";
    }
}

/// Runs a coroutine on another loop and resumes the caller on its own with what it gave; what it
/// threw becomes a std::runtime_error with its words.
/// Whatever `work` refers to belongs to that other loop; it runs to its end even when the caller is
/// cancelled meanwhile. The caller's io_context must outlive the other loop's thread, which may be
/// on its way out of the resumption still.
template <class T>
asio::awaitable<T> await_on(asio::any_io_executor there, std::function<asio::awaitable<T>()> work) {
    const auto home = co_await asio::this_coro::executor;
    std::optional<T> result;            // in this frame, which waits for it
    std::optional<std::string> thrown;  // words: an exception belongs to the thread it came up in
    auto initiate = [&result, &thrown, &there, &work, home](auto handler) {
        auto done = [&result, &thrown, home, handler = std::move(handler)](std::exception_ptr error,
                                                                           T value) mutable {
            thrown = words_of(error);
            result.emplace(std::move(value));
            asio::post(home, std::move(handler));
        };
        // Begun over there, where no other thread can cancel it.
        auto begin = [there, &work, done = std::move(done)]() mutable {
            asio::co_spawn(there, work(), std::move(done));
        };
        asio::post(there, std::move(begin));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate,
                                                                         asio::use_awaitable);
    if (thrown) {
        throw std::runtime_error(*thrown);
    }
    co_return std::move(*result);
}

}  // namespace routerd
