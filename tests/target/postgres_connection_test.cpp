#include <sys/socket.h>

#include <cstdlib>

#include "core/text.hpp"
#include "target/test_database.hpp"

using namespace datachange;
using namespace datachange::test;

namespace {

Error connect_error(const std::string& url) {
    const auto error = error_of<Error>([&] { connect_postgres(url, "datachange tests"); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK(!error.hint().empty());
    return error;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string with_port(const std::string& url, const std::string& port) {
    const std::size_t at = url.rfind(':');
    return url.substr(0, at + 1) + port + url.substr(url.find('/', at));
}

/// Sets an environment variable for the life of the object.
class Environment {
public:
    Environment(std::string name, const std::string& value) : m_name(std::move(name)) {
        if (const char* const former = std::getenv(m_name.c_str())) m_former = former;
        setenv(m_name.c_str(), value.c_str(), 1);
    }
    ~Environment() {
        if (m_former) {
            setenv(m_name.c_str(), m_former->c_str(), 1);
        } else {
            unsetenv(m_name.c_str());
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

private:
    std::string m_name;
    std::optional<std::string> m_former;
};

}  // namespace

TEST_CASE("PostgreSQL: a wrong or missing password, database, role and host are told apart", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const std::string url = database.address();
    std::vector<std::string> hints;
    const auto expect = [&](const std::string& broken, const std::string& message) {
        const Error error = connect_error(broken);
        CAPTURE(error.what());
        CHECK(contains(error.what(), message));
        CHECK(std::find(hints.begin(), hints.end(), error.hint()) == hints.end());
        hints.push_back(error.hint());
    };
    if (postgres_is_throw_away()) {
        expect(with_user(url, "datachange_password", "wr0ng-secret"), "password authentication failed");
        expect(with_user(url, "datachange_password"), "no password supplied");
    }
    expect(with_database(url, "not_there"), "database \"not_there\" does not exist");
    expect(with_user(url, "nobody_such"), "nobody_such");
    expect(with_port(url, "1"), "Connection refused");
    expect("postgresql://postgres@host.invalid/x", "host.invalid");
}

TEST_CASE("PostgreSQL: a password is in no error and in no name", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const std::string url = database.address();
    for (const std::string& broken :
         {with_port(with_user(url, "postgres", "s3cret"), "1"),
          with_database(with_user(url, "postgres", "s3cret"), "not_there"),
          with_user(url, "nobody_such", "s3cret"), std::string{"postgresql://u:s3cret@h:notaport/x"},
          std::string{"postgresql//u:s3cret@h/x"}, std::string{"host=x password=s3cret nonsense"},
          std::string{"s3cret"}, std::string{"postgresql://u:s3cret%ZZ@h/x"},
          std::string{"postgresql://u@h/x?password=s3cret&foo=bar"}}) {
        const Error error = connect_error(broken);
        CAPTURE(broken, error.text());
        CHECK(!contains(error.text(), "s3cret"));
    }
    if (!postgres_is_throw_away()) return;
    const auto target = connect_postgres(with_user(url, "datachange_password", "secret%20word"), "x");
    CHECK(!contains(target->name(), "secret"));
    CHECK(target->name() == with_user(url, "datachange_password"));
}

TEST_CASE("PostgreSQL: URL, key=value string and environment lead to the same database", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto by_url = database.connect();
    const RowSet where = by_url->query(
        "SELECT current_database(), host(inet_server_addr()), inet_server_port()::text, current_user");
    const std::string keys = "dbname='" + where.text(0, 0) + "' host=" + where.text(0, 1) +
                             " port=" + where.text(0, 2) + " user=" + where.text(0, 3);
    CHECK(connect_postgres(keys, "x")->name() == by_url->name());

    const Environment name("PGDATABASE", where.text(0, 0));
    const Environment host("PGHOST", where.text(0, 1));
    const Environment port("PGPORT", where.text(0, 2));
    const Environment user("PGUSER", where.text(0, 3));
    CHECK(connect_postgres("", "x")->name() == by_url->name());
}

TEST_CASE("PostgreSQL: the session is UTF-8 and carries the application's name", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const Environment encoding("PGCLIENTENCODING", "LATIN1");
    const auto target = connect_postgres(database.address(), "datachange 'x' \\");
    CHECK(target->query("SHOW client_encoding").text(0, 0) == "UTF8");
    CHECK(target->query("SHOW application_name").text(0, 0) == "datachange 'x' \\");
    CHECK(target->query("SELECT 'é'").text(0, 0) == "é");
}

TEST_CASE("PostgreSQL: notices stay out of the way", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    CHECK_NOTHROW(
        run(*target, "DO $$ BEGIN RAISE NOTICE 'this must not be seen'; RAISE WARNING 'nor this'; END $$"));
}

TEST_CASE("PostgreSQL: a lost connection is an error, and nothing is sent on a new one", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto other = database.connect();
    target->query("CREATE TABLE t (id integer)");
    const std::string pid = target->query("SELECT pg_backend_pid()").text(0, 0);
    const std::string kill = "SELECT pg_terminate_backend(" + pid + ", 10000)";

    SECTION("in a statement") {
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1)");
        other->query(kill);
        const auto error = error_of<DatabaseError>([&] { run(*target, "INSERT INTO t VALUES (2)"); });
        CHECK(error.code() == ExitCode::unreachable);
        CHECK((error.sqlstate() == "57P01" || error.sqlstate() == "08006"));
        CHECK(error.statement() == "INSERT INTO t VALUES (2)");
        CHECK(target->commit().outcome == Outcome::rolled_back);
        CHECK_THROWS_AS(run(*target, "INSERT INTO t VALUES (3)"), DatabaseError);
        CHECK_THROWS_AS(target->begin(Isolation::repeatable_read), DatabaseError);
    }
    SECTION("in COMMIT, whose outcome is then in doubt") {
        target->begin(Isolation::repeatable_read);
        run(*target, "INSERT INTO t VALUES (1)");
        other->query(kill);
        const CommitResult result = target->commit();
        CHECK(result.outcome == Outcome::in_doubt);
        CHECK(!result.message.empty());
        target->rollback();
    }
    SECTION("in rollback, which says nothing") {
        target->begin(Isolation::repeatable_read);
        other->query(kill);
        target->rollback();
    }
    CHECK(other->query("SELECT * FROM t").empty());
}

TEST_CASE("PostgreSQL: COMMIT after a failed statement is known to have rolled back", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    CHECK_THROWS_AS(run(*target, "SELECT 1/0"), DatabaseError);
    const CommitResult result = target->commit();
    CHECK(result.outcome == Outcome::rolled_back);
    CHECK(result.sqlstate == "22012");
    CHECK(target->query("SELECT * FROM t").empty());
}

TEST_CASE("PostgreSQL: an error of a deferred trigger at COMMIT is in doubt: not every SQLSTATE is certain",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (id integer)",
         "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
         "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
         "FOR EACH ROW EXECUTE FUNCTION refuse()"});
    target->begin(Isolation::repeatable_read);
    run(*target, "INSERT INTO t VALUES (1)");
    const CommitResult result = target->commit();
    CHECK(result.outcome == Outcome::in_doubt);
    CHECK(result.sqlstate == "P0001");
    CHECK(contains(result.message, "no"));
}

TEST_CASE("PostgreSQL: a serialization failure and a deadlock keep their SQLSTATE", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    const auto other = database.connect();
    execute_all(*target,
                {"CREATE TABLE t (id integer PRIMARY KEY, n integer)", "INSERT INTO t VALUES (1, 0)"});
    target->begin(Isolation::repeatable_read);
    run(*target, "SELECT * FROM t");
    other->query("UPDATE t SET n = 1");
    CHECK(error_of<DatabaseError>([&] { run(*target, "UPDATE t SET n = 2"); }).sqlstate() == "40001");
    CHECK(target->commit().sqlstate == "40001");
    for (const std::string sqlstate : {"40P01", "40003", "40000", "55P03"}) {
        target->begin(Isolation::repeatable_read);
        const std::string raise =
            "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '" + sqlstate + "'; END $$";
        CHECK(error_of<DatabaseError>([&] { run(*target, raise); }).sqlstate() == sqlstate);
        target->rollback();
    }
}

TEST_CASE("PostgreSQL: an error about some other connection is not taken for the loss of ours",
          "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->begin(Isolation::repeatable_read);
    const auto error = error_of<DatabaseError>(
        [&] { run(*target, "DO $$ BEGIN RAISE EXCEPTION 'far away' USING ERRCODE = '08001'; END $$"); });
    CHECK(error.code() == ExitCode::failed);
    CHECK(error.sqlstate().starts_with("08"));
    CHECK(contains(error.what(), "far away"));
    target->rollback();
    CHECK_NOTHROW(run(*target, "SELECT 1"));
}

TEST_CASE("PostgreSQL: a procedure cannot commit in the tool's transaction", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    execute_all(
        *target,
        {"CREATE TABLE t (id integer)",
         "CREATE PROCEDURE sneak() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (1); COMMIT; END'"});
    target->begin(Isolation::repeatable_read);
    const std::string sql = GENERATE("CALL sneak()", "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$");
    CHECK(error_of<DatabaseError>([&] { run(*target, sql); }).sqlstate() == "2D000");
    target->rollback();
    CHECK(target->query("SELECT * FROM t").empty());
}

TEST_CASE("PostgreSQL: a transaction that was ended all the same shows by its id", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->begin(Isolation::repeatable_read);
    const std::string id = target->transaction_id();
    target->query("COMMIT");  // as the tool's own statement nobody stops it
    CHECK(target->transaction_id() != id);
}

TEST_CASE("PostgreSQL: row-level security that would hide rows is an error with a hint", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto owner = database.connect();
    const std::string role =
        "datachange_rls_" + owner->query("SELECT current_database()").text(0, 0).substr(16, 8);
    execute_all(*owner, {"CREATE ROLE " + role + " LOGIN", "CREATE TABLE t (id integer)",
                         "INSERT INTO t VALUES (1), (2)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                         "CREATE POLICY odd ON t USING (id % 2 = 1)", "GRANT SELECT ON t TO " + role,
                         "CREATE TABLE other (id integer)"});
    {
        const auto target = connect_postgres(with_user(database.address(), role), "x");
        target->begin(Isolation::repeatable_read);
        const auto hidden = error_of<DatabaseError>([&] { run(*target, "SELECT * FROM t"); });
        CHECK(hidden.sqlstate() == "42501");
        CHECK(contains(hidden.hint(), "BYPASSRLS"));
        target->rollback();
        const auto denied = error_of<DatabaseError>([&] { run(*target, "SELECT * FROM other"); });
        CHECK(denied.sqlstate() == "42501");
        CHECK(!denied.hint().empty());
        CHECK(denied.hint() != hidden.hint());
    }
    execute_all(*owner, {"DROP OWNED BY " + role, "DROP ROLE " + role});
}

TEST_CASE("PostgreSQL: a session that is read-only by default is not writable", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("SET default_transaction_read_only = on");
    const auto error = error_of<Error>([&] { target->require_writable(); });
    CHECK(error.code() == ExitCode::unreachable);
    CHECK(contains(error.what(), "read-only"));
    CHECK(!error.hint().empty());
}

TEST_CASE("PostgreSQL: statements without a plan are not prepared, the rest is", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    for (const char* const sql :
         {"DO $$ BEGIN NULL; END $$", "TRUNCATE t", "CALL nothing()",
          "WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone", "(SELECT 1)"}) {
        CAPTURE(sql);
        CHECK_NOTHROW(target->prepare(plain_sql(sql), {}));
    }
}

TEST_CASE("PostgreSQL: COPY to or from the client is refused, and the session goes on", "[postgres]") {
    const TestDatabase database(Engine::postgresql);
    const auto target = database.connect();
    target->query("CREATE TABLE t (id integer)");
    for (const std::string sql : {"COPY t FROM STDIN", "COPY (SELECT 1) TO STDOUT"}) {
        const auto error = error_of<DatabaseError>([&] { run(*target, sql); });
        CHECK(contains(error.what(), "COPY"));
        CHECK(!error.hint().empty());
        CHECK(texts(run(*target, "SELECT 1")) == std::vector<std::string>{"1"});
    }
}
