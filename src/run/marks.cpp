#include "run/marks.hpp"

#include <map>

#include <fmt/format.h>

#include "core/clock.hpp"
#include "core/hash.hpp"

namespace datachange {

namespace {

std::string newest_run_of(const std::string& version, const std::vector<JournalRun>& runs) {
    std::string newest;
    for (const JournalRun& run : runs) {
        if (run.version == version) newest = run.uuid;
    }
    return newest;
}

std::string table(Target& target) {
    return target.journal_prefix() + "datachange_marks";
}

/// The attempt that applied each schema migration last: what stands for a run of it.
std::map<std::string, std::string> schema_attempts(Target& target) {
    const std::string schema = target.journal_prefix() + "datachange_schema_migrations";
    if (!target.has_table(schema)) return {};
    const RowSet rows = target.query(fmt::format("SELECT version, attempt_uuid FROM {}", schema));
    std::map<std::string, std::string> attempts;
    for (std::size_t i = 0; i < rows.size(); ++i) attempts[rows.text(i, 0)] = rows.text(i, 1);
    return attempts;
}

}  // namespace

std::vector<Mark> Marks::all() const {
    if (!m_target.has_table(table(m_target))) return {};
    const RowSet rows =
        m_target.query(fmt::format("SELECT version, state, reason, origin, marked_by, marked_at, after_run "
                                   "FROM {} ORDER BY marked_at, mark_id",
                                   table(m_target)));
    std::vector<Mark> marks;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        marks.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
                         rows.text(i, 5), rows.text(i, 6)});
    }
    return marks;
}

void Marks::add(const std::vector<Mark>& marks) {
    if (!m_target.has_table(table(m_target))) Fence(m_target).create();
    std::map<std::string, std::string> newest = schema_attempts(m_target);
    for (const JournalRun& run : Fence(m_target).runs()) newest[run.version] = run.uuid;
    const std::string now = utc_now();
    const std::string insert = fmt::format(
        "INSERT INTO {} (mark_id, version, state, reason, origin, after_run, marked_by, marked_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        table(m_target));
    m_target.begin(Isolation::repeatable_read);
    try {
        for (const Mark& mark : marks) {
            m_target.query(
                insert, {Value::text(new_uuid()), Value::text(mark.version), Value::text(mark.state),
                         Value::text(mark.reason), Value::text(mark.origin),
                         Value::text(newest[mark.version]), Value::text(mark.marked_by), Value::text(now)});
        }
    } catch (...) {
        m_target.rollback();
        throw;
    }
    const CommitResult commit = m_target.commit();
    if (commit.outcome == Outcome::committed) return;
    throw DatabaseError(ExitCode::failed, "the marks could not be committed: " + commit.message,
                        commit.sqlstate, "COMMIT",
                        "Look at `datachange status` for what stands there now, then try again.");
}

const Mark* deciding_mark(const std::string& version, const std::vector<JournalRun>& runs,
                          const std::vector<Mark>& marks) {
    const Mark* newest = nullptr;
    for (const Mark& mark : marks) {
        if (mark.version == version) newest = &mark;
    }
    const bool holds = newest != nullptr && newest->after_run == newest_run_of(version, runs);
    return holds ? newest : nullptr;
}

}  // namespace datachange
