#include "capture/capture.hpp"
#include "capture/set_reader.hpp"
#include "core/text.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using Texts = std::vector<std::string>;

namespace {

constexpr int rows = 20000;
constexpr std::uint64_t batch = 200;

/// A kind of key, and an expression that gives one for a number i, in no order of its own.
struct KeyKind {
    std::string name;
    Texts types;   ///< of the key's columns
    Texts values;  ///< of i
};

std::vector<KeyKind> key_kinds(Engine engine) {
    const bool postgres = engine == Engine::postgresql;
    const std::string text = postgres ? "'k' || lpad(i::text, 8, '0')" : "printf('k%08d', i)";
    std::vector<KeyKind> kinds{{"dense", {"bigint"}, {"i"}},
                               {"sparse", {"bigint"}, {"i * i"}},
                               {"text", {"text"}, {text}},
                               {"composite", {"integer", "text"}, {"i % 7", text}}};
    if (postgres) kinds.push_back({"uuid", {"uuid"}, {"md5(i::text)::uuid"}});
    if (!postgres) kinds.push_back({"rowid", {"INTEGER PRIMARY KEY"}, {"3 * i"}});
    return kinds;
}

/// What the planner knows of the table.
enum class Statistics { none, of_the_empty_table, fresh };

struct Case {
    KeyKind key;
    Texts columns;  ///< of the key
    SqlTemplate pre, change, post;
};

SqlTemplate statement(const std::string& before, SqlPiece::Kind kind, const Texts& columns,
                      const std::string& after = "") {
    return with_macro(before, kind, columns, after);
}

/// Table t with an index on state, which every row of the set has alike: no statement may go by it.
Case make_case(Target& target, const KeyKind& key, Statistics statistics) {
    const bool postgres = target.engine() == Engine::postgresql;
    Case made{key, {}, {}, {}, {}};
    std::string definition;
    for (std::size_t i = 0; i < key.types.size(); ++i) {
        made.columns.push_back("k" + std::to_string(i + 1));
        definition += made.columns.back() + " " + key.types[i] + " NOT NULL, ";
    }
    const std::string keys = join(made.columns, ", ");
    const std::string last = key.name == "rowid" ? "" : ", PRIMARY KEY (" + keys + ")";
    target.query("CREATE TABLE t (" + definition + "state text, name text, filler text" + last + ")" +
                 (postgres ? " WITH (autovacuum_enabled = off)" : ""));
    // without statistics PostgreSQL takes this index for as good as the key's
    if (!postgres || statistics == Statistics::fresh) target.query("CREATE INDEX by_state ON t (state)");
    if (statistics == Statistics::of_the_empty_table) target.query("ANALYZE t");
    const std::string numbers =
        postgres ? "generate_series(1, " + std::to_string(rows) + ") AS i"
                 : "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                       std::to_string(rows) + ") SELECT i FROM n) AS n";
    target.query("INSERT INTO t SELECT " + join(key.values, ", ") +
                 ", 'old', 'n' || i, 'a filler that makes rows as wide as rows are' FROM " + numbers);
    if (statistics == Statistics::fresh) target.query("ANALYZE t");
    made.pre = statement("SELECT " + keys + ", name FROM t WHERE state = 'old' AND ", SqlPiece::Kind::batch,
                         made.columns);
    made.change = statement("UPDATE t SET name = name || '!' WHERE state = 'old' AND ", SqlPiece::Kind::batch,
                            made.columns, " RETURNING " + keys + ", name");
    made.post = statement("SELECT " + keys + ", name FROM t WHERE ", SqlPiece::Kind::affected, made.columns);
    return made;
}

struct Ranges {
    KeySource source;
    Key greatest;
};

Ranges ranges_of(Target& target, const Case& tested) {
    Ranges ranges{{tested.pre, tested.columns, tested.key.types, false}, {}};
    const SetSize size = measure(target, ranges.source, true);
    REQUIRE(size.keys == rows);
    ranges.greatest = size.greatest.value();
    return ranges;
}

std::vector<Key> keys_of(const RowSet& found, std::size_t width) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < width; ++i) places.push_back(i);
    std::vector<Key> keys;
    for (std::size_t row = 0; row < found.size(); ++row) keys.push_back(found.key(row, places));
    return keys;
}

struct Reads {
    std::int64_t scans = 0;    ///< of the whole table
    std::int64_t fetched = 0;  ///< rows or index entries
};

/// As the server counts them in this transaction.
Reads reads(Target& target) {
    const RowSet found = target.query(
        "SELECT coalesce(sum(t.seq_scan), 0)::bigint, coalesce(sum(t.seq_tup_read + "
        "coalesce(t.idx_tup_fetch, "
        "0)), 0)::bigint + coalesce(sum((SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) FROM "
        "pg_index i WHERE i.indrelid = t.relid)), 0)::bigint FROM pg_stat_xact_user_tables t WHERE t.relname "
        "= "
        "'t'");
    return {std::stoll(found.text(0, 0)), std::stoll(found.text(0, 1))};
}

/// Looks at what a statement reads; no more than a few times the rows of its batch.
template <typename Call>
void check_reads(Target& target, const std::string& what, Call&& call) {
    const Reads before = reads(target);
    call();
    const Reads after = reads(target);
    CAPTURE(what, after.fetched - before.fetched);
    CHECK(after.scans == before.scans);
    CHECK(after.fetched - before.fetched <= static_cast<std::int64_t>(4 * batch));
}

}  // namespace

