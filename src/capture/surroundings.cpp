#include "capture/surroundings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/located.hpp"
#include "core/text.hpp"

namespace datachange {

bool truncates(const CaptureSpec& spec) {
    return std::any_of(spec.change.begin(), spec.change.end(),
                       [](const ChangeSpec& statement) { return statement.traits.verb == "TRUNCATE"; });
}

Surroundings::Surroundings(Target& target, const CaptureSpec& spec)
    : m_target(target), m_spec(spec), m_touched_before(target.touched()) {
    if (!m_spec.strict || m_touched_before.trust != TouchedTables::Trust::unavailable) return;
    throw Error(ExitCode::failed, "--strict needs a witness, and there is none: " + m_touched_before.reason,
                "Have track_counts switched on, or run without --strict. Nothing was changed.");
}

void Surroundings::read_watches(RowSet BatchCapture::*moment, const Scope& scope) {
    m_watches.resize(m_spec.watches.size());
    for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
        const WatchSpec& watch = m_spec.watches[i];
        const SqlTemplate sql = in_key_order(watch.query, watch.identifier);
        m_watches[i].*moment = located(m_spec.path, sql.at, [&] { return m_target.query(sql, scope); });
    }
}

void Surroundings::compare_watches() {
    for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
        compare(m_watches[i], {m_spec.watches[i].identifier, {}, true, std::nullopt});
    }
}

AccountedRows Surroundings::account() const {
    AccountedRows rows;
    rows.table_id = m_spec.table_id;
    for (const ChangeSpec& statement : m_spec.change) {
        if (statement.returns) rows.statements.push_back(statement.traits);
    }
    rows.reads_outcome_from_post = m_spec.returning_none;
    rows.truncates = truncates(m_spec) && !m_spec.table.empty();
    return rows;
}

void Surroundings::conclude(StepCapture& capture, const TouchedTables& touched, const AccountedRows& rows) {
    compare_watches();
    capture.witness = touched.trust;
    capture.witness_reason = touched.reason;
    std::vector<AccountedRows> accounted{rows};
    for (std::size_t i = 0; i < m_spec.watches.size(); ++i) {
        AccountedRows& watched = accounted.emplace_back();
        watched.table_id = m_spec.watches[i].table_id;
        watched.reads_outcome_from_post = true;
        watched.add(m_watches[i]);
    }
    capture.collateral = collateral(touched, accounted);
    refuse_unreturned(capture);
    refuse_collateral(capture);
    capture.watches = std::move(m_watches);
}

void Surroundings::refuse_unreturned(const StepCapture& capture) const {
    if (!m_spec.returning_none) return;
    if (capture.witness == TouchedTables::Trust::unavailable) {
        throw Error(ExitCode::failed,
                    "`returning: none` needs a witness, and there is none: " + capture.witness_reason,
                    "Give the statements RETURNING, or have the witness switched on. Nothing was kept of "
                    "this batch.");
    }
    if (capture.collateral.empty()) return;
    throw Error(ExitCode::failed,
                "`returning: none`, but rows were changed that pre did not give: " +
                    collateral_text(capture.collateral),
                "Only rows of pre can be audited without RETURNING: widen pre, or watch the other tables "
                "(`-- audit:watch TABLE`). The batch was rolled back.");
}

void Surroundings::refuse_collateral(const StepCapture& capture) const {
    if (!m_spec.strict) return;
    std::vector<Collateral> surprising = capture.collateral;
    std::erase_if(surprising, [&](const Collateral& table) {
        const auto& expected = m_spec.expected_collateral;
        return std::find(expected.begin(), expected.end(), table.table) != expected.end();
    });
    if (surprising.empty()) return;
    throw Error(
        ExitCode::failed,
        "--strict, and rows were changed beside the audited ones: " + collateral_text(surprising),
        fmt::format("Triggers or cascades did it{}. Name the tables in the header (`-- collateral: NAME`) "
                    "or watch them (`-- audit:watch NAME`). The batch was rolled back.",
                    capture.witness == TouchedTables::Trust::complete
                        ? ""
                        : ", unless the witness overcounts: " + capture.witness_reason))
        .at(m_spec.path);
}

}  // namespace datachange
