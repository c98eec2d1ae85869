#include "record/ledger/spool.hpp"

#include "core/value_json.hpp"

namespace datachange {

namespace {

constexpr std::size_t texts_a_column = 4;

std::string columns_json(const std::vector<Column>& columns) {
    std::vector<std::string> texts;
    for (const Column& column : columns) {
        texts.insert(texts.end(), {column.name, column.type, column.origin_table, column.origin_column});
    }
    return json_array_of_strings(texts);
}

}  // namespace

void Spool::append(int step, const RowSet& rows) {
    m_ledger.transact([&] {
        const std::uint64_t begin = size(step);
        m_ledger.execute(
            "INSERT INTO spool_columns(run_id, step, columns) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            m_run_id, step, columns_json(rows.columns()));
        SQLite::Statement& insert =
            m_ledger.bound("INSERT INTO spool(run_id, step, seq, image) VALUES (?, ?, ?, ?)", m_run_id, step);
        std::string image;
        for (std::size_t row = 0; row < rows.size(); ++row) {
            image.clear();
            append_json_array(image, rows, row);
            insert.bind(3, static_cast<std::int64_t>(begin + row));
            insert.bindNoCopy(4, image);
            insert.exec();
            insert.reset();
        }
    });
}

std::uint64_t Spool::size(int step) {
    SQLite::Statement& query = m_ledger.bound(
        "SELECT coalesce(max(seq) + 1, 0) FROM spool WHERE run_id = ? AND step = ?", m_run_id, step);
    query.executeStep();
    const auto size = static_cast<std::uint64_t>(query.getColumn(0).getInt64());
    query.reset();
    return size;
}

RowSet Spool::read(int step, std::uint64_t from, std::uint64_t count) {
    RowSet rows(columns(step));
    SQLite::Statement& query = m_ledger.bound(
        "SELECT image FROM spool WHERE run_id = ? AND step = ? AND seq >= ? ORDER BY seq LIMIT ?", m_run_id,
        step, from, count);
    while (query.executeStep()) {
        for (const Value& value : parse_json_array(query.getColumn(0).getString())) rows.add(value.view());
    }
    query.reset();
    return rows;
}

std::vector<Column> Spool::columns(int step) {
    SQLite::Statement& query =
        m_ledger.bound("SELECT columns FROM spool_columns WHERE run_id = ? AND step = ?", m_run_id, step);
    std::vector<Column> columns;
    if (query.executeStep()) {
        const std::vector<Value> texts = parse_json_array(query.getColumn(0).getString());
        for (std::size_t i = 0; i + texts_a_column <= texts.size(); i += texts_a_column) {
            columns.push_back({texts[i].bytes, texts[i + 1].bytes, texts[i + 2].bytes, texts[i + 3].bytes});
        }
    }
    query.reset();
    return columns;
}

void Spool::drop() {
    m_ledger.transact([&] {
        m_ledger.execute("DELETE FROM spool WHERE run_id = ?", m_run_id);
        m_ledger.execute("DELETE FROM spool_columns WHERE run_id = ?", m_run_id);
    });
}

void Spool::drop(int step) {
    m_ledger.transact([&] {
        m_ledger.execute("DELETE FROM spool WHERE run_id = ? AND step = ?", m_run_id, step);
        m_ledger.execute("DELETE FROM spool_columns WHERE run_id = ? AND step = ?", m_run_id, step);
    });
}

}  // namespace datachange
