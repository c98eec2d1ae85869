#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "capture/set_reader.hpp"
#include "capture/undo.hpp"
#include "plan/plan.hpp"
#include "target/target.hpp"

namespace datachange {

/// A step whose every statement has been checked against the target.
struct ReadyStep {
    const StepPlan* plan = nullptr;
    CaptureSpec capture;           ///< not for a step that only verifies
    KeySource source;              ///< what is counted, and what ranges run over
    std::string no_unique_key;     ///< why ranges over pre cannot be trusted here, or ""
    std::optional<UndoSpec> undo;  ///< the step puts rows back; then there is no source
    std::uint64_t undo_rows = 0;   ///< how many
    bool by_hand = false;  ///< the step is a section `undo`, and its set are `undo_rows` rows of the ledger

    /// Its set is what the ledger has of another run.
    bool takes_back() const { return undo.has_value() || by_hand; }
    /// The columns of a spooled set that name its rows.
    std::vector<std::size_t> slice_key(const RowSet& slice) const;
    /// What a row of a spooled set is called by people.
    std::string slice_identifier(const RowSet& slice, std::size_t row) const;
    /// The keys that the rows of a spooled set have, or had last; of a step by hand.
    std::vector<Key> keys_taken_back(const RowSet& slice) const;
};

/// What the checks found.
struct Preflight {
    std::vector<ReadyStep> steps;
    std::string skip_reason;  ///< `on-missing: skip` applies: what is not there; else ""
};

/// Checks everything that can be checked before anything is changed: required columns, tables, that every
/// statement prepares, that pre, RETURNING and post give the identifier; derives post. Opens and ends a
/// read-only transaction.
///
/// @throws Error (usage) with "path:line:column" of the statement, DatabaseError likewise.
Preflight check_plan(Target& target, const Plan& plan);
/// Checks one step, in the open transaction.
ReadyStep check_step(Target& target, const Plan& plan, const StepPlan& step);

}  // namespace datachange
