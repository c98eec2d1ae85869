#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "core/sql_template.hpp"
#include "core/text.hpp"
#include "definition/lexer.hpp"
#include "migrate/adopt.hpp"

namespace datachange {

namespace {

bool is_version(std::string_view text) {
    constexpr std::size_t digits = 14;
    return text.size() == digits &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_true(const std::string& text) {
    const std::string word = lower(text);
    return word == "t" || word == "true" || word == "1";
}

/// A table of another tool, its columns by name.
class ToolTable {
public:
    /// @param wanted columns that the table must have; @param besides columns that it may have
    ToolTable(Target& target, const std::string& tool, const std::string& table,
              const std::vector<std::string>& wanted, const std::vector<std::string>& besides,
              const std::vector<std::string>& order) {
        if (!target.has_table(table)) {
            throw Error(
                ExitCode::usage, fmt::format("there is no table {} in {}", table, target.name()),
                fmt::format(
                    "It is where {} keeps what it has done. Where yours has another name, give it with "
                    "--table. Nothing was changed.",
                    tool));
        }
        std::vector<Column> columns;
        for (const TableColumn& column : target.table(table).columns)
            columns.push_back({column.name, "", "", ""});
        for (const std::string& name : wanted) {
            if (find_column(columns, name)) continue;
            throw Error(ExitCode::usage,
                        fmt::format("{} is no table of {}: it has no column {}", table, tool, name),
                        "Name the right one with --table, or another tool with --from. Nothing was changed.");
        }
        read(target, table, columns, wanted, besides, order);
    }

    std::size_t size() const { return m_rows.size(); }
    /// "" for NULL, and for a column that the table does not have.
    std::string text(std::size_t row, const std::string& column) const {
        const auto place = m_places.find(column);
        return place == m_places.end() ? "" : m_rows.text(row, place->second);
    }

private:
    void read(Target& target, const std::string& table, const std::vector<Column>& columns,
              std::vector<std::string> names, const std::vector<std::string>& besides,
              const std::vector<std::string>& order) {
        const auto is_there = [&](const std::string& name) { return find_column(columns, name).has_value(); };
        std::copy_if(besides.begin(), besides.end(), std::back_inserter(names), is_there);
        std::vector<std::string> selected, ordered;
        for (const std::string& name : names) {
            m_places[name] = selected.size();
            selected.push_back(quote_name(columns[*find_column(columns, name)].name));
        }
        for (const std::string& name : order) {
            if (is_there(name)) ordered.push_back(quote_name(columns[*find_column(columns, name)].name));
        }
        m_rows = target.query(
            fmt::format("SELECT {} FROM {} ORDER BY {}", join(selected, ", "), table, join(ordered, ", ")));
    }

    std::map<std::string, std::size_t> m_places;
    RowSet m_rows;
};

/// Puts a version where it belongs.
void take(ToolRecord& record, const std::string& version, const std::string& said) {
    if (is_version(version)) {
        record.done.push_back({version, said});
    } else {
        record.left_out.push_back({version, "is no version of 14 digits"});
    }
}

/// A table that holds a row for each version that has run, and nothing else.
ToolRecord read_versions(Target& target, const std::string& tool, const std::string& table) {
    ToolRecord record{tool, table, {}, {}};
    const ToolTable rows(target, tool, table, {"version"}, {"created_at"}, {"version"});
    std::set<std::string> seen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string version = rows.text(i, "version");
        if (!seen.insert(version).second) continue;
        const std::string since = rows.text(i, "created_at");
        take(record, version, fmt::format("stands in {}{}", table, since.empty() ? "" : " since " + since));
    }
    return record;
}

/// rails_async_migrations: a row for each version and direction; created, pending, processing, done, failed.
ToolRecord read_async(Target& target, const std::string& table) {
    ToolRecord record{"rails-async", table, {}, {}};
    const ToolTable rows(target, record.tool, table, {"version", "direction", "state"}, {"updated_at"},
                         {"id", "created_at", "version"});
    struct Version {
        std::optional<std::size_t> up, down;
    };
    std::map<std::string, Version> versions;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Version& version = versions[rows.text(i, "version")];
        (rows.text(i, "direction") == "down" ? version.down : version.up) = i;
    }
    for (const auto& [version, found] : versions) {
        if (found.down) {
            const std::string state = rows.text(*found.down, "state");
            record.left_out.push_back(
                {version, state == "done" ? "was migrated down" : "its way down is " + state});
            continue;
        }
        const std::string state = rows.text(*found.up, "state");
        if (state != "done") {
            record.left_out.push_back({version, "is " + state});
            continue;
        }
        const std::string when = rows.text(*found.up, "updated_at");
        take(record, version, fmt::format("up, done{}", when.empty() ? "" : " on " + when));
    }
    return record;
}

/// Why a Flyway row that decides on its version does not say that it was done; "": it does.
std::string flyway_obstacle(const ToolTable& rows, std::size_t row) {
    const std::string type = upper(rows.text(row, "type"));
    const bool success = is_true(rows.text(row, "success"));
    const std::string when = " on " + rows.text(row, "installed_on");
    if (type.starts_with("UNDO")) return (success ? "was undone" : "its undo failed") + when;
    if (type == "DELETE") return "was marked as deleted by flyway repair" + when;
    if (!success) return "failed" + when;
    if (type == "BASELINE" || type == "SCRIPT_BASELINE" || type == "SQL_BASELINE")
        return "is a baseline: what it stands for was not run by flyway (`datachange mark` says it of single "
               "versions)";
    if (type == "SCHEMA") return "is the creation of a schema";
    return "";
}

/// V2025.01.01.120000 and V20250101_120000 are the 14 digits of a file here, written in another way.
std::string flyway_version(const std::string& version, const std::vector<AdoptableFile>& files) {
    std::string digits = version;
    std::erase_if(digits, [](char c) { return c == '.' || c == '_'; });
    const bool has_file = std::any_of(files.begin(), files.end(),
                                      [&](const AdoptableFile& file) { return file.version == digits; });
    return has_file ? digits : version;
}

ToolRecord read_flyway(Target& target, const std::string& table, const std::vector<AdoptableFile>& files) {
    ToolRecord record{"flyway", table, {}, {}};
    const ToolTable rows(target, record.tool, table,
                         {"installed_rank", "version", "description", "type", "script", "installed_by",
                          "installed_on", "success"},
                         {}, {"installed_rank"});
    std::map<std::string, std::size_t> newest;  // the last row of a version decides
    std::vector<std::string> order;
    std::set<std::string> repeatable;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string version = rows.text(i, "version");
        if (version.empty()) {
            const std::string script = rows.text(i, "script");
            const bool schema = upper(rows.text(i, "type")) == "SCHEMA";
            if (repeatable.insert(script).second)
                record.left_out.push_back(
                    {script, schema ? "is the creation of a schema" : "is repeatable: it has no version"});
            continue;
        }
        if (newest.insert_or_assign(version, i).second) order.push_back(version);
    }
    for (const std::string& version : order) {
        const std::size_t row = newest.at(version);
        const std::string obstacle = flyway_obstacle(rows, row);
        if (!obstacle.empty()) {
            record.left_out.push_back({version, obstacle});
            continue;
        }
        take(record, flyway_version(version, files),
             fmt::format("success, {} {}, installed by {} on {}", rows.text(row, "type"),
                         rows.text(row, "script"), rows.text(row, "installed_by"),
                         rows.text(row, "installed_on")));
    }
    return record;
}

