#pragma once

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace routerd::test {

/// Paths of a certificate that signed itself, and of its key.
struct CertificateFiles {
    std::string certificate;
    std::string key;
};

/// Makes a new pair in `folder`, as `name`.pem and `name`.key.
inline CertificateFiles make_certificate(const TempDir& folder, const std::string& name) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    constexpr long a_day = 24L * 3600;
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -a_day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), a_day);
    X509_set_pubkey(made.get(), key.get());
    auto* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_sign(made.get(), key.get(), EVP_sha256());
    CertificateFiles files{folder / (name + ".pem"), folder / (name + ".key")};
    std::FILE* to = std::fopen(files.certificate.c_str(), "w");
    PEM_write_X509(to, made.get());
    std::fclose(to);
    to = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(to);
    if (::chmod(files.key.c_str(), 0600) != 0) {
        throw std::runtime_error("chmod " + files.key);
    }
    return files;
}

}  // namespace routerd::test
