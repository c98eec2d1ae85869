#include "capture/set_reader.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

std::string ordered(const std::vector<std::string>& columns, const char* direction) {
    std::vector<std::string> terms;
    for (const std::string& column : columns) terms.push_back(quote_name(column) + direction);
    return join(terms, ", ");
}

std::string any_null(const std::vector<std::string>& columns) {
    std::vector<std::string> terms;
    for (const std::string& column : columns) terms.push_back(quote_name(column) + " IS NULL");
    return join(terms, " OR ");
}

Key key_of(const RowSet& rows, std::size_t columns) {
    Key key;
    for (std::size_t i = 0; i < columns; ++i) key.push_back(rows.value(0, i));
    return key;
}

std::uint64_t number(const RowSet& rows, std::size_t column) {
    return std::stoull("0" + rows.text(0, column));
}

Scope scope_of(const KeySource& source, KeyRange range) {
    Scope scope;
    scope.range = std::move(range);
    scope.range_types = source.types;
    return scope;
}

}  // namespace

SetSize measure(Target& target, const KeySource& source, bool with_greatest) {
    const std::string keys = quote_names(source.columns);
    const std::string nulls = any_null(source.columns);
    const SqlTemplate count =
        wrap(fmt::format("SELECT count(*), count(*) FILTER (WHERE {}) FROM (SELECT {} {} FROM (", nulls,
                         source.distinct ? "DISTINCT" : "", keys),
             source.query, ") AS datachange_set) AS datachange_keys");
    const RowSet counted_rows = target.query(count, scope_of(source, {}));
    SetSize size;
    size.keys = number(counted_rows, 0);
    size.null_keys = number(counted_rows, 1);
    if (!with_greatest || size.keys == 0) return size;
    const SqlTemplate last = wrap(fmt::format("SELECT {} FROM (", keys), source.query,
                                  fmt::format(") AS datachange_set WHERE NOT ({}) ORDER BY {} LIMIT 1", nulls,
                                              ordered(source.columns, " DESC")));
    const RowSet greatest = target.query(last, scope_of(source, {}));
    if (!greatest.empty()) size.greatest = key_of(greatest, source.columns.size());
    return size;
}

std::uint64_t count_keys(Target& target, const KeySource& source, const KeyRange& range) {
    const SqlTemplate count =
        wrap(fmt::format("SELECT count(*) FROM (SELECT {} {} FROM (", source.distinct ? "DISTINCT" : "",
                         quote_names(source.columns)),
             source.query, ") AS datachange_set) AS datachange_keys");
    return number(target.query(count, scope_of(source, range)), 0);
}

namespace {

/// Has PostgreSQL read in the order of an index, for the life of the object. It takes a condition that it has
/// no statistics of for one row in 200, so that it reads and sorts the whole rest of the set, for every batch
/// anew, where it could stop after the batch.
class InIndexOrder {
public:
    explicit InIndexOrder(Target& target)
        : m_target(target), m_needed(target.engine() == Engine::postgresql) {
        if (m_needed) {
            m_former = target.query(
                "SELECT pg_catalog.current_setting('enable_sort'), "
                "pg_catalog.current_setting('enable_bitmapscan'), pg_catalog.current_setting('jit'), "
                "pg_catalog.set_config('enable_sort', 'off', true), "
                "pg_catalog.set_config('enable_bitmapscan', 'off', true), "
                "pg_catalog.set_config('jit', 'off', true)");
        }
    }
    /// Not where a query has failed: then the settings go with the transaction.
    void end() {
        if (!m_needed) return;
        m_target.query(
            "SELECT pg_catalog.set_config('enable_sort', $1, true), "
            "pg_catalog.set_config('enable_bitmapscan', $2, true), pg_catalog.set_config('jit', $3, true)",
            {m_former.value(0, 0), m_former.value(0, 1), m_former.value(0, 2)});
    }

private:
    Target& m_target;
    const bool m_needed;
    RowSet m_former;
};

}  // namespace

std::optional<NextRange> next_range(Target& target, const KeySource& source, const std::optional<Key>& after,
                                    const Key& greatest, std::uint64_t rows) {
    const std::string keys = quote_names(source.columns);
    const std::string distinct = source.distinct ? "DISTINCT " : "";
    const std::string order = ordered(source.columns, "");
    const Scope scope = scope_of(source, {after, greatest});
    const SqlTemplate whole =
        wrap(fmt::format("SELECT {}{} FROM (", distinct, keys), source.query,
             fmt::format(") AS datachange_set ORDER BY {} LIMIT 1 OFFSET {}", order, rows - 1));
    InIndexOrder ordered_by_index(target);
    RowSet found = target.query(whole, scope);
    ordered_by_index.end();
    if (!found.empty()) return NextRange{{after, key_of(found, source.columns.size())}, rows};

    // fewer are left: the last range, which has to be counted
    const SqlTemplate rest = wrap(
        fmt::format("SELECT {0}, count(*) OVER () FROM (SELECT {1}{0} FROM (", keys, distinct), source.query,
        fmt::format(") AS datachange_set ORDER BY {} LIMIT {}) AS datachange_batch ORDER BY {} LIMIT 1",
                    order, rows, ordered(source.columns, " DESC")));
    found = target.query(rest, scope);
    if (found.empty()) return std::nullopt;
    return NextRange{{after, key_of(found, source.columns.size())}, number(found, source.columns.size())};
}

}  // namespace datachange
