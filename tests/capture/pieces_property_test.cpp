#include <fmt/format.h>
#include <rapidcheck.h>

#include "capture/random_change.hpp"
#include "capture/trial.hpp"
#include "core/text.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

/// Random tables, triggers and changes: what is kept never depends on the pieces it was captured in.
void pieces_say_what_the_whole_says(Engine engine) {
    int cut = 0, at_once = 0;
    const bool held = rc::check("a step in pieces is the step at once", [&] {
        RandomTable table;
        Strings setup = create(engine, table);
        if (sometimes()) {
            for (const std::string& statement : trigger(engine)) setup.push_back(statement);
        }
        const std::string macro = one_of({" AND :batch(id)", " AND :batch(id)", " AND :affected(id)", ""});
        std::string text;
        WholeTrial trial;
        try {
            Trial database(engine, setup);
            const bool ranges = macro == " AND :batch(id)";
            text = definition_of("SELECT id, " + join(table.columns, ", ") + " FROM t WHERE " + some_rows() +
                                     (ranges ? macro : ""),
                                 change(engine, table, macro),
                                 sometimes() ? "SELECT * FROM t WHERE :affected(id)" : "");
            trial = database.capture_whole(text, *rc::gen::inRange(1, 4));
        } catch (const Error&) {
            RC_DISCARD("the schema or the definition does not fit together");
        }
        RC_LOG() << join(setup, ";\n") << "\n" << text << "\n";
        RC_ASSERT(trial.in_pieces == trial.at_once);
        ++(trial.pieces > 1 ? cut : at_once);
    });
    CHECK(held);
    CHECK(cut > 0);
    CHECK(at_once > 0);
}

}  // namespace

TEST_CASE("property: a step captured in pieces is the step captured at once on SQLite") {
    pieces_say_what_the_whole_says(Engine::sqlite);
}

TEST_CASE("property: a step captured in pieces is the step captured at once on PostgreSQL") {
    pieces_say_what_the_whole_says(Engine::postgresql);
}