/// The files that a change of sqitch may mean: by name, or by version and name.
std::vector<const AdoptableFile*> files_named(const std::string& change,
                                              const std::vector<AdoptableFile>& files) {
    std::vector<const AdoptableFile*> found;
    for (const AdoptableFile& file : files) {
        if (change == file.name || change == file.version + "_" + file.name || change == file.version)
            found.push_back(&file);
    }
    return found;
}

ToolRecord read_sqitch(Target& target, const std::string& table, const std::vector<AdoptableFile>& files) {
    ToolRecord record{"sqitch", table, {}, {}};
    // reverted changes are not in it: that is what sqitch itself goes by
    const ToolTable rows(target, record.tool, table, {"change", "project", "committed_at", "committer_name"},
                         {}, {"committed_at", "change"});
    std::set<std::string> taken;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string change = rows.text(i, "change");
        const auto found = files_named(change, files);
        if (found.size() != 1) {
            record.left_out.push_back({change, found.empty()
                                                   ? "no file here is named so"
                                                   : fmt::format("{} files are named so", found.size())});
            continue;
        }
        if (!taken.insert(found.front()->version).second) continue;
        record.done.push_back(
            {found.front()->version,
             fmt::format("change {} of project {}, deployed by {} on {}", change, rows.text(i, "project"),
                         rows.text(i, "committer_name"), rows.text(i, "committed_at"))});
    }
    return record;
}

}  // namespace

const std::vector<std::string>& adoptable_tools() {
    static const std::vector<std::string> tools{"data_migrate", "monarch", "rails-async", "flyway", "sqitch"};
    return tools;
}

std::string default_table(const std::string& tool, Engine engine) {
    if (tool == "data_migrate") return "data_migrations";
    if (tool == "monarch") return "data_migration_records";
    if (tool == "rails-async") return "async_schema_migrations";
    if (tool == "flyway") return "flyway_schema_history";
    return engine == Engine::postgresql ? "sqitch.changes" : "changes";
}

ToolRecord read_tool(Target& target, const std::string& tool, const std::string& table,
                     const std::vector<AdoptableFile>& files) {
    target.begin(Isolation::read_only);
    try {
        ToolRecord record = tool == "rails-async" ? read_async(target, table)
                            : tool == "flyway"    ? read_flyway(target, table, files)
                            : tool == "sqitch"    ? read_sqitch(target, table, files)
                                                  : read_versions(target, tool, table);
        target.rollback();
        return record;
    } catch (...) {
        target.rollback();
        throw;
    }
}

}  // namespace datachange
