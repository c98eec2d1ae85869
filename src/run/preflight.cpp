#include "run/preflight.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "capture/undo_images.hpp"
#include "core/located.hpp"
#include "core/text.hpp"
#include "plan/range_safety.hpp"
#include "run/derived_post.hpp"
#include "run/redaction_check.hpp"
#include "run/returned_post_check.hpp"
#include "run/unique_key.hpp"

namespace datachange {

namespace {

using Macro = SqlPiece::Kind;

std::vector<std::string> types_of(const std::vector<Column>& columns,
                                  const std::vector<std::size_t>& places) {
    std::vector<std::string> types;
    for (const std::size_t place : places) types.push_back(columns[place].type);
    return types;
}

std::vector<std::string> names_of(const std::vector<Column>& columns,
                                  const std::vector<std::size_t>& places) {
    std::vector<std::string> names;
    for (const std::size_t place : places) names.push_back(columns[place].name);
    return names;
}

std::vector<Column> columns_at(const std::vector<Column>& columns, const std::vector<std::size_t>& places) {
    std::vector<Column> found;
    for (const std::size_t place : places) found.push_back(columns[place]);
    return found;
}

/// SQLSTATE class 42 is a syntax error or a name that is not there: the definition is wrong. Not so a missing
/// right.
bool blames_statement(const std::string& sqlstate) {
    return (sqlstate.starts_with("42") && sqlstate != "42501") || sqlstate == "SQLITE_ERROR";
}

bool defines_schema(const std::string& verb) {
    return verb == "CREATE" || verb == "ALTER" || verb == "DROP";
}

/// Checks one step; its members are what the parts of the check hand on.
class StepCheck {
public:
    /// @param given takes the columns of its queries, where the step redacts some
    StepCheck(Target& target, const Plan& plan, const StepPlan& step, bool schema_may_differ,
              std::vector<Column>& given)
        : m_target(target),
          m_path(plan.definition.path),
          m_plan(step),
          m_step(step.step),
          m_strict(plan.strict),
          m_schema_may_differ(schema_may_differ),
          m_given(given) {}

    ReadyStep check() {
        m_ready.plan = &m_plan;
        m_ready.capture.path = m_path;
        m_ready.capture.strict = m_strict;
        if (!m_step.only_verifies()) {
            find_table();
            check_sets();
            check_post();
            check_change();
            check_watches();
            check_unique_key();
            if (m_table && !m_schema_may_differ) {
                m_ready.capture.returned_post =
                    returned_post(m_target, m_step, *m_table, m_pre, m_ready.capture, scope());
            }
        }
        if (m_step.summary) check_report(*m_step.summary, "summary");
        if (m_step.verify) check_report(*m_step.verify, "verify");
        return std::move(m_ready);
    }

private:
    /// Runs a part of the check; an error that comes without a place gets the statement's.
    template <typename Part>
    auto at(const SourcePosition& position, Part&& part) {
        try {
            return part();
        } catch (DatabaseError& error) {
            if (blames_statement(error.sqlstate())) error.set_code(ExitCode::usage);
            if (error.hint().empty())
                error.set_hint("The target refused to prepare the statement. Nothing was changed.");
            error.at(place(position));
            throw;
        } catch (Error& error) {
            error.at(place(position));
            throw;
        }
    }

    void find_table() {
        if (m_step.table.empty()) return;
        at(m_step.at, [&] {
            m_table = m_target.table(m_step.table);
            if (m_table->foreign) {
                throw Error(ExitCode::usage,
                            fmt::format("{} is a foreign or virtual table, which cannot commit together "
                                        "with the journal",
                                        m_step.table),
                            "Run the change where the rows are.");
            }
            for (const std::string& name : m_step.collateral) {
                m_ready.capture.expected_collateral.push_back(m_target.table(name).id);
            }
        });
        m_ready.capture.table = m_step.table;
        m_ready.capture.table_id = m_table->id;
    }

