#pragma once

#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/row_set.hpp"

namespace datachange {

/// Whether one of the names is the column's, in its result or in its table, or the column's is was_<name>;
/// regardless of case.
bool is_redacted(const Column& column, const std::vector<std::string>& names);

/// Puts digests in the place of values: HMAC-SHA-256 of `<kind>:<exact bytes>`, such as
/// `text:ann@example.com` or `integer:42`, so that equal values have equal digests under one key. NULL stays
/// NULL.
class Redactor {
public:
    static constexpr std::size_t shortest_key = 16;  ///< bytes

    explicit Redactor(std::string key) : m_hmac(std::move(key)) {}

    /// The rows with digests in the redacted columns.
    RowSet redacted(RowSet&& rows, const std::vector<std::string>& names) const;
    Value digest(ValueView value) const;
    /// Tells keys from each other, and nothing else of them: 16 hexadecimal digits.
    std::string fingerprint() const;

private:
    HmacSha256 m_hmac;
};

}  // namespace datachange
