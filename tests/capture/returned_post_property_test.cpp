#include <rapidcheck.h>

#include "capture/random_change.hpp"
#include "capture/trial.hpp"
#include "core/text.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

/// Random tables, triggers and changes: what is kept never depends on where post came from.
void post_is_as_read(Engine engine) {
    int read = 0, taken = 0;
    const bool held = rc::check("post from RETURNING is post as it is read", [&] {
        RandomTable table;
        Strings setup = create(engine, table);
        if (*rc::gen::inRange(0, 2) == 0) {
            for (const std::string& statement : trigger(engine)) setup.push_back(statement);
        }
        std::string text;
        TrialResult result;
        try {
            Trial trial(engine, setup);
            text = definition_of("SELECT id, " + join(table.columns, ", ") + " FROM t WHERE " + some_rows(),
                                 change(engine, table));
            result = trial.capture(text);
        } catch (const Error&) {
            RC_DISCARD("the schema or the definition does not fit together");
        }
        RC_LOG() << join(setup, ";\n") << "\n" << text << "\n";
        RC_ASSERT(result.kept == result.read);
        ++(result.read_post ? read : taken);
    });
    CHECK(held);
    CHECK(read > 0);
    CHECK(taken > 0);
}

}  // namespace

TEST_CASE("property: post from RETURNING is post as it is read on SQLite") {
    post_is_as_read(Engine::sqlite);
}

TEST_CASE("property: post from RETURNING is post as it is read on PostgreSQL") {
    post_is_as_read(Engine::postgresql);
}
