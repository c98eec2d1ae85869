#include "capture/returned_post.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "capture/key_index.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

constexpr std::size_t npos = KeyIndex::npos;

/// True if the text may be taken for a number: too often rather than too seldom.
bool looks_numeric(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789+-.eE \t\n\v\f\r") == std::string_view::npos;
}

bool is_whole(ValueView real) {
    const double number = std::strtod(std::string{real.bytes}.c_str(), nullptr);
    return std::trunc(number) == number;
}

/// The places of columns in another set by their names; nothing if one is not there.
std::optional<std::vector<std::size_t>> places_of(const std::vector<Column>& columns,
                                                  const std::vector<Column>& among) {
    std::vector<std::size_t> places;
    for (const Column& column : columns) {
        const auto place = find_column(among, column.name);
        if (!place) return std::nullopt;
        places.push_back(*place);
    }
    return places;
}

std::optional<std::vector<std::size_t>> places_of(const std::vector<std::string>& names,
                                                  const std::vector<Column>& among) {
    std::vector<Column> columns;
    for (const std::string& name : names) columns.push_back({name, "", "", ""});
    return places_of(columns, among);
}

/// Makes post of the rows of pre and RETURNING; one object for one batch.
class PostMaker {
public:
    PostMaker(const BatchCapture& capture, const ReturnedPost& post,
              const std::vector<std::string>& identifier)
        : m_pre(capture.pre), m_returned(capture.returned.front()), m_post(post), m_identifier(identifier) {}

    /// The rows of pre as RETURNING gives them; as they were, where it does not.
    std::optional<RowSet> updated() {
        if (!find_returned_columns() || !find_keys()) return std::nullopt;
        if (is_in_order_of_pre()) return copy_returned();
        if (!match_returned()) return std::nullopt;
        if (has_missing() && !find_pre_columns()) return std::nullopt;
        return gather();
    }

    /// The rows of pre that RETURNING does not give.
    std::optional<RowSet> deleted() {
        if (!find_keys() || !keys_are_own() || !match_returned()) return std::nullopt;
        if (!has_missing()) return RowSet{m_post.columns};
        if (!find_pre_columns()) return std::nullopt;
        RowSet rows(m_post.columns);
        for (std::size_t row = 0; row < m_pre.size(); ++row) {
            if (m_returned_of[row] == npos) add(rows, m_pre, row, m_pre_places);
        }
        return rows;
    }

    /// RETURNING in key order, which only numbers let us know.
    std::optional<RowSet> inserted() {
        if (!m_pre.empty() || !find_returned_columns() || !find_keys()) return std::nullopt;
        std::vector<std::size_t> order(m_returned.size());
        std::iota(order.begin(), order.end(), 0U);
        for (const std::size_t row : order) {
            for (const std::size_t column : m_returned_key) {
                if (m_returned.at(row, column).kind != ValueKind::integer) return std::nullopt;
            }
        }
        const auto ascending = [&](std::size_t a, std::size_t b) {
            return ascends(returned_key(a), returned_key(b));
        };
        if (!std::is_sorted(order.begin(), order.end(), ascending))
            std::sort(order.begin(), order.end(), ascending);
        RowSet rows(m_post.columns);
        for (const std::size_t row : order) {
            if (!is_stored(row)) return std::nullopt;
            add(rows, m_returned, row, m_places);
        }
        return rows;
    }

private:
    bool find_keys() {
        const auto pre = places_of(m_identifier, m_pre.columns());
        const auto returned = places_of(m_identifier, m_returned.columns());
        const bool renames =
            std::any_of(m_identifier.begin(), m_identifier.end(), [&](const std::string& name) {
                return find_column(m_returned.columns(), "was_" + name).has_value();
            });
        if (!pre || !returned || renames) return false;
        m_pre_key = *pre;
        m_returned_key = *returned;
        return true;
    }

    bool find_returned_columns() {
        const auto places = places_of(m_post.columns, m_returned.columns());
        if (!places) return false;
        m_places = *places;
        if (!m_post.tells_origin) return true;
        return std::equal(
            m_places.begin(), m_places.end(), m_post.columns.begin(),
            [&](std::size_t place, const Column& column) { return m_returned.columns()[place] == column; });
    }

    /// What find_returned_columns() asks of all columns, of the identifier's alone.
    bool keys_are_own() const {
        if (!m_post.tells_origin) return true;
        return std::all_of(m_returned_key.begin(), m_returned_key.end(), [&](std::size_t place) {
            const auto& columns = m_post.columns;
            return std::find(columns.begin(), columns.end(), m_returned.columns()[place]) != columns.end();
        });
    }

    bool find_pre_columns() {
        const auto places = places_of(m_post.columns, m_pre.columns());
        if (!m_post.pre_is_image || !places) return false;
        m_pre_places = *places;
        return true;
    }

    KeyAt returned_key(std::size_t row) const { return {&m_returned, row, &m_returned_key}; }

