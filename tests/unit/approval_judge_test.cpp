#include "approve/judge.hpp"

#include "support/catch.hpp"

using namespace datachange;
using Catch::Contains;

namespace {

constexpr const char* nonce = "7d0b4f6e-6a4c-4d53-9d0e-0a3d0f6f2d11";

Approval an_approval() {
    Approval approval;
    approval.version = "20260101000000";
    approval.name = "fill";
    approval.definition_sha256 = "abc";
    approval.scope = {{"eu-prod", "prod", "postgresql://anna@db.example:5432/shop", {}}};
    approval.scope[0].steps.push_back({1, "", "users", 100, {}, ""});
    approval.approved_by = "anna";
    approval.approved_at = "2026-03-01T12:00:00.000Z";
    approval.expires_at = "2026-03-08T12:00:00.000Z";
    approval.nonce = nonce;
    return approval;
}

SignatureCheck a_signature(std::vector<std::string> principals = {"anna@example.com"}, const char* key = "SHA256:a") {
    return {std::move(principals), key, "anna@example.com ssh-ed25519 AAAA", ""};
}

RunFacts a_run() {
    RunFacts facts;
    facts.version = "20260101000000";
    facts.definition_sha256 = "abc";
    facts.target = "eu-prod";
    facts.database = "postgresql://bob@db.example:5432/shop";
    facts.operators = {"bob", "deploy"};
    facts.now = "2026-03-02T12:00:00.000Z";
    facts.planned = {100};
    return facts;
}

std::string judged(const RunFacts& facts, const Approval& approval = an_approval(),
                   const SignatureCheck& signature = a_signature()) {
    return judge(approval, signature, facts);
}

JudgedApproval counted_one(std::vector<std::string> principals, const char* key) {
    JudgedApproval one;
    one.signature = a_signature(std::move(principals), key);
    return one;
}

}  // namespace

TEST_CASE("an approval of this run by somebody else counts") {
    CHECK(judged(a_run()).empty());
}

TEST_CASE("a signature that is not valid is all that is said") {
    SignatureCheck signature;
    signature.obstacle = "its key is not in allowed_signers";
    RunFacts facts = a_run();
    facts.definition_sha256 = "other";
    CHECK(judged(facts, an_approval(), signature) == "its key is not in allowed_signers");
}

TEST_CASE("an approval is of one definition, byte for byte") {
    RunFacts facts = a_run();
    facts.definition_sha256 = "abd";
    CHECK_THAT(judged(facts), Contains("edited"));
    facts = a_run();
    facts.version = "20260101000001";
    CHECK_THAT(judged(facts), Contains("for version 20260101000000"));
}

TEST_CASE("a target is in the scope by its name, else by its database") {
    RunFacts facts = a_run();
    facts.target = "us-prod";
    CHECK(judged(facts) == "it is for eu-prod");
    facts.target = "";  // run with --database, as whoever logs in
    CHECK(judged(facts).empty());
    facts.database = "postgresql://db.example/shop";
    CHECK(judged(facts).empty());
    facts.database = "postgresql://anna@db.example:5433/shop";
    CHECK(judged(facts) == "it is for eu-prod");
    facts.database = "postgresql://anna@db.example:5432/other";
    CHECK(judged(facts) == "it is for eu-prod");

    Approval unnamed = an_approval();
    unnamed.scope[0].target = "";
    CHECK(judged(a_run(), unnamed).empty());
    unnamed.scope[0].database = "sqlite:/srv/shop.db";
    CHECK(judged(a_run(), unnamed) == "it is for sqlite:/srv/shop.db");
}

TEST_CASE("an approval is good from when it was signed until it expires, by the clock of the run") {
    RunFacts facts = a_run();
    facts.now = "2026-03-08T11:59:59.999Z";
    CHECK(judged(facts).empty());
    facts.now = "2026-03-08T12:00:00.000Z";
    CHECK_THAT(judged(facts), Contains("expired at 2026-03-08T12:00:00.000Z") && Contains("clock here says"));
    facts.now = "2026-03-01T11:55:00.000Z";  // clocks of two hosts differ
    CHECK(judged(facts).empty());
    facts.now = "2026-03-01T11:54:59.000Z";
    CHECK_THAT(judged(facts), Contains("yet to come") && Contains("clock here says 2026-03-01T11:54:59.000Z"));
}

TEST_CASE("an approval is used once") {
    RunFacts facts = a_run();
    facts.used = {{"00000000-0000-4000-8000-000000000000", "run", facts.version, "anna", ""}};
    CHECK(judged(facts).empty());
    facts.used.push_back({nonce, "0123456789", facts.version, "anna", ""});
    CHECK(judged(facts) == "run 01234567 has used it up");
}

TEST_CASE("nobody approves their own run") {
    const std::string name = GENERATE("anna", "Anna", "anna@example.com", "ANNA@other.example", " anna ");
    CAPTURE(name);
    RunFacts facts = a_run();
    facts.operators = {"bob", name};
    CHECK_FALSE(judged(facts).empty());

    Approval by_another_name = an_approval();
    by_another_name.approved_by = "carl";
    CHECK_THAT(judged(facts, by_another_name), Contains("signed by anna@example.com, who runs it"));
    CHECK_THAT(judged(facts, an_approval(), a_signature({"dora@example.com"})), Contains("made by anna"));
    CHECK_FALSE(judged(facts, by_another_name, a_signature({"x@example.com", "anna@example.com"})).empty());
}

