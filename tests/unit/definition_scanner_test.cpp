#include <pg_query.h>
#include <rapidcheck.h>

#include <optional>

#include "core/text.hpp"
#include "definition/statement.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

/// What a scanner can trip over. Every statement has a keyword, without which PostgreSQL's scanner counts
/// none; there are no brackets, of which it takes no account.
const std::vector<std::string> fragments{
    "; SELECT ", "a",  "1",  "1.5 ", "'x'", "E'\\''", "'", "\"", "\"q\"", "$$", "$t$",  "$1 ", "--", "-- c\n",
    "\n",        "\r", "/*", "*/",   "(",   ")",      ":", ":x", "::",    ":=", "+",    "-",   "*",  "/",
    "?",         "@",  "e",  "E",    "U&",  "x",      "N", "é",  ".",     " ",  "CASE", "END"};

/// The number of statements by PostgreSQL's own scanner; nothing if it refuses.
std::optional<std::size_t> counted_by_postgres(const std::string& sql) {
    const PgQuerySplitResult result = pg_query_split_with_scanner(sql.c_str());
    std::optional<std::size_t> count;
    if (result.error == nullptr) count = static_cast<std::size_t>(result.n_stmts);
    pg_query_free_split_result(result);
    return count;
}

}  // namespace

TEST_CASE("statements end where PostgreSQL's own scanner ends them") {
    CHECK(rc::check("split agrees with the scanner", [] {
        const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(fragments));
        const std::string sql = "SELECT " + join(parts, "");
        const std::optional<std::size_t> wanted = counted_by_postgres(sql);
        RC_PRE(wanted.has_value() && sql.find("\"\"") == std::string::npos);
        try {
            RC_ASSERT(split_statements(lex(sql, Engine::postgresql), Engine::postgresql).size() == *wanted);
        } catch (const Mistake& mistake) {  // the scanner pays no heed to parentheses
            RC_ASSERT(std::string{mistake.what()}.find_first_of("()") != std::string::npos);
        }
    }));
}