TEST_CASE("PostgreSQL: a batch reads its own rows by index, whatever the planner knows",
          "[postgres][plans]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto statistics = GENERATE(Statistics::none, Statistics::of_the_empty_table, Statistics::fresh);
    const auto plans = GENERATE(as<std::string>{}, "auto", "force_generic_plan", "force_custom_plan");
    target->query("SET plan_cache_mode = " + plans);
    for (const KeyKind& kind : key_kinds(Engine::postgresql)) {
        CAPTURE(kind.name, static_cast<int>(statistics), plans);
        const Case tested = make_case(*target, kind, statistics);
        const Ranges ranges = ranges_of(*target, tested);
        Scope scope;
        scope.range_types = scope.affected_types = kind.types;
        for (int number = 0; number < 8; ++number) {
            target->begin(Isolation::repeatable_read);
            std::optional<NextRange> next;
            check_reads(*target, "next range", [&] {
                next = next_range(*target, ranges.source, scope.range.upto, ranges.greatest, batch);
            });
            REQUIRE(next);
            scope.range = next->range;
            RowSet pre;
            const auto read_pre = [&] {
                pre = target->query(in_key_order(tested.pre, tested.columns), scope);
            };
            const auto change = [&] { target->query(tested.change, scope); };
            // the first range has no lower bound: without statistics that is a third of the table
            if (number == 0 && statistics != Statistics::fresh) {
                read_pre();
                change();
            } else {
                check_reads(*target, "pre", read_pre);
                check_reads(*target, "change", change);
            }
            CHECK(pre.size() == batch);
            const std::vector<Key> keys = keys_of(pre, kind.types.size());
            scope.affected = &keys;
            check_reads(*target, "post",
                        [&] { target->query(in_key_order(tested.post, tested.columns), scope); });
            CHECK(target->commit().outcome == Outcome::committed);
        }
        target->query("DROP TABLE t");
    }
}

TEST_CASE("PostgreSQL: a batch of 10,000 rows needs no temporary file", "[postgres][plans]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto statistics = GENERATE(Statistics::none, Statistics::of_the_empty_table, Statistics::fresh);
    target->query("SET temp_file_limit = 0");  // the first one is an error
    for (const KeyKind& kind : key_kinds(Engine::postgresql)) {
        CAPTURE(kind.name, static_cast<int>(statistics));
        const Case tested = make_case(*target, kind, statistics);
        const Ranges ranges = ranges_of(*target, tested);
        Scope scope;
        scope.range_types = scope.affected_types = kind.types;
        target->begin(Isolation::repeatable_read);
        scope.range = next_range(*target, ranges.source, std::nullopt, ranges.greatest, 10000).value().range;
        const RowSet pre = target->query(in_key_order(tested.pre, tested.columns), scope);
        CHECK(pre.size() == 10000);
        CHECK(target->query(tested.change, scope).size() == 10000);
        const std::vector<Key> keys = keys_of(pre, kind.types.size());
        scope.affected = &keys;
        CHECK(target->query(in_key_order(tested.post, tested.columns), scope).size() == 10000);
        target->rollback();
        target->query("DROP TABLE t");
    }
}

TEST_CASE("SQLite: a batch goes by the key's index, with statistics and without", "[sqlite][plans]") {
    const TestDatabase database(Engine::sqlite);
    const auto target = database.connect();
    const auto statistics = GENERATE(Statistics::none, Statistics::fresh);
    const auto plan_of = [&](const SqlTemplate& sql, const Scope& scope) {
        std::string plan;
        const RowSet found = target->query(wrap("EXPLAIN QUERY PLAN", sql, ""), scope);
        for (std::size_t row = 0; row < found.size(); ++row) plan += found.text(row, 3) + "\n";
        return plan;
    };
    const auto contains = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    };
    for (const KeyKind& kind : key_kinds(Engine::sqlite)) {
        const Case tested = make_case(*target, kind, statistics);
        const Ranges ranges = ranges_of(*target, tested);
        Scope scope;
        // the first range has one bound, those behind it two
        for (int number = 0; number < 2; ++number) {
            scope.range =
                next_range(*target, ranges.source, scope.range.upto, ranges.greatest, batch).value().range;
            const RowSet pre = target->query(in_key_order(tested.pre, tested.columns), scope);
            CHECK(pre.size() == batch);
            const std::vector<Key> keys = keys_of(pre, kind.types.size());
            scope.affected = &keys;
            const std::string of_pre = plan_of(in_key_order(tested.pre, tested.columns), scope);
            const std::string of_change = plan_of(tested.change, scope);
            const std::string of_post = plan_of(in_key_order(tested.post, tested.columns), scope);
            CAPTURE(kind.name, static_cast<int>(statistics), of_pre, of_change, of_post);
            for (const std::string& plan : {of_pre, of_change}) {
                const bool by_key = contains(plan, "SEARCH t USING INDEX sqlite_autoindex_t_1 (") ||
                                    contains(plan, "SEARCH t USING INTEGER PRIMARY KEY (rowid");
                // the rowid stands behind the columns of every index
                const bool by_both = contains(plan, "INDEX by_state (state=? AND rowid");
                CHECK((by_key || by_both));
                CHECK(contains(plan, "<"));
                CHECK(contains(plan, ">") == (number > 0));
            }
            CHECK(!contains(of_pre, "TEMP B-TREE"));
            CHECK(contains(of_post, "SEARCH t USING I"));
            CHECK(!contains(of_post, "by_state"));
        }
        target->query("DROP TABLE t");
    }
}