    void check_sets() {
        CaptureSpec& capture = m_ready.capture;
        const std::vector<Column> pre = describe(*m_step.pre, "pre");
        const auto places =
            at(m_step.pre->at, [&] { return identifier_columns(pre, m_step.identifier, "pre"); });
        m_pre = pre;
        at(m_step.pre->at, [&] { require_open_key(columns_at(pre, places), m_step.redact); });
        capture.pre = *m_step.pre;
        capture.identifier = names_of(pre, places);
        capture.identifier_types = types_of(pre, places);
        capture.returning_none = m_step.returning_none;
        if (capture.table_id.empty()) capture.table_id = pre[places.front()].origin_table;
        m_identifier_places = places;
        capture.table_key = table_key();

        KeySource& source = m_ready.source;
        source = {*m_step.pre, capture.identifier, capture.identifier_types, false};
        if (m_step.keys) {
            const std::vector<Column> keys = describe(*m_step.keys, "keys");
            const std::size_t width = m_step.keys->find(Macro::batch)->arguments.size();
            if (keys.size() != width) {
                throw Error(
                    ExitCode::usage,
                    fmt::format("keys gives {}, but :batch names {}", counted(keys.size(), "column"), width),
                    "The columns of keys are those of :batch, by position.")
                    .at(place(m_step.keys->at));
            }
            at(m_step.keys->at, [&] { require_open_key(keys, m_step.redact); });
            source = {*m_step.keys, column_names(keys), {}, true};
            for (const Column& column : keys) source.types.push_back(column.type);
            capture.range_over_identifier = false;
        }
        capture.range_types = source.types;
        m_null_keys = {Key(capture.identifier.size())};
        prepare(*m_step.pre);
        if (m_step.keys) prepare(*m_step.keys);
        refuse_moving_address();
    }

    /// The identifier's columns where they are the table's own; else nothing.
    std::vector<std::string> table_key() const {
        std::vector<std::string> names;
        if (!m_table) return names;
        for (const std::size_t place : m_identifier_places) {
            const Column& column = m_pre[place];
            if (column.origin_table != m_table->id || column.origin_column.empty()) return {};
            names.push_back(column.origin_column);
        }
        return names;
    }

    void refuse_moving_address() {
        const bool address = std::any_of(m_identifier_places.begin(), m_identifier_places.end(),
                                         [&](std::size_t i) { return m_pre[i].type == "tid"; });
        if (!address) return;
        for (const ChangeStatement& statement : m_step.change) {
            if (statement.verb == "DELETE" || !statement.changes_data) continue;
            throw Error(ExitCode::usage,
                        fmt::format("ctid identifies the rows, and the {} moves them", statement.verb),
                        "A row that is updated gets another ctid: use a key, or delete only.")
                .at(place(statement.sql.at));
        }
    }

    void check_post() {
        if (m_step.post) {
            m_ready.capture.post = *m_step.post;
        } else {
            m_ready.capture.post =
                at(m_step.at, [&] { return derive_post(m_table, m_pre, m_ready.capture.identifier); });
            m_ready.capture.post.redact = m_step.redact;
        }
        const SqlTemplate& post = m_ready.capture.post;
        const std::vector<Column> columns = describe(post, "post");
        at(post.at, [&] { identifier_columns(columns, m_ready.capture.identifier, "post"); });
    }

    void check_change() {
        for (const ChangeStatement& statement : m_step.change) {
            // WITH d AS (DELETE ... RETURNING ...) SELECT ... FROM d: the rows are those of the SELECT
            const bool returns =
                statement.has_returning || (statement.verb == "SELECT" && statement.changes_data);
            ChangeSpec spec{statement.sql, {statement.verb, statement.plain_insert}, returns};
            if (returns) {
                at(statement.sql.at, [&] {
                    require_redacted_expressions(statement.sql, m_target.engine(), nullptr, "RETURNING");
                });
            }
            if (!m_schema_may_differ && !defines_schema(statement.verb)) {
                const auto columns =
                    at(statement.sql.at, [&] { return m_target.prepare(statement.sql, scope()); });
                if (statement.has_returning) check_returning(statement, columns);
            }
            m_schema_may_differ = m_schema_may_differ || defines_schema(statement.verb);
            m_ready.capture.change.push_back(std::move(spec));
        }
    }

