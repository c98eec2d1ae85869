#include "record/ledger/recorded_batch.hpp"

#include <utility>

#include "core/value_json.hpp"

namespace datachange {

namespace {

constexpr std::size_t most_held = std::size_t{8} * 1024 * 1024;  // bytes of one batch

std::optional<std::string> bound_json(const std::optional<Key>& bound) {
    return bound ? std::optional{json_array(*bound)} : std::nullopt;
}

void hash_or_null(FieldHash& hash, const std::optional<std::string>& text) {
    text ? hash.text(*text) : hash.null();
}

void hash_or_null(FieldHash& hash, const std::string& text) {
    text.empty() ? hash.null() : hash.text(text);
}

void hash_block(FieldHash& hash, const Block& block) {
    hash.text(block.identifiers);
    hash.text(block.actions);
    for (const std::string* column : {&block.before, &block.after, &block.returned, &block.new_identifiers})
        hash_or_null(hash, *column);
}

void hash_counts(FieldHash& hash, const RowCounts& counts) {
    for (const std::uint64_t count : {counts.pre, counts.change, counts.post, counts.updated, counts.inserted,
                                      counts.deleted, counts.unchanged, counts.missing, counts.unexpected}) {
        hash.number(static_cast<std::int64_t>(count));
    }
}

}  // namespace

RecordedBatch::RecordedBatch(const std::string& run_uuid, const StepHeader& step, std::string path,
                             const KeyRange& range, Spill spill, Drop drop)
    : m_step(step),
      m_path(std::move(path)),
      m_lower(bound_json(range.after)),
      m_upper(bound_json(range.upto)),
      m_spill(std::move(spill)),
      m_drop(std::move(drop)) {
    m_hash.text("datachange leaf 2");
    m_hash.text(run_uuid);
    m_hash.number(step.number);
    m_hash.text(m_path);
    hash_or_null(m_hash, m_lower);
    hash_or_null(m_hash, m_upper);
}

RecordedBatch::~RecordedBatch() {
    if (m_spilled && !m_prepared) m_drop(*this);
}

void RecordedBatch::add(const BatchCapture& rows) {
    m_counts += rows.counts;
    m_rows += rows.rows.size();
    if (m_step.evidence != "counts") encode(rows);
}

void RecordedBatch::encode(const BatchCapture& rows) {
    RowEncoder encoder(rows, m_step.identifier, m_step.evidence == "keys");
    if (m_columns.before.empty()) m_columns.before = encoder.before_columns();
    if (m_columns.after.empty()) m_columns.after = encoder.after_columns();
    if (m_columns.returned.empty()) m_columns.returned = encoder.returned_columns();
    for (const AuditedRow& row : rows.rows) {
        m_builder.add(encoder.encode(row));
        if (m_builder.full()) end_block();
    }
}

void RecordedBatch::end_block() {
    m_blocks.push_back(m_builder.take());
    hash_block(m_hash, m_blocks.back());
    m_held += m_blocks.back().bytes();
    if (m_held < most_held) return;
    m_spilled = true;
    m_spill(*this);
}

std::string RecordedBatch::close(const BatchRecord& record) {
    if (!m_builder.empty()) end_block();
    hash_counts(m_hash, m_counts);
    m_record = record;
    m_leaf = m_hash.finish();
    return m_leaf;
}

void RecordedBatch::written(bool prepared) {
    m_prepared = prepared;
    m_held = 0;
    if (m_spilled) m_blocks.clear();
}

}  // namespace datachange
