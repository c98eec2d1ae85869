#include "capture/trial.hpp"

#include <fmt/format.h>

#include "capture/pieces.hpp"
#include "capture/witness.hpp"
#include "plan/plan.hpp"
#include "run/preflight.hpp"
#include "run/transaction.hpp"

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

std::string row_text(const RowSet& rows, std::size_t row) {
    std::string text;
    for (std::size_t column = 0; row != AuditedRow::npos && column < rows.width(); ++column) {
        const ValueView value = rows.at(row, column);
        text += fmt::format("{}'{}' ", static_cast<int>(value.kind), value.bytes);
    }
    return text + "; ";
}

std::string columns_text(const RowSet& rows) {
    std::string text;
    for (const Column& column : rows.columns()) {
        text +=
            fmt::format("{} {} {}.{};", column.name, column.type, column.origin_table, column.origin_column);
    }
    return text + "\n";
}

/// Writes the rows of a step down, wherever they stand in the sets of their piece.
class WrittenRows : public RowTaker {
public:
    void take(BatchCapture rows) override {
        ++pieces;
        if (pieces == 1) {
            text = columns_text(rows.pre) + columns_text(rows.post);
            for (const RowSet& returned : rows.returned) text += columns_text(returned);
        }
        for (const AuditedRow& row : rows.rows) {
            text += fmt::format("{} '{}' {} ", row.identifier, row.new_identifier, action_name(row.action));
            text += row_text(rows.pre, row.pre) + row_text(rows.post, row.post);
            for (const ReturnedAt& at : row.returned)
                text += fmt::format("{}: ", at.statement) + row_text(rows.returned[at.statement], at.row);
            text += '\n';
        }
        counts += rows.counts;
    }
    void restart() override {
        text.clear();
        counts = {};
        pieces = 0;
    }

    std::string text;
    RowCounts counts;
    int pieces = 0;
};

std::string text_of(const RowCounts& counts) {
    return fmt::format("{} {} {}: {} {} {} {} {} {}\n", counts.pre, counts.change, counts.post,
                       counts.updated, counts.inserted, counts.deleted, counts.unchanged, counts.missing,
                       counts.unexpected);
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

std::string Trial::rolled_back(Isolation isolation, const std::function<std::string()>& batch) {
    m_target->begin(isolation);
    std::string text;
    try {
        text = batch();
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
            return text_of(capture_slice(*m_target, spec, slice));
        });
    }
    const std::string unlocked =
        rolled_back(Isolation::repeatable_read, [&] { return text_of(capture_range(*m_target, spec, {})); });
    if (spec.table_key.empty()) return unlocked;
    return unlocked + "locked " + rolled_back(Isolation::read_committed, [&] {
               return text_of(capture_range(*m_target, spec, {}, true));
           });
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

WholeTrial Trial::capture_whole(const std::string& definition, std::uint64_t piece) {
    return compare_pieces(
        definition, [&](const ReadyStep& step, bool lock_first, bool at_once, RowTaker& rows) {
            const WholeStep whole{step.source, cut_of(step), 1, lock_first, piece, at_once ? 1'000'000U : 0U};
            return datachange::capture_whole(*m_target, step.capture, whole, rows);
        });
}

WholeTrial Trial::compare_pieces(const std::string& definition, const CaptureStep& capture_step) {
    const Engine engine = m_database.engine();
    const Plan plan = make_plan(
        parse_definition({"20260101000000_trial.sql", "20260101000000", "trial"}, definition, engine), {});
    const Preflight preflight = check_plan(*m_target, plan);
    const ReadyStep& step = preflight.steps.at(0);
    WholeTrial result;
    const auto capture = [&](bool at_once, bool lock_first) {
        return rolled_back(lock_first ? Isolation::read_committed : Isolation::repeatable_read, [&] {
            WrittenRows rows;
            const StepCapture whole = capture_step(step, lock_first, at_once, rows);
            result.pieces = rows.pieces;
            std::string text = rows.text + text_of(rows.counts) + text_of(whole.rows.counts);
            for (const Collateral& table : whole.collateral) text += collateral_text({table}) + "\n";
            text += witness_text(whole) + " " + whole.missing_example + "\n";
            return text + text_of(m_target->query("SELECT * FROM t ORDER BY id")) +
                   text_of(m_target->query("SELECT count(*) FROM log"));
        });
    };
    result.at_once = capture(true, false);
    if (!step.capture.table_key.empty()) result.at_once += capture(true, true);
    result.in_pieces = capture(false, false);
    if (!step.capture.table_key.empty()) result.in_pieces += capture(false, true);
    return result;
}

std::string definition_of(const std::string& pre, const std::string& change, const std::string& post) {
    return "-- Trial.\n-- table: t\n-- identifier: id\n-- audit:pre\n" + pre + ";\n-- audit:change\n" +
           change + ";\n" + (post.empty() ? "" : "-- audit:post\n" + post + ";\n");
}

}  // namespace datachange::test
