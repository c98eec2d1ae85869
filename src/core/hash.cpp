#include "core/hash.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "core/value.hpp"

namespace datachange {

namespace {

void require(int success) {
    if (success != 1) throw std::runtime_error("the cryptography library failed");
}

}  // namespace

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() = default;
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

Sha256::Sha256() : m_state(std::make_unique<State>()) {
    require(EVP_DigestInit_ex(m_state->context, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    require(EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size()));
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    require(EVP_DigestFinal_ex(m_state->context, digest.data(), &size));
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

struct HmacSha256::State {
    explicit State(std::string key_) : key(std::move(key_)) {
        EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
        context = EVP_MAC_CTX_new(hmac);
        EVP_MAC_free(hmac);  // the context has its own hold on it
        require(context != nullptr ? 1 : 0);
        char digest[] = "SHA256";
        const std::array<OSSL_PARAM, 2> parameters{
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
        require(EVP_MAC_CTX_set_params(context, parameters.data()));
    }
    ~State() { EVP_MAC_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::string key;
    EVP_MAC_CTX* context = nullptr;
};

HmacSha256::HmacSha256(std::string key) : m_state(std::make_unique<State>(std::move(key))) {
}
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

std::string HmacSha256::of(std::initializer_list<std::string_view> parts) const {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<const unsigned char*>(text.data());
    };
    require(EVP_MAC_init(m_state->context, bytes(m_state->key), m_state->key.size(), nullptr));
    for (const std::string_view part : parts)
        require(EVP_MAC_update(m_state->context, bytes(part), part.size()));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    std::size_t size = 0;
    require(EVP_MAC_final(m_state->context, digest.data(), &size, digest.size()));
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string new_uuid() {
    std::array<unsigned char, 16> bytes{};
    require(RAND_bytes(bytes.data(), bytes.size()));
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);  // RFC 9562: version 4
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);  // and variant
    const std::string hex = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) +
           "-" + hex.substr(20);
}

}  // namespace datachange
