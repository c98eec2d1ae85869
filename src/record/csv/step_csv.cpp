#include "record/csv/step_csv.hpp"

#include <algorithm>
#include <string_view>

#include "core/batch_path.hpp"

namespace datachange {

namespace {

/// The rows of one committed batch.
struct Span {
    std::string batch;
    std::int64_t id, first, last;
};

std::vector<Span> committed_spans(Ledger& ledger, std::int64_t run_id, int step) {
    std::vector<Span> spans;
    SQLite::Statement& query = ledger.bound(
        "SELECT batch, id, coalesce(first_change, 0), coalesce(last_change, -1) FROM batch"
        " WHERE run_id = ? AND step = ? AND state = 'committed'",
        run_id, step);
    while (query.executeStep()) {
        spans.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt64(),
                         query.getColumn(2).getInt64(), query.getColumn(3).getInt64()});
    }
    query.reset();
    std::sort(spans.begin(), spans.end(),
              [](const Span& a, const Span& b) { return batch_path_less(a.batch, b.batch); });
    return spans;
}

std::string_view text_at(SQLite::Statement& query, int place) {
    const SQLite::Column column = query.getColumn(place);
    const char* text = column.getText();
    return {text, static_cast<std::size_t>(column.getBytes())};
}

void write_span(Ledger& ledger, const Span& span, BlockReader& reader, StepWriter& writer) {
    SQLite::Statement& query = ledger.bound(
        "SELECT identifiers, actions, before, after, returned, new_identifiers FROM block"
        " WHERE id BETWEEN ? AND ? AND batch_id = ? ORDER BY id",
        span.first, span.last, span.id);
    while (query.executeStep()) {
        reader.open({text_at(query, 0), text_at(query, 1), text_at(query, 2), text_at(query, 3),
                     text_at(query, 4), text_at(query, 5)});
        for (std::size_t place = 0; place < reader.size(); ++place) writer.write(reader.row(place));
    }
    query.reset();
}

}  // namespace

StepCsv render_step(Ledger& ledger, std::int64_t run_id, int step, const RunFolder& folder,
                    const std::string& prefix) {
    StepLayout layout = read_layout(ledger, run_id, step);
    const std::vector<Span> spans = committed_spans(ledger, run_id, step);
    if (spans.empty() || layout.counts_only) return {};
    StepWriter writer(std::move(layout), folder, prefix);
    BlockReader reader;
    for (const Span& span : spans) write_span(ledger, span, reader, writer);
    return writer.complete();
}

}  // namespace datachange
