#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "definition/definition.hpp"
#include "plan/range_safety.hpp"

using namespace datachange;

namespace {

/// Looks at a statement as the plan does, and holds what the header promises of its pieces.
void check_statement(const SqlTemplate& sql, Engine engine) {
    if (sql.empty() || sql.text().empty()) std::abort();
    for (const SqlPiece& piece : sql.pieces) {
        if (piece.at.line == 0 || (piece.kind != SqlPiece::Kind::text && piece.arguments.empty()))
            std::abort();
    }
    range_obstacle(sql, engine);
    returning_names(sql, engine);
}

void check_step(const Step& step, Engine engine) {
    for (const auto* query : {&step.keys, &step.pre, &step.post, &step.summary, &step.verify}) {
        if (*query) check_statement(**query, engine);
    }
    for (const ChangeStatement& statement : step.change) check_statement(statement.sql, engine);
    for (const ChangeStatement& statement : step.undo) check_statement(statement.sql, engine);
    for (const Watch& watch : step.watches) check_statement(watch.query, engine);
}

}  // namespace

/// The first byte picks the engine, the rest is a definition: it is read, or refused as the user's mistake at
/// a place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Engine engine = data[0] % 2 == 0 ? Engine::postgresql : Engine::sqlite;
    const std::string text{reinterpret_cast<const char*>(data + 1), size - 1};
    try {
        const Definition definition =
            parse_definition({"20260131120000_x.sql", "20260131120000", "x"}, text, engine);
        if (definition.steps.empty()) std::abort();
        for (const Step& step : definition.steps) check_step(step, engine);
    } catch (const Error& error) {
        if (error.code() != ExitCode::usage || !error.where().starts_with("20260131120000_x.sql:"))
            std::abort();
    }
    return 0;
}
