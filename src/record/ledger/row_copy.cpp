#include "record/ledger/row_copy.hpp"

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

/// Numbers that SQLite gives.
const std::map<std::string, std::string> own_numbers{
    {"runs", "run_id"}, {"batch", "id"}, {"events", "event_id"}};

/// The value as it is; the row outlives the execution.
void bind_as_it_is(SQLite::Statement& statement, int place, const SQLite::Column& value) {
    if (value.isInteger()) {
        statement.bind(place, value.getInt64());
    } else if (value.isFloat()) {
        statement.bind(place, value.getDouble());
    } else if (value.isNull()) {
        statement.bind(place);
    } else if (value.isBlob()) {
        statement.bindNoCopy(place, value.getBlob(), value.getBytes());
    } else {
        statement.bind(place, value.getString());
    }
}

}  // namespace

std::vector<std::string> RowCopy::columns_of(const std::string& table, const Instead& without) {
    const auto numbered = own_numbers.find(table);
    SQLite::Statement& query = m_to.bound("SELECT name FROM pragma_table_info(?)", table);
    std::vector<std::string> columns;
    while (query.executeStep()) {
        std::string name = query.getColumn(0).getString();
        const bool own = numbered != own_numbers.end() && numbered->second == name;
        if (!own && !without.contains(name)) columns.push_back(std::move(name));
    }
    query.reset();
    return columns;
}

std::string RowCopy::select(const std::string& table, const std::vector<std::string>& columns,
                            const std::string& where) {
    return fmt::format("SELECT {} FROM {} WHERE {}", join(columns, ", "), table, where);
}

std::uint64_t RowCopy::insert(SQLite::Statement& rows, const std::string& table,
                              const std::vector<std::string>& columns, const Instead& instead) {
    std::vector<std::string> names = columns;
    for (const auto& [name, value] : instead) names.push_back(name);
    const std::vector<std::string> places(names.size(), "?");
    SQLite::Statement& insert = m_to.statement(
        fmt::format("INSERT INTO {}({}) VALUES ({})", table, join(names, ", "), join(places, ", ")));
    std::uint64_t count = 0;
    while (rows.executeStep()) {
        int place = 0;
        for (std::size_t i = 0; i < columns.size(); ++i, ++place)
            bind_as_it_is(insert, place + 1, rows.getColumn(place));
        for (const auto& [name, value] : instead) insert.bind(++place, value);
        insert.exec();
        insert.reset();
        ++count;
    }
    rows.reset();
    return count;
}

void RowCopy::update_run(std::int64_t here, std::int64_t there) {
    const auto columns = columns_of("runs", {{"csv_directory", 0}, {"root", 0}});
    SQLite::Statement& row = m_from.bound(select("runs", columns, "run_id = ?"), there);
    SQLite::Statement& update =
        m_to.statement(fmt::format("UPDATE runs SET {} = ? WHERE run_id = ?", join(columns, " = ?, ")));
    row.executeStep();
    int place = 0;
    for (; place < static_cast<int>(columns.size()); ++place)
        bind_as_it_is(update, place + 1, row.getColumn(place));
    update.bind(place + 1, here);
    update.exec();
    update.reset();
    row.reset();
}

}  // namespace datachange
