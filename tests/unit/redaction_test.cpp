#include "support/catch.hpp"

#include "core/hash.hpp"
#include "core/redaction.hpp"
#include "core/value_json.hpp"
#include "datachange/error.hpp"
#include "record/ledger/stored_row.hpp"
#include "run/redaction_check.hpp"

using namespace datachange;

namespace {

const std::string key = "0123456789abcdef";

RowSet users() {
    RowSet rows({{"id", "integer", "main.users", "id"},
                 {"Email", "text", "main.users", "email"},
                 {"contact", "text", "main.users", "email"},
                 {"was_email", "", "", ""},
                 {"note", "text", "main.users", "note"}});
    rows.add(ValueKind::integer, "1");
    rows.add(ValueKind::text, "ann@example.com");
    rows.add(ValueKind::text, "ann@example.com");
    rows.add({});
    rows.add(ValueKind::text, "plain");
    return rows;
}

SqlTemplate query(const std::string& text) {
    SqlTemplate sql = plain_sql(text);
    sql.redact = {"email"};
    return sql;
}

/// What is said of a list that would tell the value of email; "" if it is taken.
std::string complaint(const std::string& text, Engine engine = Engine::postgresql,
                      const std::vector<Column>* columns = nullptr) {
    try {
        require_redacted_expressions(query(text), engine, columns, "pre");
        return {};
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        CHECK_FALSE(error.hint().empty());
        return error.what();
    }
}

}  // namespace

