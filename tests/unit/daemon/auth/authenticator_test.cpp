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
    EXPECT_EQ(auth.check(request("GET", {{"X-Api-Key", "secret"}}), nullptr, Scheme::http)->key,
              "api_key");
    EXPECT_EQ(
        Authenticator::make(Config{}, true)->check(request("GET", {}), nullptr, Scheme::http)->key,
        "");
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

/// One that is kept: the key is "sk-" and its name.
KeyRow kept(const std::string& name, std::vector<std::string> scopes) {
    KeyRow row;
    row.id = "k-" + name;
    row.name = name;
    row.digest = to_hex(digest_of("sk-" + name));
    row.scopes = std::move(scopes);
    return row;
}

Result<Caller> ask(const Authenticator& auth, const std::string& key, Scope scope,
                   std::string_view method = "POST") {
    Route route;
    route.scope = scope;
    return auth.check(request(method, {{"X-Api-Key", key}}), &route, Scheme::http);
}

TEST(KeptKeysTest, MayDoWhatTheirScopesSay) {
    const auto auth = *Authenticator::make(
        Config{}, true, {kept("i", {"inference"}), kept("r", {"read"}), kept("a", {"admin"})});
    EXPECT_TRUE(auth.has_keys());
    struct Case {
        Scope scope;
        std::string_view method;
        std::string_view allowed;
    };
    for (const auto& [scope, method, allowed] :
         {Case{Scope::open, "GET", "ira"}, Case{Scope::inference, "POST", "i"},
          Case{Scope::inference, "GET", "ir"}, Case{Scope::read, "GET", "ra"},
          Case{Scope::admin, "POST", "a"}, Case{Scope::admin, "GET", "a"}}) {
        for (const char name : std::string("ira")) {
            const auto answer = ask(auth, std::string("sk-") + name, scope, method);
            const bool may = allowed.find(name) != std::string_view::npos;
            EXPECT_EQ(bool(answer), may) << name << ' ' << static_cast<int>(scope) << ' ' << method;
            if (!may) {
                EXPECT_EQ(answer.error().code(), Errc::forbidden);
            }
        }
    }
}

TEST(KeptKeysTest, AreKnownByTheirDigestAlone) {
    const auto row = kept("ci", {"inference"});
    const auto auth = *Authenticator::make(Config{}, true, {row});
    EXPECT_EQ(ask(auth, "sk-ci", Scope::inference)->key, "ci");
    for (const auto& wrong : {std::string("sk-cj"), std::string("sk-"), row.digest, row.id}) {
        EXPECT_EQ(ask(auth, wrong, Scope::inference).error().code(), Errc::invalid_api_key);
    }
}

TEST(KeptKeysTest, StandBesideTheConfiguredOne) {
    Config config;
    config.auth.api_key = "secret";
    const auto auth = *Authenticator::make(config, true, {kept("ci", {"inference"})});
    EXPECT_EQ(ask(auth, "secret", Scope::admin)->key, "api_key");
    EXPECT_EQ(ask(auth, "sk-ci", Scope::inference)->key, "ci");
    EXPECT_FALSE(ask(auth, "sk-ci", Scope::admin));
}

TEST(KeptKeysTest, Expire) {
    auto row = kept("ci", {"inference"});
    row.expires_at = std::chrono::system_clock::now() - std::chrono::seconds(1);
    const auto late = ask(*Authenticator::make(Config{}, true, {row}), "sk-ci", Scope::inference);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), Errc::invalid_api_key);
    EXPECT_NE(late.error().message().find("expired"), std::string::npos);
    row.expires_at = std::chrono::system_clock::now() + std::chrono::hours(1);
    EXPECT_TRUE(ask(*Authenticator::make(Config{}, true, {row}), "sk-ci", Scope::inference));
}

TEST(KeptKeysTest, AreGoodForTheirModels) {
    auto row = kept("ci", {"inference"});
    EXPECT_TRUE(ask(*Authenticator::make(Config{}, true, {row}), "sk-ci", Scope::inference)
                    ->may_use("anything"));
    row.models = {"fox", "box"};
    const auto caller = ask(*Authenticator::make(Config{}, true, {row}), "sk-ci", Scope::inference);
    EXPECT_TRUE(caller->may_use("box"));
    EXPECT_FALSE(caller->may_use("ox"));
}

TEST(KeptKeysTest, OneThatCannotBeReadIsNamed) {
    auto row = kept("ci", {"inference"});
    row.digest.back() = 'x';
    const auto auth = Authenticator::make(Config{}, true, {row});
    ASSERT_FALSE(auth);
    EXPECT_NE(auth.error().message().find("'ci'"), std::string::npos);
}

TEST(KeptKeysTest, WhenTheLastGoesNobodyIsLetInFromOtherMachines) {
    const auto auth = *Authenticator::make(Config{}, false, {kept("ci", {"inference"})});
    EXPECT_TRUE(ask(auth, "sk-ci", Scope::inference));
    const auto none = *auth.with({});
    EXPECT_TRUE(none.needs_key());
    EXPECT_FALSE(none.has_keys());
    EXPECT_EQ(ask(none, "sk-ci", Scope::inference).error().code(), Errc::invalid_api_key);
    EXPECT_FALSE(none.check(request("GET", {}), nullptr, Scheme::http));
    Config insecure;
    insecure.http.insecure_no_auth = true;
    EXPECT_TRUE(
        Authenticator::make(insecure, false)->check(request("GET", {}), nullptr, Scheme::http));
}

}  // namespace
}  // namespace routerd
