#include <algorithm>
#include <chrono>

#include "core/hash.hpp"
#include "target/own_server.hpp"
#include "target/postgres/sessions.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string pid_of(Target& target) {
    return target.query("SELECT pg_backend_pid()").text(0, 0);
}

/// Asks until it is so; the test fails if it does not become so.
template <typename Condition>
void wait_until(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) FAIL("what was waited for did not happen");
    }
}

bool is_gone(Target& other, const std::string& pid) {
    return other.query("SELECT 1 FROM pg_stat_activity WHERE pid = " + pid).empty();
}

void terminate(Target& other, const std::string& pid) {
    other.query("SELECT pg_terminate_backend(" + pid + ", 10000)");
}

/// The next statement says that the connection is lost, by SQLSTATE as well, and so do all that follow.
void check_lost(Target& target) {
    const auto error = error_of<DatabaseError>([&] { run(target, "SELECT 1"); });
    const Texts farewells{"57P01", "57P02", "57P03", "25P03"};
    CAPTURE(error.sqlstate());
    CHECK(error.code() == ExitCode::unreachable);
    CHECK((error.sqlstate().starts_with("08") ||
           std::find(farewells.begin(), farewells.end(), error.sqlstate()) != farewells.end()));
    CHECK(target.lost());
    CHECK(error_of<DatabaseError>([&] { run(target, "SELECT 1"); }).sqlstate() == "08006");
}

std::string setting(Target& target, const std::string& name) {
    return target.query("SHOW " + name).text(0, 0);
}

/// A role of its own that may connect; gone with the object.
class TestRole {
public:
    TestRole(Target& owner, const std::string& kind)
        : m_owner(owner), m_name("datachange_" + kind + new_uuid().substr(0, 8)) {
        m_owner.query("CREATE ROLE " + m_name + " LOGIN");
    }
    ~TestRole() {
        try {
            m_owner.query("DROP ROLE " + m_name);
        } catch (const Error& error) {
            UNSCOPED_INFO("the role stays: " << error.what());
        }
    }
    TestRole(const TestRole&) = delete;
    TestRole& operator=(const TestRole&) = delete;

    const std::string& name() const { return m_name; }

private:
    Target& m_owner;
    std::string m_name;
};

}  // namespace

TEST_CASE("PostgreSQL: a session that an administrator ended is lost, and works again after reconnect",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto other = database.connect();
    const auto target = connect_postgres(database.address(), "datachange of somebody");
    execute_all(*target, {"CREATE SCHEMA journal", "CREATE TYPE mood AS ENUM ('good')",
                          "CREATE TABLE t (id integer, mood mood)"});
    target->set_journal_schema("journal");
    target->set_timeouts({1234ms, 0ms});
    const std::string prefix = target->journal_prefix();
    CHECK(!target->lost());
    const bool in_transaction = GENERATE(true, false);
    if (in_transaction) {
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1, 'good')");
    }
    terminate(*other, pid_of(*target));
    check_lost(*target);
    target->cancel();
    target->reconnect();

    CHECK(!target->lost());
    CHECK(target->journal_prefix() == prefix);
    CHECK(setting(*target, "application_name") == "datachange of somebody");
    CHECK(target->query("SELECT * FROM t").empty());
    target->begin(Isolation::repeatable_read);
    CHECK(setting(*target, "lock_timeout") == "1234ms");
    CHECK(types(run(*target, "INSERT INTO t VALUES (2, 'good') RETURNING *")) == Texts{"integer", "mood"});
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("PostgreSQL: a session that idled too long in its transaction is lost", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto other = database.connect();
    const auto target = database.connect();
    target->begin(Isolation::repeatable_read);
    const std::string pid = pid_of(*target);
    target->query("SET LOCAL idle_in_transaction_session_timeout = '10ms'");
    wait_until([&] { return is_gone(*other, pid); });
    check_lost(*target);
    target->reconnect();
    CHECK(texts(run(*target, "SELECT 1")) == Texts{"1"});
}