// RFC 4231, section 4, test cases 1, 2, 3, 6 and 7
TEST_CASE("HMAC-SHA-256 gives the digests of RFC 4231", "[core]") {
    CHECK(HmacSha256(std::string(20, '\x0b')).of({"Hi There"}) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(HmacSha256("Jefe").of({"what do ya want ", "for nothing?"}) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(HmacSha256(std::string(20, '\xaa')).of({std::string(50, '\xdd')}) ==
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    const HmacSha256 long_key(std::string(131, '\xaa'));
    CHECK(long_key.of({"Test Using Larger Than Block-Size Key - Hash Key First"}) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    // the same object again
    CHECK(long_key.of({"This is a test using a larger than block-size key and a larger than block-size "
                       "data. The key needs to be hashed before being used by the HMAC algorithm."}) ==
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("redacted columns hold digests, by their name, as was_ and by their origin", "[core]") {
    const Redactor redactor(key);
    const RowSet rows = redactor.redacted(users(), {"EMAIL"});
    const Value digest = redactor.digest({ValueKind::text, "ann@example.com"});
    CHECK(digest == Value(ValueKind::digest, HmacSha256(key).of({"text:ann@example.com"})));
    CHECK(rows.columns() == users().columns());
    CHECK(rows.value(0, 0) == Value::integer(1));
    CHECK(rows.value(0, 1) == digest);
    CHECK(rows.value(0, 2) == digest);
    CHECK(rows.at(0, 3).is_null());
    CHECK(rows.value(0, 4) == Value::text("plain"));
    CHECK(is_redacted({"was_email", "", "", ""}, {"email"}));
    CHECK_FALSE(is_redacted({"emails", "", "", ""}, {"email"}));
}

TEST_CASE("values of other kinds have other digests", "[core]") {
    const Redactor redactor(key);
    std::vector<Value> digests;
    for (const ValueKind kind :
         {ValueKind::boolean, ValueKind::integer, ValueKind::real, ValueKind::text, ValueKind::blob})
        digests.push_back(redactor.digest({kind, "1"}));
    for (std::size_t i = 0; i < digests.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) CHECK(digests[i] != digests[j]);
    }
    CHECK(redactor.digest({}).is_null());
    CHECK(redactor.digest({ValueKind::text, ""}) != redactor.digest({ValueKind::text, " "}));
    CHECK_THROWS_AS(redactor.digest(digests[0].view()), std::logic_error);
}

TEST_CASE("a key is told from others by its fingerprint", "[core]") {
    CHECK(Redactor(key).fingerprint() == Redactor(key).fingerprint());
    CHECK(Redactor(key).fingerprint() != Redactor(key + "0").fingerprint());
    CHECK(Redactor(key).fingerprint().size() == 16);
}

TEST_CASE("digests come back from JSON", "[core]") {
    const std::vector<Value> values{{ValueKind::digest, std::string(64, 'a')}, Value::text("hmac")};
    CHECK(json_array(values) == "[{\"$hmac\":\"" + std::string(64, 'a') + "\"},\"hmac\"]");
    CHECK(parse_json_array(json_array(values)) == values);
}

TEST_CASE("a row of digests is stored like any other", "[record]") {
    const Redactor redactor(key);
    BatchCapture capture;
    capture.pre = capture.post = redactor.redacted(users(), {"email"});
    AuditedRow row;
    row.action = Action::unchanged;
    row.identifier = "1";
    row.pre = row.post = 0;
    RowEncoder encoder(capture, {"id"}, false);
    const std::string hmac =
        "{\"$hmac\":\"" + redactor.digest({ValueKind::text, "ann@example.com"}).bytes + "\"}";
    CHECK(encoder.encode(row).before == "[1," + hmac + "," + hmac + ",null,\"plain\"]");
    CHECK(encoder.encode(row).after.empty());  // as before
}

TEST_CASE("what is made of a redacted column has to be redacted as well", "[run]") {
    for (const char* text : {
             "SELECT id, email FROM users",
             "SELECT DISTINCT u.email, u.\"id\" AS key FROM users AS u WHERE lower(email) <> ''",
             "SELECT id, email AS contact, u.email reach FROM users u",
             "SELECT id, lower(email) AS email, substr(email, 2) AS was_email FROM users",
             "SELECT count(email), count(*) FILTER (WHERE email IS NULL) AS missing FROM users",
             "SELECT id, (SELECT max(n) FROM emails) FROM users",
             "UPDATE users SET email = lower(email) WHERE email > '' RETURNING id, email",
             "WITH old AS (SELECT id, email FROM users) SELECT * FROM old",
         }) {
        INFO(text);
        CHECK(complaint(text).empty());
        CHECK(complaint(text, Engine::sqlite).empty());
    }
    CHECK(complaint("SELECT id, upper(email) FROM users") ==
          "pre tells of email, which is redacted, in `upper(email)`");
    for (const char* item : {"email || ''", "email IS NULL AS gone", "u.Email COLLATE nocase", "NOT email",
                             "CASE WHEN id > 1 THEN email END AS e", "(SELECT email) AS e", "max(email) m",
                             "count(*) || email AS e"}) {
        INFO(item);
        const std::string told = complaint(std::string("SELECT id, ") + item + ", note FROM users u");
        CHECK(told.find(std::string("`") + item + "`") != std::string::npos);
    }
    CHECK_FALSE(complaint("DELETE FROM users RETURNING id, email || 'x' AS e").empty());
    CHECK_FALSE(complaint("WITH w AS (SELECT 1) SELECT ARRAY[id, email] AS e FROM users").empty());
}

TEST_CASE("a plain column under another name is taken where the engine tells which it is", "[run]") {
    const std::string text = "SELECT id, email AS contact FROM users UNION SELECT id, email FROM guests";
    const std::vector<Column> told{{"id", "", "", ""}, {"contact", "", "main.users", "email"}};
    const std::vector<Column> not_told{{"id", "", "", ""}, {"contact", "", "", ""}};
    CHECK(complaint(text, Engine::sqlite, &told).empty());
    CHECK(complaint(text, Engine::sqlite, &not_told) ==
          "pre tells of email, which is redacted, in `email AS contact`");
    CHECK(complaint("SELECT id, email FROM users", Engine::sqlite, &not_told).empty());
    // the names are those of the first list
    CHECK(complaint("SELECT id, note AS contact FROM users UNION SELECT id, email FROM guests",
                    Engine::sqlite, &not_told) == "pre tells of email, which is redacted, in `email`");
    CHECK(complaint("SELECT 1, 2 AS contact UNION ALL SELECT id, count(email) FROM guests", Engine::sqlite,
                    &not_told)
              .empty());
}

TEST_CASE("a column is redacted by the name that its table has for it", "[run]") {
    const Column contact{"contact", "text", "main.users", "email"};
    CHECK_THROWS_AS(require_redacted_by_origin({contact}, {"contact"}), Error);
    CHECK_NOTHROW(require_redacted_by_origin({contact}, {"contact", "Email"}));
    CHECK_NOTHROW(require_redacted_by_origin({contact}, {"note"}));
    CHECK_NOTHROW(require_redacted_by_origin({{"contact", "", "", ""}}, {"contact"}));
}

TEST_CASE("keys are not redacted", "[run]") {
    CHECK_THROWS_AS(require_open_key({{"id", "", "", ""}, {"k", "", "main.users", "email"}}, {"email"}),
                    Error);
    CHECK_NOTHROW(require_open_key({{"id", "", "", ""}}, {"email"}));
}
