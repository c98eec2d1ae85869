#pragma once

#include <optional>
#include <string>
#include <vector>

#include "capture/batch_capture.hpp"
#include "capture/compare.hpp"
#include "target/target.hpp"

namespace datachange {

/// What was touched between two readings of the witness in one transaction.
TouchedTables difference(const TouchedTables& before, const TouchedTables& after);

/// Rows of one table that the audit accounts for, counted.
struct AccountedRows {
    std::string table_id;
    std::vector<StatementTraits> statements;  ///< that return rows
    bool reads_outcome_from_post = false;
    bool truncates = false;  ///< a TRUNCATE of this table is accounted for: every row of it was in pre

    RowCounts counts;
    std::vector<std::uint64_t> returned;  ///< rows, by statement
    std::uint64_t inserted_over = 0;      ///< rows of pre that were first returned by an INSERT or REPLACE

    /// Counts the compared rows of a batch, or of a piece of one, in.
    void add(const BatchCapture& rows);
};

/// What was touched beyond the accounted rows, by table: triggers, cascades, rules, statements without
/// RETURNING. A row that was rewritten by several statements is accounted for as often as it was returned.
std::vector<Collateral> collateral(const TouchedTables& touched, const std::vector<AccountedRows>& accounted);

/// "events: 4 deleted; media: 1 updated" for messages.
std::string collateral_text(const std::vector<Collateral>& tables);

}  // namespace datachange
