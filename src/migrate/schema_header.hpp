#pragma once

#include <optional>
#include <string_view>

namespace datachange {

/// A comment `key: value` of a schema migration that means something to us, or looks as if it was meant to.
struct SchemaComment {
    enum class Kind {
        transaction,  ///< `transaction: yes` or `no`
        wrong_value,  ///< `transaction: maybe`
        near,         ///< `transactional: no`
        audit,        ///< `audit:pre` and the like: this is a definition
        down_part,    ///< another tool's mark of statements that take the migration back
    };
    Kind kind = Kind::transaction;
    std::string_view key, value;  ///< trimmed, as written

    bool says_no() const { return kind == Kind::transaction && value == "no"; }
};

/// @param comment a line comment with its dashes. Nothing: free text.
std::optional<SchemaComment> read_schema_comment(std::string_view comment);

}  // namespace datachange
