#include "capture/random_change.hpp"

#include <fmt/format.h>
#include <rapidcheck.h>

#include "core/text.hpp"

namespace datachange::test {

namespace {

/// A value that some column may convert, as an expression.
std::string value(Engine engine) {
    static const Strings sqlite{"1",     "2.0", "-0.0",  "2.5",  "'3'",   "'4.0'",
                                "' 5 '", "'x'", "x'00'", "NULL", "1e300", "''"};
    static const Strings postgresql{"1", "2.50", "-7", "NULL", "0.1 + 0.2", "id * 10"};
    return one_of(engine == Engine::sqlite ? sqlite : postgresql);
}

Strings types(Engine engine) {
    if (engine == Engine::sqlite)
        return {"", "integer", "text", "real", "numeric", "blob", "datetime", "bigint"};
    return {"integer", "text", "real", "numeric(6,1)", "char(9)", "double precision", "varchar(20)"};
}

std::string returning(const RandomTable& table) {
    if (sometimes()) return " RETURNING *";
    Strings columns = table.columns;
    if (sometimes()) columns.pop_back();
    return " RETURNING id" + std::string(columns.empty() ? "" : ", ") +
           join(columns, sometimes() ? ", t." : ", ");
}

}  // namespace

std::string one_of(const Strings& choices) {
    return *rc::gen::elementOf(choices);
}

bool sometimes() {
    return *rc::gen::inRange(0, 4) == 0;
}

Strings create(Engine engine, RandomTable& table) {
    const int width = *rc::gen::inRange(1, 4);
    const std::string key = one_of({"integer", "text"});
    std::string columns = "id " + key + " PRIMARY KEY";
    for (int i = 0; i < width; ++i) {
        table.columns.push_back("c" + std::to_string(i));
        table.types.push_back(one_of(types(engine)));
        columns += ", " + table.columns.back() + " " + table.types.back();
    }
    Strings setup{"CREATE TABLE t (" + columns + ")", "CREATE TABLE log (what text)"};
    const int rows = *rc::gen::inRange(0, 8);
    for (int row = 0; row < rows; ++row) {
        const std::string id =
            key == "integer"
                ? std::to_string(row * 3 % 8)
                : "'" + Strings{"b", "A", "a", "B", "-", "z1", "Z", "10"}[static_cast<std::size_t>(row)] +
                      "'";
        setup.push_back(fmt::format("INSERT INTO t (id, c0) VALUES ({}, {})", id,
                                    key == "integer" || engine == Engine::sqlite ? "1" : "2"));
    }
    return setup;
}

Strings trigger(Engine engine) {
    const std::string when = one_of({"BEFORE", "AFTER"}) + " " + one_of({"UPDATE", "DELETE", "INSERT"});
    const std::string row = when.ends_with("DELETE") ? "OLD" : "NEW";
    const std::string body =
        one_of({"INSERT INTO log VALUES ('x');", "DELETE FROM log;",
                "UPDATE t SET c0 = NULL WHERE id = " + row + ".id AND c0 IS NOT NULL;",
                "DELETE FROM t WHERE id = " + row + ".id;", "DELETE FROM t WHERE c0 IS NULL;",
                "INSERT INTO t (id) SELECT id FROM t WHERE false;"});
    const std::string guard = sometimes() ? row + ".c0 IS NOT NULL" : "true";
    if (engine == Engine::sqlite)
        return {fmt::format("CREATE TRIGGER x {} ON t FOR EACH ROW WHEN {} BEGIN {} END", when, guard, body)};
    const std::string function = fmt::format(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF {} THEN {} END IF; RETURN {}; "
        "END$$",
        guard, body, sometimes() ? "NULL" : row);
    const bool deferred = when.starts_with("AFTER") && sometimes();
    return {function,
            fmt::format("CREATE {} TRIGGER x {} ON t {} FOR EACH ROW EXECUTE FUNCTION f()",
                        deferred ? "CONSTRAINT" : "", when, deferred ? "DEFERRABLE INITIALLY DEFERRED" : "")};
}

std::string some_rows() {
    return one_of({"true", "c0 IS NOT NULL", "id IN (SELECT max(id) FROM t)",
                   "id NOT IN (SELECT min(id) FROM t)", "false"});
}

std::string change(Engine engine, const RandomTable& table, const std::string& condition) {
    const std::string verb = one_of({"UPDATE", "UPDATE", "UPDATE", "DELETE", "INSERT"});
    if (verb == "DELETE") return "DELETE FROM t WHERE " + some_rows() + condition + returning(table);
    if (verb == "INSERT") {
        const std::string new_rows = one_of({"(30), (20)", "(7), (30)", "(-1), (100), (9)"});
        return "INSERT INTO t (id) VALUES " + new_rows + (sometimes() ? " ON CONFLICT DO NOTHING" : "") +
               returning(table);
    }
    const std::string column = one_of(table.columns);
    std::string expression = value(engine);
    if (engine == Engine::postgresql) {
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            if (table.columns[i] != column) continue;
            expression =
                fmt::format("({})::{}", expression.starts_with("id") ? "12.25" : expression, table.types[i]);
        }
    }
    return fmt::format("UPDATE t SET {} = {} WHERE {}{}{}", column, expression, some_rows(), condition,
                       returning(table));
}

}  // namespace datachange::test
