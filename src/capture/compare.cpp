#include "capture/compare.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "capture/key_index.hpp"
#include "core/text.hpp"
#include "core/timings.hpp"

namespace datachange {

namespace {

constexpr std::size_t npos = AuditedRow::npos;

std::string fingerprint(const KeyAt& key) {
    std::vector<ValueView> values;
    for (std::size_t i = 0; i < key.width(); ++i) values.push_back(key[i]);
    return key_fingerprint(values);
}

void require_no_null(const RowSet& rows, std::size_t row, const std::vector<std::size_t>& columns,
                     const std::string& section) {
    for (const std::size_t column : columns) {
        if (!rows.at(row, column).is_null()) continue;
        throw Error(
            ExitCode::failed,
            fmt::format("{} gave a row whose identifier {} is NULL", section, rows.columns()[column].name),
            "An identifier names a row: exclude such rows (IS NOT NULL), or choose another identifier.");
    }
}

[[noreturn]] void throw_duplicate(const std::string& section, const std::string& identifier) {
    throw Error(
        ExitCode::failed, fmt::format("{} gave the identifier {} more than once", section, identifier),
        "A join with several partners does this; each row of the set must come once: use EXISTS or DISTINCT, "
        "or more identifier columns.");
}

/// The old identifier of returned rows: was_<column> where the statement gives it, else the column itself.
std::vector<std::size_t> old_identifier_columns(const std::vector<Column>& columns,
                                                const std::vector<std::string>& identifier,
                                                const std::string& section) {
    std::vector<std::size_t> old = identifier_columns(columns, identifier, section);
    for (std::size_t i = 0; i < identifier.size(); ++i) {
        if (const auto was = find_column(columns, "was_" + identifier[i])) old[i] = *was;
    }
    return old;
}

/// Joins the three sets; one object for one call of compare.
class Comparison {
public:
    Comparison(BatchCapture& capture, const CompareRules& rules) : m_capture(capture), m_rules(rules) {}

    void run() {
        take_pre();
        m_old_columns.reserve(m_capture.returned.size());
        for (std::size_t i = 0; i < m_capture.returned.size(); ++i) take_returned(i);
        take_post();
        find_shared_columns();
        for (AuditedRow& row : m_capture.rows) row.action = classify(row);
        settle_inserts();
        drop_transient();
        order_rows();
        count();
    }

private:
    void take_pre() {
        const RowSet& pre = m_capture.pre;
        require_distinct_columns(pre.columns(), "pre");
        m_pre_columns = identifier_columns(pre.columns(), m_rules.identifier, "pre");
        m_keys.reserve(pre.size());
        m_capture.rows.reserve(pre.size());
        for (std::size_t row = 0; row < pre.size(); ++row) {
            require_no_null(pre, row, m_pre_columns, "pre");
            if (!m_keys.add({&pre, row, &m_pre_columns}).is_new) {
                throw_duplicate("pre", pre.key_text(row, m_pre_columns));
            }
            AuditedRow& audited = m_capture.rows.emplace_back();
            audited.identifier = pre.key_text(row, m_pre_columns);
            audited.pre = row;
        }
    }

    void take_returned(std::size_t statement) {
        const RowSet& returned = m_capture.returned[statement];
        const std::string section = fmt::format("RETURNING of statement {} in change", statement + 1);
        require_distinct_columns(returned.columns(), section);
        const auto columns = identifier_columns(returned.columns(), m_rules.identifier, section);
        const auto& old_columns = m_old_columns.emplace_back(
            old_identifier_columns(returned.columns(), m_rules.identifier, section));
        // where no key ever changes, a key that comes twice meets its own row again
        const bool may_rename = columns != old_columns || !m_by_new_key.empty();
        std::unordered_set<std::string> seen;
        std::vector<Renamed> renamed;
        m_keys.rewind();
        for (std::size_t row = 0; row < returned.size(); ++row) {
            require_no_null(returned, row, columns, section);
            const KeyAt key{&returned, row, &columns}, old_key{&returned, row, &old_columns};
            bool again = may_rename && !seen.insert(fingerprint(key)).second;
            const std::size_t audited = again ? npos : find_or_add(old_key);
            again = again || (!may_rename && returned_by(audited, statement));
            if (again) throw_duplicate(section, returned.key_text(row, columns));
            m_capture.rows[audited].returned.push_back({statement, row});
            if (!may_rename || same_key(key, old_key)) continue;
            renamed.push_back({fingerprint(old_key), fingerprint(key), audited});
            m_capture.rows[audited].new_identifier = returned.key_text(row, columns);
        }
        rename(renamed);
    }

    bool returned_by(std::size_t audited, std::size_t statement) const {
        const ReturnedList& returned = m_capture.rows[audited].returned;
        return !returned.empty() && returned.back().statement == statement;
    }

    struct Renamed {
        std::string from, to;
        std::size_t row;
    };

