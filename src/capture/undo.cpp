#include "capture/undo.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "capture/capturing.hpp"
#include "capture/surroundings.hpp"
#include "capture/undo_images.hpp"
#include "capture/undo_statements.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

std::vector<std::size_t> first_places(std::size_t width) {
    std::vector<std::size_t> places(width);
    for (std::size_t i = 0; i < width; ++i) places[i] = i;
    return places;
}

/// Rows of a table as they are now, found by key.
class LiveRows {
public:
    LiveRows(Target& target, const CaptureSpec& spec, const UndoSpec& undo,
             const std::vector<UndoImage>& images, bool lock) {
        std::vector<std::string> columns, key, types;
        for (const UndoColumn& column : undo.columns) columns.push_back(column.name);
        for (std::size_t i = 0; i < undo.key_width; ++i) {
            key.push_back(undo.columns[i].name);
            types.push_back(undo.columns[i].type);
        }
        std::vector<Key> keys;
        for (const UndoImage& image : images) keys.push_back(image.live_key());
        Scope scope;
        scope.affected = &keys;
        scope.affected_types = types;
        m_rows = target.query(
            rows_by_key(quote_names(columns), spec.table, key, lock ? target.lock_clause() : ""), scope);
        const auto places = first_places(undo.key_width);
        for (std::size_t row = 0; row < m_rows.size(); ++row) {
            const Key found = m_rows.key(row, places);
            if (m_places.emplace(key_fingerprint(found), row).second) continue;
            throw Error(
                ExitCode::failed,
                fmt::format("{} {} names several rows of {}", join(key, ", "), key_text(found), spec.table),
                "Which of them the run changed cannot be told.");
        }
    }

    const RowSet& rows() const { return m_rows; }
    std::optional<std::size_t> find(const Key& key) const {
        const auto found = m_places.find(key_fingerprint(key));
        return found == m_places.end() ? std::nullopt : std::optional{found->second};
    }

private:
    RowSet m_rows;
    std::unordered_map<std::string, std::size_t> m_places;
};

/// Rows of which no two have one key, put back together.
class UndoBatch {
public:
    UndoBatch(Target& target, const CaptureSpec& spec, const UndoSpec& undo, std::vector<UndoImage> images)
        : m_target(target), m_spec(spec), m_undo(undo), m_images(std::move(images)) {}

    StepCapture capture() {
        Surroundings around(m_target, m_spec);
        Capturing batch(m_target, m_spec, {}, around.touched_before());
        const LiveRows live(m_target, m_spec, m_undo, m_images, true);
        choose(live);
        if (m_undo.on_conflict == OnConflict::stop && m_conflicting > 0)
            throw ConflictsFound(m_conflicting, std::move(m_conflicts));
        batch.take_pre(touched_rows(live));
        change(batch);
        m_target.settle();
        batch.query_post();
        batch.read_witness();
        batch.compare_rows();
        StepCapture capture;
        AccountedRows accounted = around.account();
        accounted.add(batch.rows());
        around.conclude(capture, batch.touched(), accounted);
        batch.refuse_unexpected();
        refuse_cascades(capture);
        capture.rows = batch.take_rows();
        capture.missing_example = first_missing(capture.rows);
        capture.conflicts = std::move(m_conflicts);
        capture.conflicting_rows = m_conflicting;
        look_at_outcome(capture);
        return capture;
    }

private:
    void choose(const LiveRows& live) {
        m_wanted_live.assign(live.rows().size(), false);
        for (const UndoImage& image : m_images) {
            const auto at = live.find(image.live_key());
            const bool as_left = image.is_as_left(live.rows(), at);
            if (!as_left) {
                if (image.is_as_before(live.rows(), at)) continue;
                ++m_conflicting;
                image.add_conflicts(live.rows(), at, m_conflicts);
                if (m_undo.on_conflict != OnConflict::force) continue;
            }
            put_back(image, live, at);
        }
    }

