#include "capture/witness.hpp"

#include "support/catch.hpp"

using namespace datachange;

namespace {

RowSet ids(std::size_t count) {
    RowSet set({{"id", "", "", ""}});
    for (std::size_t i = 0; i < count; ++i) set.add(ValueKind::integer, std::to_string(i));
    return set;
}

TouchedTables touched(std::map<std::string, Touched> tables) {
    TouchedTables result;
    result.tables = std::move(tables);
    return result;
}

AccountedRows accounted(const BatchCapture& capture, std::vector<StatementTraits> statements,
                        bool from_post = false) {
    AccountedRows rows;
    rows.table_id = "t";
    rows.statements = std::move(statements);
    rows.reads_outcome_from_post = from_post;
    rows.add(capture);
    return rows;
}

}  // namespace

TEST_CASE("what was touched is the difference of two readings") {
    const TouchedTables difference_of =
        difference(touched({{"t", {1, 2, 3}}}), touched({{"t", {1, 5, 3}}, {"u", {4, 0, 0}}}));
    CHECK(difference_of.tables.at("t").inserted == 0);
    CHECK(difference_of.tables.at("t").updated == 3);
    CHECK(difference_of.tables.at("u").inserted == 4);
}

TEST_CASE("rows that the audit accounts for are no collateral") {
    BatchCapture capture;
    capture.returned = {ids(3), ids(2)};
    const std::vector<AccountedRows> rows{accounted(capture, {{"UPDATE", false}, {"DELETE", false}})};
    CHECK(collateral(touched({{"t", {0, 3, 2}}}), rows).empty());
    const auto found = collateral(touched({{"t", {0, 5, 2}}, {"log", {3, 0, 0}}}), rows);
    REQUIRE(found.size() == 2);
    CHECK(collateral_text(found) == "log: 3 inserted; t: 2 updated");
}

TEST_CASE("an upsert accounts for inserts first and for updates with the rest") {
    BatchCapture capture;
    capture.returned = {ids(5)};
    const std::vector<AccountedRows> rows{accounted(capture, {{"INSERT", false}})};
    CHECK(collateral(touched({{"t", {2, 3, 0}}}), rows).empty());
    CHECK(collateral_text(collateral(touched({{"t", {2, 4, 0}}}), rows)) == "t: 1 updated");
}

TEST_CASE("a row that moves to another partition is an update, not collateral") {
    BatchCapture capture;
    capture.returned = {ids(4)};
    const std::vector<AccountedRows> rows{accounted(capture, {{"UPDATE", false}})};
    CHECK(collateral(touched({{"t", {3, 1, 3}}}), rows).empty());
}

TEST_CASE("without RETURNING the outcomes of pre and post account for the rows") {
    BatchCapture capture;
    capture.counts.deleted = 4;
    const std::vector<AccountedRows> rows{accounted(capture, {}, true)};
    CHECK(collateral(touched({{"t", {0, 0, 4}}}), rows).empty());
    CHECK(collateral_text(collateral(touched({{"t", {1, 0, 5}}}), rows)) == "t: 1 inserted, 1 deleted");
}

TEST_CASE("rows that a SELECT brings out of data-modifying CTEs account for whatever was touched") {
    BatchCapture capture;
    capture.returned = {ids(4)};
    const std::vector<AccountedRows> rows{accounted(capture, {{"SELECT", false}})};
    CHECK(collateral(touched({{"t", {0, 0, 4}}}), rows).empty());
    CHECK(collateral(touched({{"t", {1, 2, 1}}}), rows).empty());
    CHECK(collateral_text(collateral(touched({{"t", {0, 0, 5}}}), rows)) == "t: 1 deleted");
}
