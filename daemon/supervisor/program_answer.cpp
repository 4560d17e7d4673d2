#include "daemon/supervisor/program_answer.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/net/net.hpp"
#include "daemon/process/child.hpp"
#include "daemon/process/environment.hpp"

namespace routerd {
namespace {

constexpr std::size_t answer_room = 64U << 10U;

/// A file in memory that cannot grow: what is written past its end is lost to the program.
Result<UniqueFd> make_sheet() {
    UniqueFd sheet(::memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!sheet || ::ftruncate(sheet.get(), answer_room) != 0 ||
        ::fcntl(sheet.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) {
        return errno_error("make a file in memory", errno);
    }
    return sheet;
}

std::string read_sheet(const UniqueFd& sheet) {
    std::string text(answer_room, '\0');
    const auto size = ::pread(sheet.get(), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    text.resize(::strnlen(text.data(), text.size()));
    return text;
}

}  // namespace

boost::asio::awaitable<Result<std::string>> answer_of(std::vector<std::string> argv,
                                                      Duration limit) {
    using namespace asio::experimental::awaitable_operators;
    const auto attempt = "ask '" + escaped(join(argv, " ")) + "'";
    const auto sheet = make_sheet();
    if (!sheet) {
        co_return sheet.error().within(attempt);
    }
    Child::Program program;
    program.argv = std::move(argv);
    program.environment = server_environment({});
    program.log_fd = sheet->get();
    auto child = Child::spawn(program);
    if (!child) {
        co_return child.error().within(attempt);
    }
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_after(limit);
    const auto first = co_await (child->wait() || timer.async_wait(no_throw));
    if (first.index() != 0) {
        co_return Error(Errc::deadline_exceeded,
                        attempt + ": not done after " + format_duration(limit));
    }
    const auto& status = std::get<0>(first);
    if (!status) {
        co_return status.error().within(attempt);
    }
    if (!status->success()) {
        co_return Error(Errc::load_failed, attempt + ": " + to_string(*status));
    }
    co_return read_sheet(*sheet);
}

}  // namespace routerd
