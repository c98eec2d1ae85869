#include "run/spooled_set.hpp"

#include <fmt/format.h>

#include "plan/plan.hpp"

namespace datachange {

std::uint64_t spool_set(BatchRunner& runner, Journal& journal, const ReadyStep& step,
                        const std::optional<Key>& behind) {
    const int number = step.plan->step.number;
    const auto& identifier = step.capture.identifier;
    std::vector<std::string> names;
    for (const std::string& name : identifier) names.push_back(quote_name(name));
    SqlTemplate page = wrap("SELECT * FROM (", step.capture.pre, ") AS datachange_set WHERE ");
    page.pieces.push_back({SqlPiece::Kind::batch, "", names, {}});
    page.pieces.push_back(
        {SqlPiece::Kind::text,
         fmt::format(" ORDER BY {} LIMIT {}", quote_names(identifier), step.plan->batch_size),
         {},
         {}});
    runner.read_only([&] {
        journal.drop_spool(number);
        if (!behind) {
            runner.target().stream(in_key_order(step.capture.pre, identifier), step.plan->batch_size,
                                   [&](RowSet&& rows) { journal.spool(number, rows); });
            return;
        }
        Scope scope{{behind, std::nullopt}, step.capture.identifier_types, nullptr, {}};
        for (;;) {
            const RowSet rows = runner.target().query(page, scope);
            if (rows.empty()) return;
            journal.spool(number, rows);
            scope.range.after =
                rows.key(rows.size() - 1, identifier_columns(rows.columns(), identifier, "pre"));
        }
    });
    return journal.spool_size(number);
}

std::uint64_t place_behind(Journal& journal, int step, std::uint64_t from, const Key& last,
                           const std::vector<std::size_t>& places) {
    for (;;) {
        const RowSet rows = journal.spooled(step, from, default_batch_size);
        if (rows.empty()) return from;
        for (std::size_t row = 0; row < rows.size(); ++row, ++from) {
            if (rows.key(row, places) == last) return from + 1;
        }
    }
}

}  // namespace datachange