TEST_CASE("PostgreSQL: a server that was stopped is found again when it is back", "[postgres]") {
    OwnServer server;
    const auto target = connect_postgres(server.url(), "datachange tests");
    target->begin(Isolation::repeatable_read);
    server.stop();
    check_lost(*target);
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto error = error_of<Error>([&] { target->reconnect(); });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK(!error.hint().empty());
        CHECK(target->lost());
        CHECK(contains(target->name(), host_and_port(server.url())));
        CHECK_THROWS_AS(run(*target, "SELECT 1"), DatabaseError);
        target->cancel();
        target->rollback();
    }
    server.start();
    target->reconnect();
    CHECK(!target->lost());
    CHECK(texts(run(*target, "SELECT 1")) == Texts{"1"});
}

TEST_CASE("PostgreSQL: after reconnect a run that must write is on a server that can be written",
          "[postgres]") {
    OwnServer first;
    const auto administrator = connect_postgres(first.url(), "datachange tests");
    const std::string second = postgres_url();
    const std::string both =
        "postgresql://postgres@" + host_and_port(first.url()) + "," + host_and_port(second) + "/postgres";
    const auto writer = connect_postgres(both, "datachange tests");
    const auto reader = connect_postgres(both, "datachange tests");
    const auto only_first = connect_postgres(first.url(), "datachange tests");
    writer->require_writable();
    only_first->require_writable();
    execute_all(*administrator,
                {"ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"});
    wait_until([&] {
        return setting(*connect_postgres(first.url(), "x"), "default_transaction_read_only") == "on";
    });

    writer->reconnect();
    CHECK(contains(writer->name(), host_and_port(second)));
    reader->reconnect();
    CHECK(contains(reader->name(), host_and_port(first.url())));
    CHECK(error_of<Error>([&] { only_first->reconnect(); }).code() == ExitCode::unreachable);
    CHECK(only_first->lost());
}

TEST_CASE("PostgreSQL: limits on time are set where a transaction writes, and only there", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->set_timeouts({1500ms, 24h * 100});
    for (const Isolation isolation : {Isolation::repeatable_read, Isolation::read_committed}) {
        target->begin(isolation);
        CHECK(setting(*target, "lock_timeout") == "1500ms");
        CHECK(setting(*target, "statement_timeout") == "2147483647ms");
        CHECK(setting(*target, "idle_in_transaction_session_timeout") == "5min");
        CHECK(target->commit().outcome == Outcome::committed);
    }
    target->begin(Isolation::read_only);
    CHECK(setting(*target, "lock_timeout") == "0");
    CHECK(setting(*target, "statement_timeout") == "0");
    CHECK(setting(*target, "idle_in_transaction_session_timeout") == "0");
    target->rollback();
}

TEST_CASE("PostgreSQL: a session's own limits stay, unless they let it idle for longer", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto [own, within] = GENERATE(table<std::string, std::string>(
        {{"10s", "10s"}, {"250ms", "250ms"}, {"5min", "5min"}, {"1h", "5min"}, {"2d", "5min"}}));
    execute_all(*target, {"SET lock_timeout = '7s'", "SET statement_timeout = '8s'",
                          "SET idle_in_transaction_session_timeout = '" + own + "'"});
    target->begin(Isolation::repeatable_read);
    CHECK(setting(*target, "lock_timeout") == "7s");
    CHECK(setting(*target, "statement_timeout") == "8s");
    CHECK(setting(*target, "idle_in_transaction_session_timeout") == within);
    target->rollback();
}

TEST_CASE("PostgreSQL: a COMMIT has no limit on its time", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(*target, {"CREATE TABLE t (id integer)",
                          "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                          "'BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END'",
                          "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
                          "FOR EACH ROW EXECUTE FUNCTION slow()"});
    target->set_timeouts({0ms, 200ms});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK(target->commit().outcome == Outcome::committed);
}

TEST_CASE("PostgreSQL: either side notices when the other is gone from the network", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    CHECK(setting(*target, "tcp_keepalives_idle") == "60");
    CHECK(setting(*target, "tcp_keepalives_interval") == "10");
    CHECK(setting(*target, "tcp_keepalives_count") == "6");
    const auto careful =
        connect_postgres(database.address() + "?options=-ctcp_keepalives_idle%3D20", "datachange tests");
    CHECK(setting(*careful, "tcp_keepalives_idle") == "20");
    const auto plan = postgres::plan_connection("postgresql://h/x?keepalives_idle=7&connect_timeout=3", "x");
    CHECK(contains(plan.conninfo, "keepalives_idle='7'"));
    CHECK(contains(plan.conninfo, "keepalives_count='3'"));
    CHECK(contains(plan.conninfo, "tcp_user_timeout='60000'"));
    CHECK(contains(plan.conninfo, "connect_timeout='3'"));
}