TEST_CASE("names that only begin alike are of two people") {
    CHECK_FALSE(same_person("ann", "anna@example.com"));
    CHECK_FALSE(same_person("anna.b", "anna@example.com"));
    CHECK_FALSE(same_person("", "@example.com"));
    CHECK_FALSE(same_person("", ""));
}

TEST_CASE("rows may drift by a part of what was approved, or by one") {
    CHECK(within_drift(100, 100, 0.1));
    CHECK(within_drift(110, 100, 0.1));
    CHECK_FALSE(within_drift(111, 100, 0.1));
    CHECK(within_drift(90, 100, 0.1));
    CHECK_FALSE(within_drift(89, 100, 0.1));
    CHECK(within_drift(33, 30, 0.1));  // 0.1 * 30 is 3.0000000000000004 or 2.9999999999999996
    CHECK(within_drift(27, 30, 0.1));
    CHECK(within_drift(4, 3, 0.1));
    CHECK_FALSE(within_drift(5, 3, 0.1));
    CHECK(within_drift(1, 0, 0.1));
    CHECK_FALSE(within_drift(2, 0, 0.1));
    CHECK_FALSE(within_drift(101, 100, 0));
    CHECK(within_drift(0, 0, 0));
    CHECK(within_drift(300, 100, 2));
}

TEST_CASE("each step is compared with what was approved of it") {
    RunFacts facts = a_run();
    facts.planned = {112};
    CHECK_THAT(judged(facts), Contains("step 1 (users) is about 112 rows now, and 100 were approved"));
    CHECK_THAT(judged(facts), Contains("10 %"));
    facts.drift = 0.2;
    CHECK(judged(facts).empty());
    facts.planned = {100, 1};
    CHECK(judged(facts) == "it has no rows for step 2");
    facts.planned = {};  // the run goes on: what is left of it is not what was approved
    CHECK(judged(facts).empty());
}

TEST_CASE("one person and one key count once") {
    std::vector<JudgedApproval> approvals;
    approvals.push_back(counted_one({"anna@example.com"}, "SHA256:a"));
    approvals.push_back(counted_one({"Anna@example.com", "anna@old.example"}, "SHA256:b"));
    approvals.push_back(counted_one({"carl@example.com"}, "SHA256:a"));
    approvals.push_back(counted_one({"dora@example.com"}, "SHA256:d"));
    approvals.push_back(counted_one({"eve@example.com"}, "SHA256:e"));
    approvals[3].obstacle = "it expired";
    count_people_once(approvals, {});
    CHECK(approvals[0].obstacle.empty());
    CHECK_THAT(approvals[1].obstacle, Contains("Anna@example.com has approved already"));
    CHECK_THAT(approvals[2].obstacle, Contains("the key SHA256:a has approved already"));
    CHECK(approvals[3].obstacle == "it expired");
    CHECK(approvals[4].obstacle.empty());
}

TEST_CASE("who has approved the run before counts no second time") {
    std::vector<JudgedApproval> approvals{counted_one({"anna@example.com"}, "SHA256:new")};
    count_people_once(approvals, {"anna@example.com"});
    CHECK_FALSE(approvals[0].obstacle.empty());
}

TEST_CASE("one that does not count stands in nobody's way") {
    std::vector<JudgedApproval> approvals{counted_one({"anna@example.com"}, "SHA256:a"),
                                          counted_one({"anna@example.com"}, "SHA256:a")};
    approvals[0].obstacle = "it expired";
    count_people_once(approvals, {});
    CHECK(approvals[1].obstacle.empty());
}

TEST_CASE("the text of an approval is read back as it was, and has one field a line") {
    Approval approval = an_approval();
    approval.scope.push_back({"", "", "sqlite:/srv/a \"b\"\n.db", {{1, "names", "", 3, {}, "ff"}}});
    approval.scope[1].steps[0].rows.updated = 2;
    const std::string text = approval_text(approval);
    const Approval again = parse_approval(text);
    CHECK(approval_text(again) == text);
    CHECK(again.scope.size() == 2);
    CHECK(again.scope[1].database == approval.scope[1].database);
    CHECK(again.scope[1].steps[0].rows.updated == 2);
    CHECK(again.scope[1].steps[0].identifiers_sha256 == "ff");
    CHECK_THAT(text, Contains("\n  \"definition_sha256\": \"abc\",\n"));
    CHECK(text.back() == '\n');
}

TEST_CASE("what is no approval is not taken for one") {
    const auto changed = [](const std::string& from, const std::string& to) {
        std::string text = approval_text(an_approval());
        return text.replace(text.find(from), from.size(), to);
    };
    CHECK_NOTHROW(parse_approval(changed("anna", "anna")));
    CHECK_THROWS_WITH(parse_approval(""), Contains("no approval"));
    CHECK_THROWS_WITH(parse_approval("[]"), Contains("no approval"));
    CHECK_THROWS_WITH(parse_approval(changed("approval 1", "approval 2")), Contains("of the format"));
    CHECK_THROWS_WITH(parse_approval(changed("2026-03-08T12:00:00.000Z", "soon")), Contains("expires_at is no time"));
    CHECK_THROWS_WITH(parse_approval(changed(nonce, "../../x")), Contains("nonce"));
    CHECK_THROWS_WITH(parse_approval(changed("\"planned\": 100", "\"planned\": \"100\"")), Contains("no approval"));
    CHECK_THROWS_WITH(parse_approval(changed("\"scope\"", "\"scopes\"")), Contains("no approval"));
}