    /// Finds for each row of pre its row of RETURNING. False if one has none in pre, or comes twice.
    bool match_returned() {
        KeyIndex keys;
        keys.reserve(m_pre.size());
        for (std::size_t row = 0; row < m_pre.size(); ++row) {
            if (!keys.add({&m_pre, row, &m_pre_key}).is_new) return false;
        }
        keys.rewind();
        m_returned_of.assign(m_pre.size(), npos);
        for (std::size_t row = 0; row < m_returned.size(); ++row) {
            const std::size_t found = keys.find(returned_key(row));
            if (found == npos || m_returned_of[found] != npos) return false;
            m_returned_of[found] = row;
        }
        return true;
    }

    bool has_missing() const { return m_returned.size() < m_pre.size(); }

    bool is_in_order_of_pre() const {
        if (m_returned.size() != m_pre.size()) return false;
        for (std::size_t row = 0; row < m_pre.size(); ++row) {
            if (!same_key({&m_pre, row, &m_pre_key}, returned_key(row))) return false;
        }
        return true;
    }

    bool is_stored(std::size_t row) const {
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            if (!is_stored_as_is(m_returned.at(row, m_places[i]), m_post.storage[i])) return false;
        }
        return true;
    }

    std::optional<RowSet> copy_returned() const {
        const bool converts = std::any_of(m_post.storage.begin(), m_post.storage.end(),
                                          [](Storage storage) { return storage != Storage::exact; });
        for (std::size_t row = 0; converts && row < m_returned.size(); ++row) {
            if (!is_stored(row)) return std::nullopt;
        }
        std::vector<std::size_t> all(m_returned.width());
        std::iota(all.begin(), all.end(), 0U);
        if (m_places == all) return m_returned.with_columns(m_post.columns);
        RowSet rows(m_post.columns);
        rows.reserve(m_returned.size(), m_returned.bytes());
        for (std::size_t row = 0; row < m_returned.size(); ++row) add(rows, m_returned, row, m_places);
        return rows;
    }

    std::optional<RowSet> gather() const {
        RowSet rows(m_post.columns);
        rows.reserve(m_pre.size(), m_returned.bytes());
        for (std::size_t row = 0; row < m_pre.size(); ++row) {
            const std::size_t returned = m_returned_of[row];
            if (returned != npos && !is_stored(returned)) return std::nullopt;
            returned == npos ? add(rows, m_pre, row, m_pre_places)
                             : add(rows, m_returned, returned, m_places);
        }
        return rows;
    }

    static void add(RowSet& rows, const RowSet& from, std::size_t row,
                    const std::vector<std::size_t>& places) {
        for (const std::size_t place : places) rows.add(from.at(row, place));
    }

    const RowSet& m_pre;
    const RowSet& m_returned;
    const ReturnedPost& m_post;
    const std::vector<std::string>& m_identifier;
    std::vector<std::size_t> m_pre_key, m_returned_key;  ///< the identifier's columns
    std::vector<std::size_t> m_places, m_pre_places;     ///< of post's columns, in RETURNING and in pre
    std::vector<std::size_t> m_returned_of;              ///< by row of pre; npos: it was not returned
};

}  // namespace

Storage storage_of(const std::string& declared_type) {
    const std::string type = lower(declared_type);
    const auto has = [&](const char* part) { return type.find(part) != std::string::npos; };
    if (has("int")) return Storage::numeric;
    if (has("char") || has("clob") || has("text")) return Storage::text;
    if (type.empty() || has("blob")) return Storage::exact;
    if (has("real") || has("floa") || has("doub")) return Storage::real;
    return Storage::numeric;
}

bool is_stored_as_is(ValueView value, Storage storage) {
    if (storage == Storage::exact || value.kind == ValueKind::null || value.kind == ValueKind::blob)
        return true;
    if (value.kind == ValueKind::digest) return false;  // it does not tell
    switch (storage) {
        case Storage::text:
            return value.kind == ValueKind::text;
        case Storage::real:  // minus zero loses its sign
            return value.kind == ValueKind::real && value.bytes != "-0.0";
        default:
            if (value.kind == ValueKind::text) return !looks_numeric(value.bytes);
            return value.kind == ValueKind::integer || !is_whole(value);
    }
}

bool touched_only(const TouchedTables& before, const TouchedTables& touched, const std::string& table_id,
                  const std::string& verb, std::size_t rows) {
    if (touched.trust != TouchedTables::Trust::complete) return false;
    for (const auto& [name, counts] : before.tables) {
        if (counts.truncated) return false;  // counts of the same transaction are not to be relied on then
    }
    const auto count = static_cast<std::int64_t>(rows);
    Touched expected;
    (verb == "UPDATE" ? expected.updated : verb == "DELETE" ? expected.deleted : expected.inserted) = count;
    bool found = rows == 0;
    for (const auto& [name, counts] : touched.tables) {
        const Touched& due = name == table_id ? expected : Touched{};
        const bool as_due = counts.inserted == due.inserted && counts.updated == due.updated &&
                            counts.deleted == due.deleted && !counts.truncated;
        if (!as_due) return false;
        found = found || name == table_id;
    }
    return found;
}

std::optional<RowSet> post_from_returning(const BatchCapture& capture, const ReturnedPost& post,
                                          const std::vector<std::string>& identifier,
                                          const std::string& verb) {
    PostMaker maker(capture, post, identifier);
    if (verb == "UPDATE") return maker.updated();
    if (verb == "DELETE") return maker.deleted();
    return maker.inserted();
}

}  // namespace datachange