    void put_back(const UndoImage& image, const LiveRows& live, std::optional<std::size_t> at) {
        if (!image.was_there()) {
            m_removed.push_back({image, {}});
            m_wanted_live[*at] = true;
            return;
        }
        std::vector<std::size_t> columns;
        for (std::size_t i = 0; i < m_undo.columns.size(); ++i) {
            if (!image.puts_back(i)) continue;
            if (!at || live.rows().at(*at, i) != image.before(i)) columns.push_back(i);
        }
        if (!at) {
            // without all of its columns a row that is gone stays gone: it is among the conflicts
            if (m_undo.whole_rows) m_inserted.push_back({image, std::move(columns)});
        } else if (!columns.empty()) {
            m_updated.push_back({image, std::move(columns)});
            m_wanted_live[*at] = true;
        }
    }

    /// The rows that will be changed, as they are.
    RowSet touched_rows(const LiveRows& live) const {
        RowSet rows(live.rows().columns());
        for (std::size_t row = 0; row < live.rows().size(); ++row) {
            if (m_wanted_live[row]) rows.add_row(live.rows(), row);
        }
        return rows;
    }

    void change(Capturing& batch) {
        // rows come and go in an order that a deferrable constraint need not like
        m_target.query(m_target.engine() == Engine::postgresql ? "SET CONSTRAINTS ALL DEFERRED"
                                                               : "PRAGMA defer_foreign_keys = ON");
        UndoStatements statements(m_target, m_spec.table, m_undo);
        batch.take_returned(statements.remove(m_removed));
        batch.take_returned(statements.update(m_updated));
        batch.take_returned(statements.insert(m_inserted));
    }

    /// A row that was inserted may have got children since, which the run never had.
    void refuse_cascades(const StepCapture& capture) const {
        if (m_undo.on_conflict == OnConflict::force) return;
        for (const Collateral& table : capture.collateral) {
            if (table.deleted == 0 && !table.truncated) continue;
            throw Error(
                ExitCode::failed,
                fmt::format("putting rows of {} back would delete others: {}", m_spec.table,
                            collateral_text({table})),
                "A cascade or a trigger does it, and the ledger has no image of those rows. Mend that "
                "first, or let it happen by --on-conflict force.");
        }
    }

    /// Rows that are still not as they were: a trigger has changed them once more, or kept them.
    void look_at_outcome(StepCapture& capture) const {
        const RowSet& post = capture.rows.post;
        std::unordered_map<std::string, std::size_t> places;
        const auto key = first_places(m_undo.key_width);
        for (std::size_t row = 0; row < post.size(); ++row)
            places.emplace(key_fingerprint(post.key(row, key)), row);
        for (const auto* rows : {&m_removed, &m_updated, &m_inserted}) {
            for (const UndoRow& row : *rows) {
                const auto found = places.find(key_fingerprint(row.image.wanted_key()));
                const auto at = found == places.end() ? std::nullopt : std::optional{found->second};
                if (row.image.is_as_before(post, at)) continue;
                if (++capture.not_restored == 1)
                    capture.not_restored_example = key_text(row.image.wanted_key());
            }
        }
    }

    Target& m_target;
    const CaptureSpec& m_spec;
    const UndoSpec& m_undo;
    std::vector<UndoImage> m_images;
    std::vector<UndoRow> m_removed, m_updated, m_inserted;
    std::vector<bool> m_wanted_live;
    std::vector<RowConflict> m_conflicts;
    std::uint64_t m_conflicting = 0;
};

/// Images from `from` on, up to the first whose row is there already.
std::vector<UndoImage> distinct_rows(const UndoSpec& undo, const RowSet& images, std::size_t from) {
    std::vector<UndoImage> rows;
    std::unordered_set<std::string> keys;
    for (std::size_t row = from; row < images.size(); ++row) {
        const UndoImage image(undo, images, row);
        if (!keys.insert("live" + key_fingerprint(image.live_key())).second ||
            !keys.insert("wanted" + key_fingerprint(image.wanted_key())).second)
            break;
        rows.push_back(image);
    }
    return rows;
}

}  // namespace

