#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/row_set.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What happened to one row.
enum class Action : std::uint8_t { updated, inserted, deleted, unchanged, missing, unexpected };

/// "updated", "inserted", ...
const char* action_name(Action action) noexcept;

/// One audited row: where its images stand in the captured sets. npos: there is none.
struct AuditedRow {
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    /// A row of RETURNING: which statement of `change` (from 0), which of its rows.
    struct Returned {
        std::size_t statement;
        std::size_t row;
    };

    std::string identifier;  ///< key_text of the key it has in pre, else of the one RETURNING gave
    std::string
        new_identifier;  ///< key_text after the change, only where the change altered the key; else ""
    Action action = Action::unchanged;
    std::size_t pre = npos;
    std::size_t post = npos;
    std::vector<Returned> returned;  ///< in the order of the statements; usually one
};

/// Everything one batch of one step gave. Rows are in key order; so are the sets.
struct BatchCapture {
    RowSet pre;
    std::vector<RowSet> returned;  ///< one a statement of change that has RETURNING
    RowSet post;
    std::vector<AuditedRow> rows;
    RowCounts counts;
};

}  // namespace datachange