TEST_CASE("PostgreSQL: a statement may take longer than the network may be silent", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = connect_postgres(database.address() + "?tcp_user_timeout=100", "datachange tests");
    CHECK(texts(run(*target, "SELECT 1 FROM pg_sleep(0.5)")) == Texts{"1"});
}

TEST_CASE("PostgreSQL: other sessions of a name are told as a person reads them", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const std::string name = "datachange é " + std::string(80, 'x');
    const auto target = connect_postgres(database.address(), name);
    CHECK(target->other_sessions(name).empty());
    const auto other = connect_postgres(database.address(), name);
    const auto unrelated = connect_postgres(database.address(), "datachange");
    other->begin(Isolation::repeatable_read);
    const std::string user = target->query("SELECT current_user").text(0, 0);
    const Texts sessions = target->other_sessions(name);
    REQUIRE(sessions.size() == 1);
    CHECK(sessions[0].starts_with("session " + pid_of(*other) + " (" + user +
                                  ", 127.0.0.1, idle in transaction for "));
    CHECK(sessions[0].ends_with(" s)"));
    CHECK(target->other_sessions("datachange").size() == 1);

    const TestDatabase elsewhere(Engine::postgresql);
    CHECK(elsewhere.connect()->other_sessions(name).empty());
}

TEST_CASE("PostgreSQL: a role that sees little of others' sessions is told what it sees", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto owner = connect_postgres(database.address(), "datachange");
    const TestRole role(*owner, "blind_");
    const auto blind = connect_postgres(with_user(database.address(), role.name()), "x");
    const std::string user = owner->query("SELECT current_user").text(0, 0);
    CHECK(blind->other_sessions("datachange") == Texts{"session " + pid_of(*owner) + " (" + user + ")"});
}

TEST_CASE("PostgreSQL: the name of a session is compared as the server keeps it", "[postgres]") {
    using postgres::shown_application_name;
    CHECK(shown_application_name("datachange 1", 150000) == "datachange 1");
    CHECK(shown_application_name("é\t", 150000) == "???");
    CHECK(shown_application_name("é\t", 160000) == "\\xc3\\xa9\\x09");
    CHECK(shown_application_name(std::string(80, 'x'), 150000) == std::string(63, 'x'));
    CHECK(shown_application_name(std::string(62, 'x') + "é", 150000) == std::string(62, 'x'));
}

TEST_CASE("PostgreSQL: without replicas there is no lag", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    CHECK(database.connect()->replication_lag() == std::nullopt);
}

TEST_CASE("PostgreSQL: the lag of a replica grows while it stands still, and goes when it has caught up",
          "[postgres]") {
    const OwnServer primary;
    const OwnServer replica(OwnServer::ReplicaOf{primary});
    const auto target = connect_postgres(primary.url(), "datachange tests");
    const auto on_replica = connect_postgres(replica.url(), "datachange tests");
    wait_until([&] { return target->replication_lag().has_value(); });
    execute_all(*on_replica, {"SELECT pg_wal_replay_pause()"});
    wait_until(
        [&] { return on_replica->query("SELECT pg_get_wal_replay_pause_state()").text(0, 0) == "paused"; });
    target->query("CREATE TABLE t (id integer)");
    wait_until([&] { return target->replication_lag().value() > 0.5; });
    const double behind = target->replication_lag().value();
    wait_until([&] { return target->replication_lag().value() > behind + 0.1; });
    on_replica->query("SELECT pg_wal_replay_resume()");
    wait_until([&] { return target->replication_lag().value() < 0.1; });

    const TestRole role(*target, "blind_");
    const auto blind = connect_postgres(with_user(primary.url(), role.name()), "x");
    const auto error = error_of<Error>([&] { blind->replication_lag(); });
    CHECK(error.code() == ExitCode::usage);
    CHECK(contains(error.hint(), "pg_monitor"));
    CHECK_THROWS_AS(on_replica->require_writable(), Error);
}
