#include "run/undo_preflight.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "core/text.hpp"
#include "run/derived_post.hpp"

namespace datachange {

namespace {

constexpr const char* nothing_changed = "Nothing was changed.";

/// Column of an image -> column of the table that its values are, unchanged.
using Origins = std::map<std::string, std::string>;

/// What the definition selected for the images of a table: a column that it computed cannot be put back,
/// whatever its name is.
class ImageOrigins {
public:
    ImageOrigins(Target& target, const UndoneRun& undone) : m_target(target) {
        if (undone.undo) return;  // an undo reads the columns themselves
        m_definition =
            parse_definition({"", undone.version, undone.name}, undone.definition, target.engine());
    }

    /// @param after of the images that the run left, else of those that it found
    Origins of(const UndoTable& table, const TableInfo& info, bool after) const {
        Origins origins;
        if (!m_definition) {
            for (const std::string& name : after ? table.after : table.before) origins[name] = name;
            return origins;
        }
        for (const Column& column : describe(table, info, after)) {
            if (column.origin_table == info.id && !column.origin_column.empty())
                origins[column.name] = column.origin_column;
        }
        return origins;
    }

private:
    std::vector<Column> describe(const UndoTable& table, const TableInfo& info, bool after) const {
        try {
            if (table.watch_of != 0) return m_target.describe(watch(table).query, {});
            const Step& step = m_definition->steps.at(static_cast<std::size_t>(table.number) - 1);
            const std::vector<Column> pre = m_target.describe(*step.pre, {});
            if (!after) return pre;
            return m_target.describe(step.post ? *step.post : derive_post(info, pre, step.identifier), {});
        } catch (Error& error) {
            throw Error(ExitCode::failed,
                        fmt::format("what the run selected of {} cannot be selected any more: {}",
                                    table.table, error.what()),
                        nothing_changed);
        }
    }

    /// Watched tables are numbered behind the steps.
    const Watch& watch(const UndoTable& table) const {
        auto place = static_cast<std::size_t>(table.number) - m_definition->steps.size() - 1;
        for (const Step& step : m_definition->steps) {
            if (place < step.watches.size()) return step.watches[place];
            place -= step.watches.size();
        }
        throw Error(ExitCode::mismatch, "the definition in the ledger is not the one that was run",
                    nothing_changed);
    }

    Target& m_target;
    std::optional<Definition> m_definition;
};

class UndoCheck {
public:
    UndoCheck(Target& target, const StepPlan& plan, const UndoStep& step, const UndoRun& undo,
              const ImageOrigins& origins)
        : m_target(target),
          m_plan(plan),
          m_step(step),
          m_table(*step.table),
          m_undo(undo),
          m_info(target.table(step.table->table)),
          m_before(origins.of(m_table, m_info, false)),
          m_after(origins.of(m_table, m_info, true)) {}

    ReadyStep check(const Plan& plan) {
        if (m_info.foreign) {
            throw Error(ExitCode::failed, fmt::format("{} is a foreign or virtual table now", m_table.table),
                        nothing_changed);
        }
        add_key();
        add_columns();
        find_images(m_table.before, m_before, undo_values, &UndoColumn::before);
        find_images(m_table.after, m_after, undo_values + m_table.before.size(), &UndoColumn::after);
        learn_types();
        require_restorable();
        m_spec.renames = m_table.renames;
        m_spec.on_conflict = m_undo.on_conflict;
        return ready(plan);
    }

private:
    /// The identifier's columns in the table.
    void add_key() {
        for (const std::string& name : m_table.identifier) {
            const auto origin =
                find_origin(m_before, name) ? find_origin(m_before, name) : find_origin(m_after, name);
            if (!origin || *origin == "ctid") {
                throw Error(ExitCode::failed,
                            fmt::format("rows of {} were named by {}, which is {}", m_table.table, name,
                                        origin ? "another one for each version of a row"
                                               : "no column of the table as it stands"),
                            "The rows that the run changed cannot be found again. Nothing was changed.");
            }
            m_spec.columns.push_back({*origin, "", UndoColumn::npos, UndoColumn::npos, false});
        }
        m_spec.key_width = m_spec.columns.size();
    }

    std::optional<std::string> find_origin(const Origins& origins, const std::string& name) const {
        for (const auto& [image, column] : origins) {
            if (image == name || (m_target.engine() == Engine::sqlite && lower(image) == lower(name)))
                return column;
        }
        return std::nullopt;
    }

    void add_columns() {
        for (const TableColumn& column : m_info.columns) {
            if (UndoColumn* known = find(column.name)) {
                known->generated = column.generated;
            } else if (mentions(m_before, column.name) || mentions(m_after, column.name)) {
                m_spec.columns.push_back(
                    {column.name, "", UndoColumn::npos, UndoColumn::npos, column.generated});
            }
        }
    }

    static bool mentions(const Origins& origins, const std::string& column) {
        return std::any_of(origins.begin(), origins.end(),
                           [&](const auto& origin) { return origin.second == column; });
    }