    void check_returning(const ChangeStatement& statement,
                         const std::optional<std::vector<Column>>& columns) {
        std::vector<Column> returned;
        if (columns) {
            returned = *columns;
        } else if (const auto names = returning_names(statement.sql, m_target.engine())) {
            for (const std::string& name : *names) returned.push_back({name, "", "", ""});
        } else {
            // RETURNING *: known when it has run, before anything is committed
            if (m_table) {
                for (const TableColumn& column : m_table->columns)
                    m_given.push_back({column.name, "", "", column.name});
            }
            return;
        }
        at(statement.sql.at, [&] {
            identifier_columns(returned, m_ready.capture.identifier,
                               fmt::format("RETURNING of the {}", statement.verb));
            require_distinct_columns(returned, "RETURNING");
            if (columns) return check_redaction(statement.sql, returned, "RETURNING");
            m_given.insert(m_given.end(), returned.begin(), returned.end());
        });
    }

    void check_watches() {
        for (const Watch& watch : m_step.watches) {
            WatchSpec spec{watch.table, {}, watch.identifier, watch.query};
            at(watch.at, [&] { spec.table_id = m_target.table(watch.table).id; });
            const std::vector<Column> columns = describe(watch.query, "watch");
            const auto places =
                at(watch.query.at, [&] { return identifier_columns(columns, watch.identifier, "watch"); });
            at(watch.query.at, [&] { require_open_key(columns_at(columns, places), m_step.redact); });
            spec.identifier = names_of(columns, places);
            m_ready.capture.watches.push_back(std::move(spec));
        }
    }

    /// Ranges over pre may skip or repeat rows unless the key is unique.
    void check_unique_key() {
        if (m_plan.batching != Batching::range || m_step.keys) return;
        std::vector<Column> identifier;
        for (const std::size_t place : m_identifier_places) identifier.push_back(m_pre[place]);
        const std::vector<std::string>& arguments = m_step.pre->find(Macro::batch)->arguments;
        m_ready.no_unique_key = missing_unique_key(m_target, identifier, arguments, m_table);
    }

    std::vector<Column> describe(const SqlTemplate& sql, const std::string& section) {
        return at(sql.at, [&] {
            std::vector<Column> columns = m_target.describe(sql, scope());
            require_distinct_columns(columns, section);
            check_redaction(sql, columns, section);
            return columns;
        });
    }

    void check_redaction(const SqlTemplate& sql, const std::vector<Column>& columns,
                         const std::string& section) {
        if (sql.redact.empty()) return;
        require_redacted_expressions(sql, m_target.engine(), &columns, section);
        require_redacted_by_origin(columns, sql.redact);
        m_given.insert(m_given.end(), columns.begin(), columns.end());
    }

    void check_report(const SqlTemplate& sql, const std::string& section) {
        if (m_schema_may_differ) return;
        if (sql.redact.empty()) return prepare(sql);
        at(sql.at, [&] { check_redaction(sql, m_target.describe(sql, scope()), section); });
    }

    void prepare(const SqlTemplate& sql) {
        if (m_schema_may_differ) return;
        at(sql.at, [&] { m_target.prepare(sql, scope()); });
    }

    /// Bounds and keys of NULLs: the server checks what the macros name and compare, as in a batch.
    Scope scope() const {
        const CaptureSpec& capture = m_ready.capture;
        Scope scope;
        if (!capture.range_types.empty()) {
            const Key nulls(capture.range_types.size());
            scope.range = {nulls, nulls};
            scope.range_types = capture.range_types;
        }
        if (!m_null_keys.empty()) scope.affected = &m_null_keys;
        scope.affected_types = capture.identifier_types;
        return scope;
    }

