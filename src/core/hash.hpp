#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace datachange {

/// SHA-256 fed piece by piece.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);
    /// The digest as 64 lower-case hexadecimal digits. Nothing may be fed afterwards.
    std::string finish();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

std::string sha256(std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104) of many messages under one key.
class HmacSha256 {
public:
    explicit HmacSha256(std::string key);
    ~HmacSha256();
    HmacSha256(HmacSha256&&) noexcept;
    HmacSha256& operator=(HmacSha256&&) noexcept;

    /// Of the parts behind each other, as 64 lower-case hexadecimal digits.
    std::string of(std::initializer_list<std::string_view> parts) const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// A random UUID, version 4.
std::string new_uuid();

}  // namespace datachange
