#include <algorithm>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "core/batch_path.hpp"
#include "record/ledger/leaf.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/verify_parts.hpp"

namespace datachange {

namespace {

std::vector<LeafBatch> batches_of(Ledger& ledger, const VerifiedRun& run) {
    SQLite::Statement& query = ledger.bound(
        fmt::format(
            "SELECT b.id, b.step, b.batch, b.state, b.rows, {}, b.leaf, b.leaf_format,"
            " coalesce(s.evidence, '') <> 'counts', b.lower_key, b.upper_key, b.first_change,"
            " b.last_change FROM batch AS b LEFT JOIN steps AS s USING (run_id, step) WHERE run_id = ?",
            count_columns),
        run.run);
    const auto text = [&](int place) {
        return query.isColumnNull(place) ? std::nullopt : std::optional{query.getColumn(place).getString()};
    };
    const auto number = [&](int place) {
        return query.isColumnNull(place) ? std::nullopt : std::optional{query.getColumn(place).getInt64()};
    };
    std::vector<LeafBatch> batches;
    while (query.executeStep()) {
        Cursor row{query};
        LeafBatch batch;
        batch.run = run.run;
        batch.run_uuid = run.uuid;
        batch.id = row.number();
        batch.step = row.small();
        batch.batch = row.text();
        batch.state = row.text();
        batch.rows = row.count();
        batch.counts = row.counts();
        batch.leaf = row.text();
        batch.format = row.small();
        batch.has_rows = row.small() != 0;
        const int next = query.getColumnCount() - 4;
        batch.lower_key = text(next);
        batch.upper_key = text(next + 1);
        batch.first_change = number(next + 2);
        batch.last_change = number(next + 3);
        batches.push_back(std::move(batch));
    }
    query.reset();
    std::sort(batches.begin(), batches.end(), [](const LeafBatch& a, const LeafBatch& b) {
        return a.step != b.step ? a.step < b.step : batch_path_less(a.batch, b.batch);
    });
    return batches;
}

/// Rows by outcome against what the batch says, where they cannot be those that were recorded.
std::string counts_note(Ledger& ledger, const LeafBatch& batch) {
    SQLite::Statement& query = ledger.bound(
        "SELECT count(*), coalesce(sum(action = 0), 0), coalesce(sum(action = 1), 0),"
        " coalesce(sum(action = 2), 0) FROM change WHERE batch_id = ?1 AND id BETWEEN ?2 AND ?3",
        batch.id, batch.first_change.value_or(0), batch.last_change.value_or(-1));
    query.executeStep();
    Cursor row{query};
    const std::uint64_t rows = row.count(), updated = row.count(), inserted = row.count(),
                        deleted = row.count();
    query.reset();
    const RowCounts& counts = batch.counts;
    if (rows == batch.rows && updated == counts.updated && inserted == counts.inserted &&
        deleted == counts.deleted) {
        return "";
    }
    return fmt::format(
        "; there are {} rows ({} updated, {} inserted, {} deleted), and the batch says {} ({}, {}, {})", rows,
        updated, inserted, deleted, batch.rows, counts.updated, counts.inserted, counts.deleted);
}

class Leaves {
public:
    Leaves(Ledger& ledger, const VerifiedRun& run, VerifyReport& report)
        : m_ledger(ledger), m_run(run), m_report(report) {}

    std::uint64_t blocks() const { return m_blocks; }

    void verify(const LeafBatch& batch) {
        ++m_report.batches;
        try {
            look_at(batch);
        } catch (const std::invalid_argument&) {
            wrong(batch, "a block of its rows cannot be read");
        } catch (const Error& error) {
            wrong(batch, error.what());
        }
    }

private:
    void look_at(const LeafBatch& batch) {
        const LeafRecount found = recount_leaf(m_ledger, batch);
        m_blocks += found.blocks;
        m_report.rows += found.rows;
        m_report.bytes += found.bytes;
        if (m_run.pruned) {
            if (found.blocks > 0) wrong(batch, "it has rows, though its run says that they were dropped");
            return;
        }
        if (batch.state == "writing") return;  // of which nothing is committed
        if (batch.state == "rolled_back") {
            if (found.blocks > 0) wrong(batch, "it was rolled back, and has rows");
        } else if (found.leaf != batch.leaf) {
            wrong(batch, "the rows are not those that were recorded" + details(batch));
        } else if (!found.problem.empty()) {
            wrong(batch, "the rows are those that were recorded, but " + found.problem);
        }
    }

    std::string details(const LeafBatch& batch) {
        std::string note;
        try {
            note = counts_note(m_ledger, batch);
        } catch (const SQLite::Exception&) {
            note = "; they cannot be read";  // no JSON
        }
        const auto [row, added] = m_unlike.try_emplace(batch.step);
        if (added) row->second = first_row_unlike_files(m_ledger, batch.run, batch.step);
        if (row->second.batch != batch.batch) return note;
        return note + "; the first that reads otherwise in the CSV files is " + row->second.identifier;
    }

    void wrong(const LeafBatch& batch, const std::string& message) {
        m_report.mismatches.push_back({batch.run, batch.step, batch.batch, "", message});
    }

    Ledger& m_ledger;
    const VerifiedRun& m_run;
    VerifyReport& m_report;
    std::uint64_t m_blocks = 0;
    std::map<int, UnlikeRow> m_unlike;  ///< by step
};

}  // namespace

std::uint64_t verify_leaves(Ledger& ledger, const VerifiedRun& run, const VerifyOptions& options,
                            std::uint64_t all_rows, VerifyReport& report) {
    Leaves leaves(ledger, run, report);
    for (const LeafBatch& batch : batches_of(ledger, run)) {
        leaves.verify(batch);
        if (options.progress) options.progress(report.rows, all_rows);
    }
    return leaves.blocks();
}

}  // namespace datachange