ConflictsFound::ConflictsFound(std::uint64_t rows, std::vector<RowConflict> conflicts)
    : Error(
          ExitCode::failed,
          fmt::format("{} not any more what the run left:\n{}",
                      rows == 1 ? "1 row is" : with_thousands(rows) + " rows are", conflicts_text(conflicts)),
          "Somebody has changed them since: --on-conflict skip leaves such rows as they are, --on-conflict "
          "force "
          "puts the values of before the run over them."),
      m_conflicts(std::move(conflicts)) {
}

std::string conflicts_text(const std::vector<RowConflict>& conflicts) {
    constexpr std::size_t shown = 5;
    const auto value = [](const std::string& json) { return json.empty() ? std::string{"no row"} : json; };
    std::vector<std::string> lines;
    for (const RowConflict& conflict : conflicts) {
        if (lines.size() == shown) break;
        lines.push_back(fmt::format("  {}, {}: before {}, after {}, live {}", conflict.identifier,
                                    conflict.column, value(conflict.before), value(conflict.after),
                                    value(conflict.live)));
    }
    if (conflicts.size() > shown) lines.emplace_back("  ...");
    return join(lines, "\n");
}

void add_undone(StepCapture& sum, StepCapture part) {
    sum.rows.counts += part.rows.counts;
    for (const Collateral& table : part.collateral) {
        const auto same = [&](const Collateral& other) { return other.table == table.table; };
        const auto known = std::find_if(sum.collateral.begin(), sum.collateral.end(), same);
        if (known == sum.collateral.end()) {
            sum.collateral.push_back(table);
            continue;
        }
        known->inserted += table.inserted;
        known->updated += table.updated;
        known->deleted += table.deleted;
        known->truncated = known->truncated || table.truncated;
    }
    sum.witness = part.witness;
    sum.witness_reason = part.witness_reason;
    if (sum.missing_example.empty()) sum.missing_example = part.missing_example;
    sum.conflicting_rows += part.conflicting_rows;
    sum.conflicts.insert(sum.conflicts.end(), part.conflicts.begin(), part.conflicts.end());
    if (sum.not_restored == 0) sum.not_restored_example = part.not_restored_example;
    sum.not_restored += part.not_restored;
}

StepCapture capture_undo(Target& target, const CaptureSpec& spec, const UndoSpec& undo, const RowSet& images,
                         RowTaker& taker) {
    StepCapture sum;
    for (std::size_t from = 0; from < images.size();) {
        std::vector<UndoImage> rows = distinct_rows(undo, images, from);
        from += rows.size();
        StepCapture part = UndoBatch(target, spec, undo, std::move(rows)).capture();
        taker.take(part.take_rows());
        add_undone(sum, std::move(part));
    }
    return sum;
}

std::vector<RowConflict> find_conflicts(Target& target, const CaptureSpec& spec, const UndoSpec& undo,
                                        const RowSet& images) {
    std::vector<UndoImage> rows;
    for (std::size_t row = 0; row < images.size(); ++row) rows.emplace_back(undo, images, row);
    const LiveRows live(target, spec, undo, rows, false);
    std::vector<RowConflict> conflicts;
    std::unordered_set<std::string> seen;
    for (const UndoImage& image : rows) {
        // of a row that comes again nobody knows yet what it will be by then
        const bool first = seen.insert(key_fingerprint(image.live_key())).second;
        seen.insert(key_fingerprint(image.wanted_key()));
        if (!first) continue;
        const auto at = live.find(image.live_key());
        if (!image.is_as_left(live.rows(), at) && !image.is_as_before(live.rows(), at))
            image.add_conflicts(live.rows(), at, conflicts);
    }
    return conflicts;
}

}  // namespace datachange
