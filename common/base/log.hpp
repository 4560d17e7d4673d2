#pragma once

#include <spdlog/spdlog.h>

// What formats a message is one function and all that it calls, for every type there is: made in
// log.cpp for all, else in each source that logs, two seconds of its compilation.
#if FMT_VERSION < 110000
extern template void fmt::detail::vformat_to<char>(fmt::detail::buffer<char>&, fmt::string_view,
                                                   fmt::format_args, fmt::detail::locale_ref);
#endif