    std::string place(const SourcePosition& position) const { return place_text(m_path, position); }

    Target& m_target;
    const std::string& m_path;
    const StepPlan& m_plan;
    const Step& m_step;
    bool m_strict;
    bool m_schema_may_differ;  ///< an earlier statement makes or alters tables: nothing after it can be
                               ///< prepared yet
    std::vector<Column>& m_given;
    std::optional<TableInfo> m_table;
    std::vector<Column> m_pre;
    std::vector<std::size_t> m_identifier_places;
    std::vector<Key> m_null_keys;
    ReadyStep m_ready;
};

/// The first required column that is not there, as "users.name", or "".
std::string missing_column(Target& target, const Step& step) {
    for (const RequiredColumn& required : step.required_columns) {
        const std::string name = required.table + "." + required.column;
        if (!target.has_table(required.table)) return name;
        const TableInfo table = target.table(required.table);
        const bool there =
            std::any_of(table.columns.begin(), table.columns.end(), [&](const TableColumn& column) {
                return column.name == required.column ||
                       (target.engine() == Engine::sqlite && lower(column.name) == lower(required.column));
            });
        if (!there) return name;
    }
    return {};
}

void check_steps(Target& target, const Plan& plan, Preflight& preflight) {
    for (const StepPlan& step : plan.steps) {
        const std::string missing = missing_column(target, step.step);
        if (missing.empty()) continue;
        if (step.step.on_missing == OnMissing::skip) {
            preflight.skip_reason = missing + " is not there";
            return;
        }
        throw Error(
            ExitCode::failed, fmt::format("the definition requires {}, which is not there", missing),
            "Run the schema migration that adds it first, or say `-- on-missing: skip`. Nothing was changed.")
            .at(plan.definition.path);
    }
    bool schema_may_differ = false;
    std::vector<Column> given;
    for (const StepPlan& step : plan.steps) {
        preflight.steps.push_back(StepCheck(target, plan, step, schema_may_differ, given).check());
        schema_may_differ =
            schema_may_differ || std::any_of(step.step.change.begin(), step.step.change.end(),
                                             [](const ChangeStatement& s) { return defines_schema(s.verb); });
    }
    if (!schema_may_differ) require_given(plan, given);
}

}  // namespace

std::vector<std::size_t> ReadyStep::slice_key(const RowSet& slice) const {
    if (takes_back()) return {undo_place};
    return identifier_columns(slice.columns(), capture.identifier, "pre");
}

std::string ReadyStep::slice_identifier(const RowSet& slice, std::size_t row) const {
    if (undo) return key_text(UndoImage(*undo, slice, row).live_key());
    if (by_hand) return key_text(keys_taken_back(slice.part(row, row + 1)).front());
    return key_text(slice.key(row, slice_key(slice)));
}

std::vector<Key> ReadyStep::keys_taken_back(const RowSet& slice) const {
    std::vector<std::string> before, after;
    for (const std::string& name : capture.identifier) {
        before.push_back("before." + name);
        after.push_back("after." + name);
    }
    const auto gone = identifier_columns(slice.columns(), before, "the images");
    const auto left = identifier_columns(slice.columns(), after, "the images");
    const std::string deleted = std::to_string(static_cast<int>(Action::deleted));
    std::vector<Key> keys;
    for (std::size_t row = 0; row < slice.size(); ++row)
        keys.push_back(slice.key(row, slice.text(row, undo_action) == deleted ? gone : left));
    return keys;
}

ReadyStep check_step(Target& target, const Plan& plan, const StepPlan& step) {
    std::vector<Column> given;
    return StepCheck(target, plan, step, false, given).check();
}

Preflight check_plan(Target& target, const Plan& plan) {
    Preflight preflight;
    target.begin(Isolation::read_only);
    try {
        check_steps(target, plan, preflight);
    } catch (...) {
        target.rollback();
        throw;
    }
    target.commit();
    return preflight;
}

}  // namespace datachange
