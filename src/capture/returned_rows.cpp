#include "capture/returned_rows.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include "core/key.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr std::uint64_t chunk = 1'000;  // rows
constexpr int unique_violated = 19;     // SQLITE_CONSTRAINT

std::string fingerprint(const KeyAt& key) {
    std::vector<ValueView> values;
    for (std::size_t i = 0; i < key.width(); ++i) values.push_back(key[i]);
    return key_fingerprint(values);
}

[[noreturn]] void refuse(const SQLite::Exception& failure) {
    throw Error(
        ExitCode::unreachable,
        std::string("rows that were changed cannot be looked up in a temporary file: ") + failure.what(),
        "SQLite keeps it where TMPDIR says; it needs room for the keys of the set. Nothing of the batch "
        "in hand was changed in the target.");
}

}  // namespace

void KeySequence::see(const RowSet& rows) {
    if (rows.empty() || !m_ascends) return;
    if (!m_last.empty()) m_ascends = datachange::ascends({&m_last, 0, &m_columns}, {&rows, 0, &m_columns});
    for (std::size_t row = 1; m_ascends && row < rows.size(); ++row) {
        m_ascends = datachange::ascends({&rows, row - 1, &m_columns}, {&rows, row, &m_columns});
    }
    m_last = rows.part(rows.size() - 1, rows.size());
}

struct ReturnedRows::Lookup {
    explicit Lookup(const SQLite::Database& index)
        : query(index, "SELECT place FROM returned WHERE key = ?") {}
    SQLite::Statement query;
};

ReturnedRows::ReturnedRows(RowFile rows, std::vector<std::size_t> identifier, bool in_order)
    : m_rows(std::move(rows)),
      m_identifier(std::move(identifier)),
      m_in_order(in_order),
      m_reader(m_rows),
      m_chunk(m_rows.columns()) {
    if (m_in_order) return;
    try {
        index();
    } catch (const SQLite::Exception& failure) {
        if (failure.getErrorCode() != unique_violated) refuse(failure);
        m_distinct = false;
    }
}

ReturnedRows::~ReturnedRows() = default;

bool ReturnedRows::take(const KeyAt& key, RowSet& into) {
    const bool found = m_in_order ? take_next(key, into) : look_up(key, into);
    m_taken += found ? 1 : 0;
    return found;
}

/// A row that is passed over is one that nobody asks for.
bool ReturnedRows::take_next(const KeyAt& key, RowSet& into) {
    for (;; ++m_at) {
        if (m_at == m_chunk.size()) {
            m_chunk = m_reader.next(chunk);
            m_at = 0;
        }
        if (m_chunk.empty()) return false;
        const KeyAt next{&m_chunk, m_at, &m_identifier};
        if (same_key(next, key)) break;
        if (!ascends(next, key)) return false;
    }
    into.add_row(m_chunk, m_at++);
    return true;
}

bool ReturnedRows::look_up(const KeyAt& key, RowSet& into) {
    try {
        SQLite::Statement& query = m_lookup->query;
        query.reset();
        const std::string wanted = fingerprint(key);
        query.bindNoCopy(1, wanted);
        if (!query.executeStep()) return false;
        m_reader.seek(static_cast<std::uint64_t>(query.getColumn(0).getInt64()));
        m_reader.next(into);
        return true;
    } catch (const SQLite::Exception& failure) {
        refuse(failure);
    }
}

/// Sorted once, when all are there: that goes from one end of the file to the other, as inserting would not.
void ReturnedRows::index() {
    m_index = std::make_unique<SQLite::Database>("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    m_index->exec(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;"
        "CREATE TABLE returned (key TEXT, place INTEGER); BEGIN");
    {
        SQLite::Statement insert(*m_index, "INSERT INTO returned VALUES (?, ?)");
        for (RowFile::Reader reader(m_rows); !reader.at_end();) {
            const auto place = static_cast<std::int64_t>(reader.offset());
            const RowSet row = reader.next(1);
            const std::string key = fingerprint({&row, 0, &m_identifier});
            insert.bindNoCopy(1, key);
            insert.bind(2, place);
            insert.exec();
            insert.reset();
        }
    }
    m_index->exec("COMMIT; CREATE UNIQUE INDEX by_key ON returned (key)");
    m_lookup = std::make_unique<Lookup>(*m_index);
    m_reader.read_ahead(4096);
}

}  // namespace datachange
