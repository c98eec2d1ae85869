#pragma once

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

/// A random UUID, version 4.
std::string new_uuid();

}  // namespace datachange
