#include "daemon/auth/authenticator.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace routerd {
namespace {

/// A request with these fields beside Host.
http::RequestHead request(std::string_view method, std::vector<http::Field> fields,
                          std::string_view host = "localhost") {
    http::RequestHead head;
    head.method = method;
    head.host = host;
    head.fields = std::move(fields);
    return head;
}

Authenticator with_key(const std::string& key) {
    Config config;
    config.auth.api_key = key;
    return *Authenticator::make(config, true);
}

TEST(AuthenticatorTest, LetsEverybodyInWithoutAKeyOnLoopback) {
    const auto open = *Authenticator::make(Config{}, true);
    EXPECT_TRUE(open.check(request("POST", {}), nullptr, Scheme::http));
}

TEST(AuthenticatorTest, TakesTheKeyFromEitherHeader) {
    const auto auth = with_key("secret");
    EXPECT_TRUE(
        auth.check(request("GET", {{"Authorization", "Bearer secret"}}), nullptr, Scheme::http));
    EXPECT_TRUE(
        auth.check(request("GET", {{"authorization", "bearer  secret"}}), nullptr, Scheme::http));
    EXPECT_TRUE(auth.check(request("GET", {{"X-Api-Key", "secret"}}), nullptr, Scheme::http));
}

TEST(AuthenticatorTest, RefusesWrongAndDoubtfulKeys) {
    const auto auth = with_key("secret");
    const std::vector<std::vector<http::Field>> bad{
        {},
        {{"Authorization", "Bearer secreT"}},
        {{"Authorization", "Bearer secretsecret"}},
        {{"Authorization", "Bearer "}},
        {{"Authorization", "Basic secret"}},
        {{"Authorization", "Bearer secret"}, {"X-Api-Key", "other"}}};
    for (const auto& fields : bad) {
        const auto checked = auth.check(request("GET", fields), nullptr, Scheme::http);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), Errc::invalid_api_key);
    }
}

TEST(AuthenticatorTest, NamesTheKeyWithoutTellingIt) {
    const auto auth = with_key("secret");
    EXPECT_EQ(*auth.check(request("GET", {{"X-Api-Key", "secret"}}), nullptr, Scheme::http),
              "api_key");
    EXPECT_EQ(
        *Authenticator::make(Config{}, true)->check(request("GET", {}), nullptr, Scheme::http), "");
}

TEST(AuthenticatorTest, OpenRoutesNeedNoKey) {
    Route livez;
    livez.scope = Scope::open;
    EXPECT_TRUE(with_key("secret").check(request("GET", {}), &livez, Scheme::http));
}

TEST(AuthenticatorTest, RefusesWhatABrowserWasTrickedInto) {
    const auto open = *Authenticator::make(Config{}, true);
    EXPECT_FALSE(open.check(request("GET", {}, "evil.example"), nullptr, Scheme::http));
    EXPECT_FALSE(
        open.check(request("POST", {{"Origin", "http://evil.example"}}), nullptr, Scheme::http));
    EXPECT_FALSE(
        open.check(request("POST", {{"Sec-Fetch-Site", "cross-site"}}), nullptr, Scheme::http));
    EXPECT_TRUE(
        open.check(request("POST", {{"Origin", "http://localhost"}}), nullptr, Scheme::http));
}

TEST(AuthenticatorTest, AKeyFileMustBeItsOwnersAlone) {
    const auto path =
        std::filesystem::temp_directory_path() / ("routerd-keys-" + std::to_string(::getpid()));
    std::ofstream(path) << "# people\nalpha\n\n  beta \n";
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    Config config;
    config.auth.keys_file = path;
    EXPECT_FALSE(Authenticator::make(config, true));
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    const auto auth = Authenticator::make(config, true);
    ASSERT_TRUE(auth);
    EXPECT_TRUE(auth->check(request("GET", {{"X-Api-Key", "beta"}}), nullptr, Scheme::http));
    EXPECT_FALSE(auth->check(request("GET", {{"X-Api-Key", "# people"}}), nullptr, Scheme::http));
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace routerd
