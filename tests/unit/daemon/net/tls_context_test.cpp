#include "daemon/net/tls_context.hpp"

#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/certificate.hpp"

namespace routerd {
namespace {

class TlsContextTest : public testing::Test {
  protected:
    /// What is wrong with the pair, or nothing.
    static std::string problem(const std::string& certificate, const std::string& key) {
        const auto loaded = TlsContext::load(certificate, key);
        return loaded ? "" : loaded.error().message();
    }

    test::TempDir folder_;
    test::CertificateFiles one_ = test::make_certificate(folder_, "one");
    test::CertificateFiles two_ = test::make_certificate(folder_, "two");
};

TEST_F(TlsContextTest, TakesACertificateWithItsKey) {
    EXPECT_EQ(problem(one_.certificate, one_.key), "");
}

TEST_F(TlsContextTest, TakesAChain) {
    const auto chain = folder_.write(
        "chain.pem", test::read_file(one_.certificate) + test::read_file(two_.certificate));
    EXPECT_EQ(problem(chain, one_.key), "");
}

TEST_F(TlsContextTest, AClientTrustsWhomItIsTold) {
    const auto both = folder_.write(
        "both.pem", test::read_file(one_.certificate) + test::read_file(two_.certificate));
    for (const auto& path : {std::string(), one_.certificate, both}) {
        EXPECT_TRUE(TlsClientContext::make(path)) << path;
    }
}

TEST_F(TlsContextTest, AClientSaysWhatIsNoUse) {
    const auto broken = folder_.write("broken.pem", test::read_file(one_.certificate) +
                                                        "-----BEGIN CERTIFICATE-----\nx\n"
                                                        "-----END CERTIFICATE-----\n");
    for (const auto& path : {folder_.write("empty", ""), one_.key, broken, folder_ / "missing"}) {
        const auto made = TlsClientContext::make(path);
        ASSERT_FALSE(made) << path;
        EXPECT_EQ(made.error().message().find("use the certificates '" + path + "': "), 0U)
            << made.error().message();
    }
}

TEST_F(TlsContextTest, RefusesAnotherOnesKey) {
    EXPECT_EQ(problem(one_.certificate, two_.key),
              "use the TLS key '" + two_.key + "': it is not the key of the certificate");
}

TEST_F(TlsContextTest, RefusesAKeyThatOthersCanRead) {
    ASSERT_EQ(::chmod(one_.key.c_str(), 0640), 0);
    EXPECT_EQ(problem(one_.certificate, one_.key),
              "use the TLS key '" + one_.key + "': others than its owner can read it");
}

TEST_F(TlsContextTest, SaysWhatIsNoUse) {
    const auto garbage = folder_.write("garbage", "nonsense\n");
    ::chmod(garbage.c_str(), 0600);
    const auto missing = folder_ / "missing";
    EXPECT_NE(problem(garbage, one_.key).find("there is no certificate in it"), std::string::npos);
    EXPECT_NE(problem(one_.certificate, garbage).find("there is no key in it"), std::string::npos);
    EXPECT_NE(problem(missing, one_.key).find("No such file"), std::string::npos);
    EXPECT_NE(problem(one_.certificate, missing).find("No such file"), std::string::npos);
    EXPECT_NE(problem(folder_.path(), one_.key).find("not a regular file"), std::string::npos);
}

TEST_F(TlsContextTest, RefusesAChainThatBreaksOff) {
    const auto whole = test::read_file(one_.certificate);
    const auto cut = folder_.write("cut.pem", whole + whole.substr(0, whole.size() / 2));
    EXPECT_NE(problem(cut, one_.key).find("a certificate behind the first"), std::string::npos);
}

TEST_F(TlsContextTest, DoesNotAskForAPassword) {
    std::FILE* from = std::fopen(one_.key.c_str(), "r");
    EVP_PKEY* key = PEM_read_PrivateKey(from, nullptr, nullptr, nullptr);
    std::fclose(from);
    std::FILE* to = std::fopen(one_.key.c_str(), "w");
    std::string password = "secret";
    PEM_write_PrivateKey(to, key, EVP_aes_256_cbc(),
                         reinterpret_cast<const unsigned char*>(password.data()), 6, nullptr,
                         nullptr);
    std::fclose(to);
    EVP_PKEY_free(key);
    EXPECT_NE(problem(one_.certificate, one_.key).find("there is no key in it"), std::string::npos);
}

}  // namespace
}  // namespace routerd
