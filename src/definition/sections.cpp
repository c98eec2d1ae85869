#include "definition/sections.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/macros.hpp"
#include "definition/names.hpp"
#include "definition/statement.hpp"

namespace datachange {

namespace {

using Macro = SqlPiece::Kind;

bool takes(SectionKind section, Macro macro) {
    if (section == SectionKind::change || section == SectionKind::watch) return true;
    if (macro == Macro::affected) return section == SectionKind::post || section == SectionKind::undo;
    return section == SectionKind::keys || section == SectionKind::pre;
}

void check_macros(const SqlTemplate& sql, SectionKind section) {
    for (const SqlPiece& piece : sql.pieces) {
        if (piece.kind == Macro::text || takes(section, piece.kind)) continue;
        const bool batch = piece.kind == Macro::batch;
        throw Mistake(
            piece.at,
            fmt::format("{} has no place in {}", batch ? ":batch" : ":affected", section_name(section)),
            fmt::format("It belongs in {}.",
                        batch ? "audit:keys, audit:pre, audit:change and audit:watch"
                              : "audit:change, audit:post and audit:watch, and in audit:undo"));
    }
}

class SectionReader {
public:
    SectionReader(const Section& section, std::string_view text, Engine engine)
        : m_section(section),
          m_name(section_name(section.kind)),
          m_text(text),
          m_engine(engine),
          m_statements(split_statements(section.tokens, engine)) {
        if (m_statements.empty())
            throw Mistake(section.at, m_name + " is empty", "Write its SQL below, or remove it.");
    }

    /// For a section of one query that changes nothing.
    SqlTemplate query() const {
        if (m_statements.size() > 1) {
            throw Mistake(m_statements[1].at(),
                          m_name + " holds exactly one statement, and a second one begins here",
                          "Join them into one query, or remove one.");
        }
        const Statement& statement = m_statements.front();
        refuse_unfit(statement);
        const StatementKind kind = classify(statement);
        if (kind.changing_cte) {
            throw Mistake(kind.changing_cte->at,
                          fmt::format("{} must change nothing, but this {} does", m_name,
                                      upper(kind.changing_cte->text)),
                          "What changes data belongs in audit:change.");
        }
        if (kind.into) {
            throw Mistake(kind.into->at,
                          fmt::format("{} must change nothing, but SELECT INTO makes a table", m_name),
                          "Remove INTO.");
        }
        const bool queries = kind.verb == "SELECT" || kind.verb == "VALUES" ||
                             (kind.verb == "TABLE" && m_engine == Engine::postgresql);
        if (!queries) {
            throw Mistake(
                statement.at(), fmt::format("{} holds a query, not {}", m_name, kind.verb),
                "Write SELECT, WITH ... SELECT or VALUES; what changes data belongs in audit:change.");
        }
        return read(statement);
    }

    std::vector<ChangeStatement> changes(const Step& step) const {
        std::vector<ChangeStatement> changes;
        for (const Statement& statement : m_statements) {
            refuse_unfit(statement);
            const StatementKind kind = classify(statement);
            if (m_section.kind == SectionKind::change) check_returning(statement, kind, step);
            changes.push_back({read(statement), kind.verb, kind.changes_data, kind.returning.has_value(),
                               kind.plain_insert});
        }
        return changes;
    }

private:
    SqlTemplate read(const Statement& statement) const {
        SqlTemplate sql = make_template(statement, m_text, m_engine);
        check_macros(sql, m_section.kind);
        return sql;
    }

    static void check_returning(const Statement& statement, const StatementKind& kind, const Step& step) {
        if (step.returning_none) {
            if (!kind.returning) return;
            throw Mistake(kind.returning->at, "RETURNING has no place where the header says returning: none",
                          "Remove it, or remove `returning: none` from the header.");
        }
        if (kind.verb == "DO" || kind.verb == "CALL" || kind.verb == "TRUNCATE") {
            throw Mistake(
                statement.at(), fmt::format("{} cannot say which rows it changes", kind.verb),
                "Add `-- returning: none` to the header; the rows of audit:pre are then what is audited.");
        }
        // a SELECT above a CTE that changes data gives rows by itself
        if (!kind.changes_data || kind.returning || kind.verb == "SELECT") return;
        const std::string columns = step.identifier.empty() ? "the identifier" : join(step.identifier, ", ");
        std::string hint = fmt::format("Add RETURNING {}, ... to it.", columns);
        if (kind.verb == "MERGE")
            hint += " Before PostgreSQL 17 MERGE has none: write UPDATE and INSERT instead.";
        throw Mistake(statement.at(), fmt::format("the {} in audit:change has no RETURNING", kind.verb),
                      hint);
    }

    const Section& m_section;
    std::string m_name;
    std::string_view m_text;
    Engine m_engine;
    std::vector<Statement> m_statements;
};

Watch read_watch(const Section& section, const SectionReader& reader, Engine engine, const Step& step) {
    Watch watch;
    watch.at = section.at;
    watch.table = read_table_name(section.argument, section.argument_at, engine);
    apply_watch_header(section.header, engine, watch);
    if (watch.identifier.empty()) {
        throw Mistake(section.at, fmt::format("audit:watch {} has no identifier", watch.table),
                      "Add `-- identifier: COLUMN` below it.");
    }
    const bool known = std::any_of(step.watches.begin(), step.watches.end(),
                                   [&](const Watch& other) { return other.table == watch.table; });
    if (known) {
        throw Mistake(section.argument_at, fmt::format("{} is watched twice in one step", watch.table),
                      "Write one query that gives all of its rows.");
    }
    watch.query = reader.query();
    return watch;
}

/// Has every query say which of its columns are redacted.
void mark_redaction(Step& step) {
    const std::vector<std::string>& redact = step.redact;
    for (auto* query : {&step.keys, &step.pre, &step.post, &step.summary, &step.verify}) {
        if (*query) (*query)->redact = redact;
    }
    for (ChangeStatement& statement : step.change) statement.sql.redact = redact;
    for (ChangeStatement& statement : step.undo) statement.sql.redact = redact;
    for (Watch& watch : step.watches) watch.query.redact = redact;
}

}  // namespace

void read_sections(const StepOutline& outline, std::string_view text, Engine engine, Step& step) {
    for (const Section& section : outline.sections) {
        const SectionReader reader(section, text, engine);
        switch (section.kind) {
            case SectionKind::keys:
                step.keys = reader.query();
                break;
            case SectionKind::pre:
                step.pre = reader.query();
                break;
            case SectionKind::change:
                step.change = reader.changes(step);
                break;
            case SectionKind::post:
                step.post = reader.query();
                break;
            case SectionKind::summary:
                step.summary = reader.query();
                break;
            case SectionKind::verify:
                step.verify = reader.query();
                break;
            case SectionKind::undo:
                step.undo = reader.changes(step);
                break;
            case SectionKind::watch:
                step.watches.push_back(read_watch(section, reader, engine, step));
                break;
        }
    }
    mark_redaction(step);
}

}  // namespace datachange
