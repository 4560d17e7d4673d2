#include "cmd/routerctl/cli.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cmd/routerctl/invocation.hpp"

namespace routerd::ctl {
namespace {

/// CLI11 2.4 (Debian 13) throws where 2.1 takes any name.
void expect_words(const CLI::App& command) {
    for (const auto* option : command.get_options()) {
        if (option->get_positional()) {
            EXPECT_THAT(option->get_name(true), testing::MatchesRegex("[A-Z_]+"))
                << command.get_name();
        }
    }
    for (const auto* part : command.get_subcommands(nullptr)) {
        expect_words(*part);
    }
}

TEST(Cli, NamesOfArgumentsAreWords) {
    Invocation invocation;
    expect_words(*make_cli(invocation));
}

}  // namespace
}  // namespace routerd::ctl
