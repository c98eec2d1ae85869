#include <fmt/format.h>

#include "record/ledger/merge_run.hpp"

namespace datachange {

namespace {

// What the columns of a small table say that two rows are the same one.
struct Notes {
    const char *table, *same;
    bool replaced;  ///< by what the ledger has that knows more of the run
};

constexpr Notes notes[] = {
    {"steps", "step", false},
    {"summaries", "step, moment", true},
    {"failures", "step, coalesce(identifier, batch || at || message)", true},
    {"conflicts", "step, coalesce(batch, ''), identifier, column_name", true},
    {"elsewhere", "step, batch", false},
    {"events", "at, kind, detail", false},
    {"approvals", "version, signer, detail, at", false},
};

std::string row_order(const std::string& table) {
    if (table == "events") return " ORDER BY event_id";
    return table == "failures" || table == "conflicts" ? " ORDER BY rowid" : "";
}

/// The rows of a run as one text each.
std::vector<std::string> keys(Ledger& ledger, const Notes& notes_of, std::int64_t run) {
    SQLite::Statement& query =
        ledger.bound(fmt::format("SELECT json_array({}) FROM {} WHERE run_id = ?{}", notes_of.same,
                                 notes_of.table, row_order(notes_of.table)),
                     run);
    std::vector<std::string> found;
    while (query.executeStep()) found.push_back(query.getColumn(0).getString());
    query.reset();
    return found;
}

bool is_there(Ledger& ledger, const Notes& notes_of, std::int64_t run, const std::string& key) {
    SQLite::Statement& query =
        ledger.bound(fmt::format("SELECT 1 FROM {} WHERE run_id = ? AND json_array({}) = ?", notes_of.table,
                                 notes_of.same),
                     run, key);
    const bool there = query.executeStep();
    query.reset();
    return there;
}

}  // namespace

void RunMerge::bring_notes(const Run& here, const Run& there, bool further) {
    for (const Notes& one : notes) {
        const std::string match = fmt::format("run_id = ? AND json_array({}) = ?", one.same);
        for (const std::string& key : keys(m_other, one, there.run)) {
            // the state before the change is the one that the first of them saw
            const bool first_seen =
                std::string_view{one.table} == "summaries" && key.ends_with(",\"before\"]");
            const bool replace = further && one.replaced && !first_seen;
            if (replace)
                m_here.execute(fmt::format("DELETE FROM {} WHERE {}", one.table, match), here.run, key);
            if (is_there(m_here, one, here.run, key)) continue;
            m_copy.copy(one.table, {{"run_id", here.run}}, match, there.run, key);
        }
    }
    for (const char* columns : {"before", "returned", "after"}) {
        SQLite::Statement& steps = m_other.bound(
            fmt::format(
                "SELECT {0}_columns, {0}_types, step FROM steps WHERE run_id = ? AND {0}_columns IS NOT NULL",
                columns),
            there.run);
        while (steps.executeStep()) {
            m_here.execute(
                fmt::format("UPDATE steps SET {0}_columns = ?, {0}_types = ? WHERE run_id = ? AND step = ?"
                            " AND {0}_columns IS NULL",
                            columns),
                steps.getColumn(0).getString(), steps.getColumn(1).getString(), here.run,
                steps.getColumn(2).getInt64());
        }
        steps.reset();
    }
}

/// Files are of what one ledger had: where it had only a part of the run, they are not those of the whole.
void RunMerge::bring_files(const Run& here, const Run& there, bool further) {
    m_here.execute("DELETE FROM files WHERE run_id = ?", here.run);
    if (further && m_theirs.elsewhere.empty())
        m_copy.copy("files", {{"run_id", here.run}}, "run_id = ?", there.run);
}

}  // namespace datachange
