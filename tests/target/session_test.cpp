#include <atomic>
#include <chrono>
#include <thread>

#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

Engine each_engine() {
    return GENERATE(Engine::postgresql, Engine::sqlite);
}

bool is_postgres(const TestDatabase& database) {
    return database.engine() == Engine::postgresql;
}

/// A statement that takes far longer than any test may.
std::string endless(const TestDatabase& database) {
    return is_postgres(database)
               ? "SELECT pg_sleep(600)"
               : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
}

std::string interrupted(const TestDatabase& database) {
    return is_postgres(database) ? "57014" : "SQLITE_INTERRUPT";
}

DatabaseError failure_of(Target& target, const std::string& sql) {
    return error_of<DatabaseError>([&] { run(target, sql); });
}

/// Cancels again and again until it is told to stop: a statement's beginning cannot be seen from outside.
class Canceling {
public:
    explicit Canceling(Target& target)
        : m_thread([this, &target] {
              while (!m_stop) {
                  target.cancel();
                  std::this_thread::yield();
              }
          }) {}
    ~Canceling() {
        m_stop = true;
        m_thread.join();
    }
    Canceling(const Canceling&) = delete;
    Canceling& operator=(const Canceling&) = delete;

private:
    std::atomic<bool> m_stop{false};
    std::thread m_thread;
};

}  // namespace

TEST_CASE("A transaction that waits for a lock gives up after the lock timeout", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const auto other = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (id integer PRIMARY KEY, n integer)", "INSERT INTO t VALUES (1, 0)"});
    other->begin(Isolation::repeatable_read);
    run(*other, "UPDATE t SET n = 1");
    target->set_timeouts({50ms, 0ms});
    const auto error = error_of<DatabaseError>([&] {
        target->begin(Isolation::read_committed);
        run(*target, "UPDATE t SET n = 2");
    });
    CHECK(error.sqlstate() == (is_postgres(database) ? "55P03" : "SQLITE_BUSY"));
    CHECK(!target->lost());
    target->rollback();
    other->rollback();
    target->begin(Isolation::read_committed);
    run(*target, "UPDATE t SET n = 2");
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("A statement that takes too long is ended by the statement timeout", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    target->set_timeouts({0ms, 50ms});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    const auto error = failure_of(*target, endless(database));
    CHECK(error.sqlstate() == interrupted(database));
    CHECK(!error.hint().empty());
    CHECK(!target->lost());
    target->rollback();
    CHECK(texts(target->query("SELECT count(*) FROM t")) == Texts{"0"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (2)");
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("Timeouts are for transactions that write, and end with them", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const std::string slow =
        is_postgres(database)
            ? "SELECT 1 FROM pg_sleep(0.1)"
            : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 400000) SELECT 1 WHERE "
              "(SELECT count(*) FROM n) > 0";
    target->set_timeouts({1ms, 1ms});
    target->begin(Isolation::read_only);
    CHECK(texts(run(*target, slow)) == Texts{"1"});
    target->rollback();
    target->begin(Isolation::repeatable_read);
    CHECK(failure_of(*target, slow).sqlstate() == interrupted(database));
    target->rollback();
    CHECK(texts(run(*target, slow)) == Texts{"1"});
    target->set_timeouts({});
    target->begin(Isolation::repeatable_read);
    CHECK(texts(run(*target, slow)) == Texts{"1"});
    target->rollback();
}

TEST_CASE("Another thread cancels the statement in hand", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const bool in_transaction = GENERATE(true, false);
    if (in_transaction) target->begin(Isolation::repeatable_read);
    {
        const Canceling canceling(*target);
        CHECK(failure_of(*target, endless(database)).sqlstate() == interrupted(database));
    }
    CHECK(!target->lost());
    target->rollback();
    CHECK(texts(run(*target, "SELECT 1")) == Texts{"1"});
}

TEST_CASE("A cancel without a statement does nothing to the next one", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->cancel();
    for (int round = 0; round < 20; ++round) {
        target->begin(Isolation::repeatable_read);
        target->cancel();
        CHECK(texts(run(*target, "SELECT 1")) == Texts{"1"});
        target->cancel();
        CHECK(target->commit().outcome == Outcome::committed);
    }
}

TEST_CASE("A cancel never breaks off a COMMIT", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    for (int round = 0; round < 10; ++round) {
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1)");
        const Canceling canceling(*target);
        CHECK(target->commit().outcome == Outcome::committed);
    }
    CHECK(texts(target->query("SELECT count(*) FROM t")) == Texts{"10"});
}

TEST_CASE("A stream is cancelled as well", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const std::string sql =
        is_postgres(database)
            ? "SELECT i, pg_sleep(0.001) FROM generate_series(1, 1000000) AS i"
            : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    target->begin(Isolation::read_only);
    std::optional<Canceling> canceling;
    std::size_t pieces = 0;
    const auto error = error_of<DatabaseError>([&] {
        target->stream(plain_sql(sql), 10, [&](RowSet&&) {
            if (++pieces == 3) canceling.emplace(*target);
        });
    });
    CHECK(error.sqlstate() == interrupted(database));
    CHECK(pieces >= 3);
    canceling.reset();
    target->rollback();
}

TEST_CASE("reconnect ends the transaction and keeps the settings", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer PRIMARY KEY)",
                          "CREATE TABLE u (id integer REFERENCES t (id))", "INSERT INTO t VALUES (1)"});
    if (is_postgres(database)) target->query("CREATE SCHEMA journal");
    target->set_journal_schema(is_postgres(database) ? "journal" : "");
    target->set_timeouts({0ms, 50ms});
    const std::string prefix = target->journal_prefix();
    const std::string name = target->name();
    const std::vector<Key> keys{{Value::integer(1)}};
    Scope scope;
    scope.affected = &keys;
    scope.affected_types = {"integer"};
    const SqlTemplate affected = with_macro("SELECT id FROM t WHERE ", SqlPiece::Kind::affected, {"id"});

    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (2)");
    CHECK(texts(target->query(affected, scope)) == Texts{"1"});
    target->reconnect();

    CHECK(!target->lost());
    CHECK(target->journal_prefix() == prefix);
    CHECK(target->name() == name);
    CHECK(target->touched().trust == TouchedTables::Trust::unavailable);
    CHECK(texts(target->query("SELECT id FROM t")) == Texts{"1"});
    CHECK(texts(target->query(affected, scope)) == Texts{"1"});
    target->begin(Isolation::repeatable_read);
    CHECK_THROWS_AS(run(*target, "INSERT INTO u VALUES (5)"), DatabaseError);
    target->rollback();
    target->begin(Isolation::repeatable_read);
    CHECK(failure_of(*target, endless(database)).sqlstate() == interrupted(database));
    target->rollback();
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (3)");
    CHECK(target->touched().tables.size() == 1);
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("A COMMIT after reconnect is not taken for done", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    target->reconnect();
    CHECK(target->commit().outcome == Outcome::rolled_back);
    CHECK(target->query("SELECT * FROM t").empty());
}

TEST_CASE("A cancel may come at any time while the target reconnects", "[contract]") {
    const TestDatabase database(each_engine());
    const auto target = database.connect();
    const Canceling canceling(*target);
    for (int round = 0; round < 5; ++round) CHECK_NOTHROW(target->reconnect());
    CHECK(!target->lost());
}