    UndoColumn* find(const std::string& name) {
        const auto found = std::find_if(m_spec.columns.begin(), m_spec.columns.end(),
                                        [&](const UndoColumn& column) { return column.name == name; });
        return found == m_spec.columns.end() ? nullptr : &*found;
    }

    void find_images(const std::vector<std::string>& names, const Origins& origins, std::size_t first,
                     std::size_t UndoColumn::*place) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto origin = origins.find(names[i]);
            UndoColumn* column = origin == origins.end() ? nullptr : find(origin->second);
            if (column != nullptr) column->*place = first + i;
        }
    }

    void learn_types() {
        std::vector<std::string> names;
        for (const UndoColumn& column : m_spec.columns) names.push_back(column.name);
        const std::vector<Column> columns = m_target.describe(
            plain_sql(fmt::format("SELECT {} FROM {}", quote_names(names), m_table.table)), {});
        for (std::size_t i = 0; i < columns.size(); ++i) m_spec.columns[i].type = columns[i].type;
    }

    /// Before anything is touched: what the images lack is known.
    void require_restorable() {
        const bool puts = m_step.kind != UndoKind::removals;
        std::vector<std::string> missing;
        for (const TableColumn& column : m_info.columns) {
            const UndoColumn* known = find(column.name);
            if (!column.generated && (known == nullptr || known->before == UndoColumn::npos))
                missing.push_back(column.name);
        }
        m_spec.whole_rows = missing.empty();
        for (std::size_t i = 0; i < m_spec.key_width; ++i) {
            if (m_spec.columns[i].before != UndoColumn::npos && m_spec.columns[i].after != UndoColumn::npos)
                continue;
            throw Error(ExitCode::failed,
                        fmt::format("the images of {} do not have {} as it stands in the table",
                                    m_table.table, m_spec.columns[i].name),
                        "pre and post have to select the identifier itself. Nothing was changed.");
        }
        if (puts && m_table.deleted > 0 && !missing.empty()) {
            throw Error(
                ExitCode::failed,
                fmt::format("{} of {} cannot be put back: pre did not select {}",
                            counted(m_table.deleted, "deleted row"), m_table.table, join(missing, ", ")),
                "A default in its place could be wrong: a row is only inserted where every column of it "
                "is known. Nothing was changed.");
        }
        const bool any =
            std::any_of(m_spec.columns.begin(), m_spec.columns.end(), [](const UndoColumn& column) {
                return column.before != UndoColumn::npos && column.after != UndoColumn::npos &&
                       !column.generated;
            });
        const bool only_key = m_spec.columns.size() == m_spec.key_width && !m_table.renames;
        if (puts && m_table.updated > 0 && (!any || only_key)) {
            throw Error(ExitCode::failed,
                        fmt::format("{} of {} cannot be put back: no image has a column that was changed",
                                    counted(m_table.updated, "updated row"), m_table.table),
                        "pre and post have to select the columns themselves. Nothing was changed.");
        }
    }

    ReadyStep ready(const Plan& plan) {
        ReadyStep ready;
        ready.plan = &m_plan;
        CaptureSpec& capture = ready.capture;
        capture.path = plan.definition.path;
        capture.table = m_table.table;
        capture.table_id = m_info.id;
        capture.strict = plan.strict;
        capture.range_over_identifier = false;
        capture.change = undo_statements();
        std::vector<std::string> names, arguments;
        for (const UndoColumn& column : m_spec.columns) names.push_back(column.name);
        for (std::size_t i = 0; i < m_spec.key_width; ++i) {
            capture.identifier.push_back(names[i]);
            capture.identifier_types.push_back(m_spec.columns[i].type);
            arguments.push_back(quote_name(names[i]));
        }
        capture.table_key = capture.identifier;
        capture.post.pieces = {{SqlPiece::Kind::text,
                                fmt::format("SELECT {} FROM {} WHERE ", quote_names(names), m_table.table),
                                {},
                                {}},
                               {SqlPiece::Kind::affected, "", arguments, {}}};
        ready.undo = std::move(m_spec);
        ready.undo_rows = count_of(m_table, m_step.kind);
        return ready;
    }

    Target& m_target;
    const StepPlan& m_plan;
    const UndoStep& m_step;
    const UndoTable& m_table;
    const UndoRun& m_undo;
    TableInfo m_info;
    Origins m_before, m_after;
    UndoSpec m_spec;
};

}  // namespace

Preflight check_undo(Target& target, const Plan& plan, const UndoRun& undo) {
    Preflight preflight;
    target.begin(Isolation::read_only);
    try {
        const ImageOrigins origins(target, undo.source.run());
        for (std::size_t i = 0; i < plan.steps.size(); ++i) {
            const UndoStep& step = undo.steps[i];
            if (!step.by_hand) {
                preflight.steps.push_back(UndoCheck(target, plan.steps[i], step, undo, origins).check(plan));
                continue;
            }
            ReadyStep ready = check_step(target, plan, plan.steps[i]);
            ready.by_hand = true;
            ready.undo_rows = count_of(*step.table, step.kind);
            preflight.steps.push_back(std::move(ready));
        }
    } catch (...) {
        target.rollback();
        throw;
    }
    target.commit();
    return preflight;
}

}  // namespace datachange
