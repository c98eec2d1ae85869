#include "record/ledger/upgrade.hpp"

#include "record/ledger/batch_writer.hpp"
#include "record/ledger/block.hpp"
#include "record/ledger/schema.hpp"

namespace datachange {

namespace {

/// A row of version 2, as it stood there.
struct OldRow {
    std::int64_t id, batch;
    StoredRow row;
};

OldRow read_row(SQLite::Statement& query) {
    const auto text = [&](int place) { return query.getColumn(place).getString(); };
    return {query.getColumn(0).getInt64(),
            query.getColumn(1).getInt64(),
            {query.getColumn(2).getInt(), text(3), text(4), text(5), text(6), text(7)}};
}

/// Rows with numbers that follow each other, of one batch.
class Gathering {
public:
    explicit Gathering(Ledger& ledger) : m_ledger(ledger) {}

    void add(const OldRow& row) {
        const bool follows = row.batch == m_batch && row.id == m_next;
        if (!m_builder.empty() && (!follows || m_builder.full())) write();
        if (m_builder.empty()) m_first = row.id;
        m_builder.add(row.row);
        m_batch = row.batch;
        m_next = row.id + 1;
    }

    void write() {
        if (!m_builder.empty()) insert_block(m_ledger, m_batch, m_builder.take(), m_first);
    }

private:
    Ledger& m_ledger;
    BlockBuilder m_builder;
    std::int64_t m_first = 0, m_next = 0, m_batch = 0;
};

}  // namespace

void upgrade_from_2(Ledger& ledger) {
    ledger.run(ledger_upgrade_from_2_before());
    SQLite::Statement& query = ledger.statement(
        "SELECT id, batch_id, action, identifier, new_identifier, before, after, returned FROM old_change"
        " ORDER BY id");
    Gathering blocks(ledger);
    while (query.executeStep()) blocks.add(read_row(query));
    blocks.write();
    ledger.forget_statements();
    ledger.run(ledger_upgrade_from_2_after());
}

}  // namespace datachange
