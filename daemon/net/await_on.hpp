#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "daemon/net/net.hpp"

namespace routerd {

/// Runs a coroutine on another loop and resumes the caller on its own with what it gave, or threw.
/// Whatever `work` refers to belongs to that other loop; it runs to its end even when the caller is
/// cancelled meanwhile.
template <class T>
asio::awaitable<T> await_on(asio::any_io_executor there, std::function<asio::awaitable<T>()> work) {
    const auto home = co_await asio::this_coro::executor;
    std::optional<T> result;  // in this frame, which waits for it
    std::exception_ptr thrown;
    auto initiate = [&result, &thrown, &there, &work, home](auto handler) {
        auto done = [&result, &thrown, home, handler = std::move(handler)](std::exception_ptr error,
                                                                           T value) mutable {
            thrown = std::move(error);
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
        std::rethrow_exception(thrown);
    }
    co_return std::move(*result);
}

}  // namespace routerd
