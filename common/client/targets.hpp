#pragma once

#include <string>
#include <string_view>

namespace routerd::client {

struct EventQuery;
struct LogQuery;
struct RequestsQuery;

/// "/control/v1/noun[/name[/verb]]"; the name is encoded as one segment.
std::string at(std::string_view noun, std::string_view name = {}, std::string_view verb = {});

/// Adds a parameter to the query of `target`.
void add(std::string& target, std::string_view name, std::string_view value);

/// The same, but nothing for an empty value.
void add_text(std::string& target, std::string_view name, std::string_view value);

std::string log_target(const LogQuery& query);
std::string event_target(const EventQuery& query);
std::string requests_target(const RequestsQuery& query);

}  // namespace routerd::client
