#include "target/test_database.hpp"

#include <SQLiteCpp/Database.h>

namespace datachange::test {

TestDatabase::TestDatabase(Engine engine) : m_engine(engine) {
    if (engine == Engine::postgresql) {
        m_postgres.emplace();
        return;
    }
    m_folder.emplace();
    SQLite::Database(address(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec("PRAGMA user_version = 1");
}

std::string TestDatabase::address() const {
    return m_postgres ? m_postgres->url() : *m_folder / "test.db";
}

std::unique_ptr<Target> TestDatabase::connect() const {
    return m_postgres ? connect_postgres(address(), "datachange tests") : open_sqlite(address());
}

void execute_all(Target& target, const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) target.query(statement);
}

RowSet run(Target& target, const std::string& sql) {
    return target.query(plain_sql(sql), {});
}

SqlTemplate with_macro(const std::string& prefix, SqlPiece::Kind kind,
                       const std::vector<std::string>& arguments, const std::string& suffix) {
    SqlTemplate sql;
    sql.pieces = {{SqlPiece::Kind::text, prefix, {}, {}},
                  {kind, kind == SqlPiece::Kind::batch ? ":batch" : ":affected", arguments, {}},
                  {SqlPiece::Kind::text, suffix, {}, {}}};
    return sql;
}

std::vector<std::string> texts(const RowSet& rows) {
    std::vector<std::string> texts;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        std::string text;
        for (std::size_t column = 0; column < rows.width(); ++column) {
            if (column > 0) text += '|';
            text += rows.at(row, column).is_null() ? "NULL" : rows.text(row, column);
        }
        texts.push_back(text);
    }
    return texts;
}

std::vector<std::string> types(const RowSet& rows) {
    std::vector<std::string> types;
    for (const Column& column : rows.columns()) types.push_back(column.type);
    return types;
}

std::string counts(const TouchedTables& touched, const std::string& table) {
    const auto found = touched.tables.find(table);
    if (found == touched.tables.end()) return "-";
    return std::to_string(found->second.inserted) + "/" + std::to_string(found->second.updated) + "/" +
           std::to_string(found->second.deleted) + (found->second.truncated ? " truncated" : "");
}

}  // namespace datachange::test
