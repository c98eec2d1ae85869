#include "capture/trial.hpp"

#include <fmt/format.h>

#include "plan/plan.hpp"
#include "run/preflight.hpp"

namespace datachange::test {

namespace {

std::string text_of(const RowSet& rows) {
    std::string text;
    for (const Column& column : rows.columns()) {
        text +=
            fmt::format("{} {} {}.{};", column.name, column.type, column.origin_table, column.origin_column);
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        text += '\n';
        for (std::size_t column = 0; column < rows.width(); ++column) {
            const ValueView value = rows.at(row, column);
            text += fmt::format("{}'{}' ", static_cast<int>(value.kind), value.bytes);
        }
    }
    return text + "\n";
}

std::string text_of(const StepCapture& capture) {
    const BatchCapture& rows = capture.rows;
    std::string text = "pre " + text_of(rows.pre);
    for (const RowSet& returned : rows.returned) text += "returned " + text_of(returned);
    text += "post " + text_of(rows.post);
    for (const AuditedRow& row : rows.rows) {
        text += fmt::format("{} '{}' {} {} {}", row.identifier, row.new_identifier, action_name(row.action),
                            static_cast<int>(row.pre), static_cast<int>(row.post));
        for (const AuditedRow::Returned& at : row.returned)
            text += fmt::format(" {}.{}", at.statement, at.row);
        text += '\n';
    }
    for (const Collateral& table : capture.collateral) {
        text += fmt::format("{} {} {} {}\n", table.table, table.inserted, table.updated, table.deleted);
    }
    const RowCounts& counts = rows.counts;
    return text + fmt::format("{} {} {} {} {} {}\n", counts.pre, counts.change, counts.post, counts.changed(),
                              counts.missing, witness_text(capture));
}

}  // namespace

Trial::Trial(Engine engine, const std::vector<std::string>& setup)
    : m_database(engine), m_target(m_database.connect()) {
    execute_all(*m_target, setup);
}

std::string Trial::rolled_back(Isolation isolation, const std::function<StepCapture()>& batch) {
    m_target->begin(isolation);
    std::string text;
    try {
        text = text_of(batch());
    } catch (const Error& error) {
        text = std::string("error: ") + error.what();
    }
    m_target->rollback();
    return text;
}

std::string Trial::capture_once(const CaptureSpec& spec) {
    const bool by_key = spec.change.front().sql.uses(SqlPiece::Kind::affected);
    if (by_key) {
        return rolled_back(Isolation::repeatable_read, [&] {
            const RowSet slice = m_target->query(in_key_order(spec.pre, spec.identifier), Scope{});
            return capture_slice(*m_target, spec, slice);
        });
    }
    const std::string unlocked =
        rolled_back(Isolation::repeatable_read, [&] { return capture_range(*m_target, spec, {}); });
    if (spec.table_key.empty()) return unlocked;
    return unlocked + "locked " +
           rolled_back(Isolation::read_committed, [&] { return capture_range(*m_target, spec, {}, true); });
}

TrialResult Trial::capture(const std::string& definition) {
    const Engine engine = m_database.engine();
    const Plan plan = make_plan(
        parse_definition({"20260101000000_trial.sql", "20260101000000", "trial"}, definition, engine), {});
    const Preflight preflight = check_plan(*m_target, plan);
    CaptureSpec spec = preflight.steps.at(0).capture;
    TrialResult result;
    result.kept = capture_once(spec);
    CaptureSpec unreadable = spec;
    unreadable.post = plain_sql("SELECT post_was_read");
    result.read_post = capture_once(unreadable).find("post_was_read") != std::string::npos;
    spec.returned_post.reset();
    result.read = capture_once(spec);
    return result;
}

std::string definition_of(const std::string& pre, const std::string& change, const std::string& post) {
    return "-- Trial.\n-- table: t\n-- identifier: id\n-- audit:pre\n" + pre + ";\n-- audit:change\n" +
           change + ";\n" + (post.empty() ? "" : "-- audit:post\n" + post + ";\n");
}

}  // namespace datachange::test
