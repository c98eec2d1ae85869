#include "record/ledger/leaf.hpp"

#include <fmt/format.h>

#include "record/ledger/block.hpp"
#include "record/ledger/field_hash.hpp"

namespace datachange {

namespace {

constexpr const char* blocks_sql =
    "SELECT identifiers, actions, before, after, returned, new_identifiers, id, rows, lowest, highest"
    " FROM block WHERE id BETWEEN ? AND ? AND batch_id = ? ORDER BY id";
constexpr int texts_of_a_block = 6;

std::string_view text_at(SQLite::Statement& query, int place) {
    const SQLite::Column column = query.getColumn(place);
    const char* const text = column.getText();
    return {text, static_cast<std::size_t>(column.getBytes())};
}

void hash_or_null(FieldHash& hash, const std::optional<std::string>& text) {
    text ? hash.text(*text) : hash.null();
}

void hash_or_null(FieldHash& hash, std::string_view text) {
    text.empty() ? hash.null() : hash.text(text);
}

/// One leaf while its blocks are read.
class Recount {
public:
    explicit Recount(const LeafBatch& batch) : m_batch(batch) {
        if (batch.format != 1 && batch.format != 2) {
            throw Error(ExitCode::mismatch, fmt::format("no leaf has format {}", batch.format));
        }
        m_hash.text(fmt::format("datachange leaf {}", batch.format));
        m_hash.text(batch.run_uuid);
        m_hash.number(batch.step);
        m_hash.text(batch.batch);
        hash_or_null(m_hash, batch.lower_key);
        hash_or_null(m_hash, batch.upper_key);
        if (batch.format == 1) hash_counts();
    }

    void add(SQLite::Statement& block) {
        if (m_batch.format == 1) {
            hash_rows(block);
        } else {
            for (int i = 0; i < texts_of_a_block; ++i) {
                const SQLite::Column column = block.getColumn(i);
                column.isNull() ? m_hash.null() : m_hash.text(text_at(block, i));
            }
        }
        for (int i = 0; i < texts_of_a_block; ++i)
            m_result.bytes += static_cast<std::uint64_t>(block.getColumn(i).getBytes());
        check(block);
    }

    LeafRecount finish() {
        if (m_batch.format == 2) hash_counts();
        m_result.leaf = m_hash.finish();
        const bool ends_right =
            m_result.blocks == 0 ? !m_batch.first_change.has_value() : m_end == m_batch.last_change;
        if (!ends_right) note("they do not stand where the batch says");
        if (m_batch.has_rows && m_result.rows != m_batch.rows)
            note(fmt::format("there are {}, and the batch says {}", m_result.rows, m_batch.rows));
        return std::move(m_result);
    }

private:
    void hash_counts() {
        const RowCounts& counts = m_batch.counts;
        for (const std::uint64_t count :
             {counts.pre, counts.change, counts.post, counts.updated, counts.inserted, counts.deleted,
              counts.unchanged, counts.missing, counts.unexpected}) {
            m_hash.number(static_cast<std::int64_t>(count));
        }
    }

    void hash_rows(SQLite::Statement& block) {
        m_reader.open({text_at(block, 0), text_at(block, 1), text_at(block, 2), text_at(block, 3),
                       text_at(block, 4), text_at(block, 5)});
        for (std::size_t i = 0; i < m_reader.size(); ++i) {
            const BlockRow row = m_reader.row(i);
            m_hash.number(static_cast<int>(row.action));
            m_hash.text(row.identifier);
            for (const std::string_view text : {row.new_identifier, row.before, row.after, row.returned})
                hash_or_null(m_hash, text);
        }
    }

    /// Numbers and bounds are no part of the leaf, and decide what the views show.
    void check(SQLite::Statement& block) {
        const std::int64_t id = block.getColumn(6).getInt64(), rows = block.getColumn(7).getInt64();
        const BlockBounds bounds = m_bounds.read(text_at(block, 0), text_at(block, 5));
        if (m_result.blocks == 0 && id != m_batch.first_change)
            note("they do not stand where the batch says");
        if (rows != static_cast<std::int64_t>(bounds.rows))
            note(fmt::format("block {} has {}, and says {}", id, bounds.rows, rows));
        if (text_at(block, 8) != bounds.lowest || text_at(block, 9) != bounds.highest)
            note(fmt::format("block {} says other bounds than its identifiers have", id));
        ++m_result.blocks;
        m_result.rows += bounds.rows;
        m_end = id + rows - 1;
    }

    void note(std::string problem) {
        if (m_result.problem.empty()) m_result.problem = std::move(problem);
    }

    const LeafBatch& m_batch;
    FieldHash m_hash;
    BlockReader m_reader;
    BoundsReader m_bounds;
    std::optional<std::int64_t> m_end;
    LeafRecount m_result;
};

}  // namespace

LeafRecount recount_leaf(Ledger& ledger, const LeafBatch& batch) {
    Recount recount(batch);
    SQLite::Statement& blocks =
        ledger.bound(blocks_sql, batch.first_change.value_or(0), batch.last_change.value_or(-1), batch.id);
    while (blocks.executeStep()) recount.add(blocks);
    blocks.reset();
    return recount.finish();
}

}  // namespace datachange