    /// Keys move only when the statement is over: within one, 1 may become 2 and 2 become 3.
    void rename(const std::vector<Renamed>& renamed) {
        for (const Renamed& key : renamed) {
            const auto former = m_by_new_key.find(key.from);
            if (former != m_by_new_key.end() && former->second == key.row) m_by_new_key.erase(former);
        }
        for (const Renamed& key : renamed) m_by_new_key[key.to] = key.row;
    }

    /// The row that has this key because the change gave it to it, or npos.
    std::size_t find_renamed(const KeyAt& key) const {
        if (m_by_new_key.empty()) return npos;
        const auto renamed = m_by_new_key.find(fingerprint(key));
        return renamed == m_by_new_key.end() ? npos : renamed->second;
    }

    /// The row with this key, as pre or as an earlier statement has left it; else a new one.
    std::size_t find_or_add(const KeyAt& key) {
        if (const std::size_t renamed = find_renamed(key); renamed != npos) return renamed;
        const KeyIndex::Added added = m_keys.add(key);
        if (added.is_new)
            m_capture.rows.emplace_back().identifier = key.rows->key_text(key.row, *key.columns);
        return added.number;
    }

    void take_post() {
        const RowSet& post = m_capture.post;
        require_distinct_columns(post.columns(), "post");
        m_post_columns = identifier_columns(post.columns(), m_rules.identifier, "post");
        m_keys.rewind();
        for (std::size_t row = 0; row < post.size(); ++row) {
            const KeyAt key{&post, row, &m_post_columns};
            const std::size_t audited = find_after(key);
            if (audited == npos) {
                if (m_rules.reads_outcome_from_post) m_capture.rows[find_or_add(key)].post = row;
                continue;  // a post without :affected reads rows that this batch did not touch
            }
            AuditedRow& found = m_capture.rows[audited];
            if (found.post != npos) throw_duplicate("post", found.identifier);
            found.post = row;
        }
    }

    std::size_t find_after(const KeyAt& key) {
        if (const std::size_t renamed = find_renamed(key); renamed != npos) return renamed;
        const std::size_t found = m_keys.find(key);
        if (found == npos) return npos;
        return m_capture.rows[found].new_identifier.empty() ? found : npos;
    }

    void find_shared_columns() {
        for (std::size_t i = 0; i < m_capture.pre.width(); ++i) {
            if (const auto j = find_column(m_capture.post.columns(), m_capture.pre.columns()[i].name)) {
                m_shared.emplace_back(i, *j);
            }
        }
    }

    bool differs(const AuditedRow& row) const {
        return std::any_of(m_shared.begin(), m_shared.end(), [&](const auto& shared) {
            return m_capture.pre.at(row.pre, shared.first) != m_capture.post.at(row.post, shared.second);
        });
    }

    Action classify(const AuditedRow& row) const {
        if (row.pre == npos) return Action::inserted;  // settle_inserts looks closer
        if (row.post == npos) return Action::deleted;
        if (differs(row)) return Action::updated;
        const bool touched = m_rules.reads_outcome_from_post || !row.returned.empty();
        return touched ? Action::unchanged : Action::missing;
    }

    bool inserts(std::size_t statement) const {
        const std::string& verb = m_rules.statements[statement].verb;
        return verb == "INSERT" || verb == "REPLACE" || verb == "MERGE";
    }

    /// A returned row that pre did not have is new only where its statement can insert, and the witness
    /// counted as many.
    void settle_inserts() {
        if (m_rules.reads_outcome_from_post) return;
        std::int64_t candidates = 0;
        bool all_plain = true;
        for (const AuditedRow& row : m_capture.rows) {
            if (row.pre != npos || !inserts(row.returned.front().statement)) continue;
            ++candidates;
            all_plain = all_plain && m_rules.statements[row.returned.front().statement].plain_insert;
        }
        const bool agreed = m_rules.witnessed_inserts ? *m_rules.witnessed_inserts >= candidates : all_plain;
        for (AuditedRow& row : m_capture.rows) {
            if (row.pre != npos) continue;
            if (!agreed || !inserts(row.returned.front().statement)) row.action = Action::unexpected;
        }
    }

    /// Rows that came and went within the batch left nothing behind.
    void drop_transient() {
        if (m_rules.reads_outcome_from_post) return;
        std::erase_if(m_capture.rows, [](const AuditedRow& row) {
            return row.action == Action::inserted && row.pre == npos && row.post == npos;
        });
    }

    /// Key order, as far as the database has told it: pre and post come in it, so rows that only one of them
    /// has stand between the neighbours that both have.
    void order_rows() {
        std::vector<AuditedRow>& rows = m_capture.rows;
        const bool in_order =
            std::all_of(rows.begin(), rows.end(), [](const AuditedRow& row) { return row.pre != npos; });
        if (in_order) return;
        std::vector<std::size_t> of_post(m_capture.post.size(), npos);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows[i].post != npos) of_post[rows[i].post] = i;
        }
        std::vector<AuditedRow> ordered;
        ordered.reserve(rows.size());
        std::vector<bool> taken(rows.size(), false);
        std::size_t next_of_pre = 0;
        const auto take = [&](std::size_t i) {
            if (!taken[i]) ordered.push_back(std::move(rows[i]));
            taken[i] = true;
        };
        for (const std::size_t i : of_post) {
            if (i == npos) continue;
            const bool in_both = rows[i].pre != npos;
            for (; next_of_pre < m_capture.pre.size() && next_of_pre <= i; ++next_of_pre) {
                if (!in_both && !goes_before(rows, next_of_pre, i, taken)) break;
                take(next_of_pre);
            }
            take(i);
        }
        for (std::size_t i = 0; i < rows.size(); ++i) take(i);
        rows = std::move(ordered);
    }

