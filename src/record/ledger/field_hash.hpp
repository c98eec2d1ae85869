#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/hash.hpp"

namespace datachange {

/// SHA-256 over a sequence of fields that cannot be mistaken for another sequence: each as a netstring,
/// "<length>:<bytes>,", NULL as "-,", a number as its decimal digits.
class FieldHash {
public:
    void text(std::string_view bytes);
    void number(std::int64_t value);
    void null();
    /// The digest as 64 hexadecimal digits.
    std::string finish();

private:
    void spill_if_large();

    Sha256 m_hash;
    std::string m_buffer;  ///< fields are short, and feeding the hash has a price of its own
};

}  // namespace datachange