    /// Whether a row of pre that is gone stands before a new row; the database has compared neither with the
    /// other, so integers go by size and everything else by bytes.
    bool goes_before(const std::vector<AuditedRow>& rows, std::size_t gone, std::size_t fresh,
                     const std::vector<bool>& taken) const {
        if (taken[gone]) return true;
        if (rows[gone].post != npos) return false;
        for (std::size_t i = 0; i < m_pre_columns.size(); ++i) {
            const ValueView a = m_capture.pre.at(rows[gone].pre, m_pre_columns[i]);
            const ValueView b = m_capture.post.at(rows[fresh].post, m_post_columns[i]);
            if (a == b) continue;
            if (a.kind != ValueKind::integer || b.kind != ValueKind::integer) return a.bytes < b.bytes;
            return std::stoll(std::string{a.bytes}) < std::stoll(std::string{b.bytes});
        }
        return true;
    }

    void count() {
        RowCounts& counts = m_capture.counts;
        counts.pre = m_capture.pre.size();
        for (const RowSet& returned : m_capture.returned) counts.change += returned.size();
        for (const AuditedRow& row : m_capture.rows) {
            counts.post += row.post != npos ? 1 : 0;
            switch (row.action) {
                case Action::updated:
                    ++counts.updated;
                    break;
                case Action::inserted:
                    ++counts.inserted;
                    break;
                case Action::deleted:
                    ++counts.deleted;
                    break;
                case Action::unchanged:
                    ++counts.unchanged;
                    break;
                case Action::missing:
                    ++counts.missing;
                    break;
                case Action::unexpected:
                    ++counts.unexpected;
                    break;
            }
        }
    }

    BatchCapture& m_capture;
    const CompareRules& m_rules;
    std::vector<std::size_t> m_pre_columns, m_post_columns;  ///< of the identifier
    std::vector<std::vector<std::size_t>> m_old_columns;     ///< the same of each statement's RETURNING
    KeyIndex m_keys;  ///< of each audited row, as in pre or as first returned
    std::unordered_map<std::string, std::size_t> m_by_new_key;  ///< keys that the change itself gave
    std::vector<std::pair<std::size_t, std::size_t>> m_shared;  ///< columns of pre and post with one name
};

}  // namespace

void compare(BatchCapture& capture, const CompareRules& rules) {
    const PhaseTimer timer(Phase::compare);
    Comparison(capture, rules).run();
}

const char* action_name(Action action) noexcept {
    switch (action) {
        case Action::updated:
            return "updated";
        case Action::inserted:
            return "inserted";
        case Action::deleted:
            return "deleted";
        case Action::unchanged:
            return "unchanged";
        case Action::missing:
            return "missing";
        case Action::unexpected:
            return "unexpected";
    }
    return "";
}

std::vector<std::size_t> identifier_columns(const std::vector<Column>& columns,
                                            const std::vector<std::string>& identifier,
                                            const std::string& section) {
    std::vector<std::size_t> places;
    for (const std::string& name : identifier) {
        const auto place = find_column(columns, name);
        if (!place) {
            throw Error(
                ExitCode::usage, fmt::format("{} does not give the identifier column {}", section, name),
                fmt::format("Its columns are: {}. pre, change (RETURNING) and post all give the identifier.",
                            join(column_names(columns), ", ")));
        }
        places.push_back(*place);
    }
    return places;
}

void require_distinct_columns(const std::vector<Column>& columns, const std::string& section) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (columns[i].name != columns[j].name) continue;
            throw Error(ExitCode::usage,
                        fmt::format("{} gives two columns named {}", section, columns[i].name),
                        "Values are kept by name: give one of them another name with AS.");
        }
    }
}

std::vector<Key> affected_keys(const BatchCapture& capture, const std::vector<std::string>& identifier) {
    KeyIndex keys;
    std::vector<std::vector<std::size_t>> columns;
    columns.reserve(capture.returned.size() + 1);
    keys.reserve(capture.pre.size());
    const auto take = [&](const RowSet& rows, const std::string& section) {
        columns.push_back(identifier_columns(rows.columns(), identifier, section));
        keys.rewind();
        for (std::size_t row = 0; row < rows.size(); ++row) keys.add({&rows, row, &columns.back()});
    };
    take(capture.pre, "pre");
    for (std::size_t i = 0; i < capture.returned.size(); ++i) {
        take(capture.returned[i], fmt::format("RETURNING of statement {} in change", i + 1));
    }
    std::vector<Key> affected;
    affected.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
        affected.push_back(keys[i].rows->key(keys[i].row, *keys[i].columns));
    return affected;
}

}  // namespace datachange
