#include <algorithm>
#include <string>
#include <vector>

#include <rapidcheck.h>

#include "record/ledger/block.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

StoredRow row(int action, std::string identifier, std::string before = "", std::string after = "",
              std::string returned = "", std::string new_identifier = "") {
    return {action,           std::move(identifier), std::move(new_identifier), std::move(before),
            std::move(after), std::move(returned)};
}

Block block_of(const std::vector<StoredRow>& rows) {
    BlockBuilder builder;
    for (const StoredRow& row : rows) builder.add(row);
    return builder.take();
}

/// What comes back of rows that went through a block.
std::vector<StoredRow> through_block(const Block& block) {
    BlockReader reader;
    reader.open(BlockReader::columns(block));
    std::vector<StoredRow> rows;
    for (std::size_t place = 0; place < reader.size(); ++place) {
        const BlockRow row = reader.row(place);
        rows.push_back({static_cast<int>(row.action), std::string{row.identifier},
                        std::string{row.new_identifier}, std::string{row.before}, std::string{row.after},
                        std::string{row.returned}});
    }
    return rows;
}

bool same(const StoredRow& a, const StoredRow& b) {
    return a.action == b.action && a.identifier == b.identifier && a.new_identifier == b.new_identifier &&
           a.before == b.before && a.after == b.after && a.returned == b.returned;
}

}  // namespace

TEST_CASE("a block says what all rows have in common once", "[ledger]") {
    const Block block =
        block_of({row(0, "1", "[[],null]", "[[],\"a\"]"), row(0, "2", "[[],null]", "[[],\"b\"]")});
    CHECK(block.rows == 2);
    CHECK(block.identifiers == R"(["1","2"])");
    CHECK(block.actions == "0");
    CHECK(block.before == "[[[],null],[[],null]]");
    CHECK(block.after == R"([[[],"a"],[[],"b"]])");
    CHECK(block.returned.empty());
    CHECK(block.new_identifiers.empty());
}

TEST_CASE("a column begins where some row has a value", "[ledger]") {
    const Block block =
        block_of({row(1, "1", "", "[1]"), row(2, "2", "[2]"), row(0, "3", "[3]", "[4]", "[[2]]", "4")});
    CHECK(block.actions == "[1,2,0]");
    CHECK(block.before == "[null,[2],[3]]");
    CHECK(block.after == "[[1],null,[4]]");
    CHECK(block.returned == "[null,null,[[2]]]");
    CHECK(block.new_identifiers == R"([null,null,"4"])");
}

TEST_CASE("the bounds of a block are those of its old and new identifiers, by their bytes", "[ledger]") {
    const Block block =
        block_of({row(0, "9"), row(0, "10"), row(0, "\xc3\xa4"), row(0, "b", "", "", "", "")});
    CHECK(block.lowest == "10");
    CHECK(block.highest == "\xc3\xa4");
    const Block moved = block_of({row(0, "5", "[]", "[]", "", "7"), row(0, "6", "[]", "[]", "", "1")});
    CHECK(moved.lowest == "1");
    CHECK(moved.highest == "7");
}

TEST_CASE("a block is full by rows or by bytes", "[ledger]") {
    BlockBuilder narrow, wide;
    int narrow_rows = 0, wide_rows = 0;
    for (; !narrow.full(); ++narrow_rows) narrow.add(row(0, std::to_string(narrow_rows)));
    for (; !wide.full(); ++wide_rows) wide.add(row(0, "1", "[\"" + std::string(1000, 'x') + "\"]"));
    CHECK(narrow_rows == 512);
    CHECK(wide_rows < 40);
    CHECK(narrow.take().rows == 512);
    CHECK(narrow.empty());
    narrow.add(row(3, "x"));
    CHECK(narrow.take().actions == "3");
}

TEST_CASE("what is no block is refused", "[ledger]") {
    BlockReader reader;
    CHECK_THROWS_AS(reader.open({"[\"1\"]", "0", "[[1],[2]]", "", "", ""}), std::invalid_argument);
    CHECK_THROWS_AS(reader.open({"\"1\"", "0", "", "", "", ""}), std::invalid_argument);
    reader.open({"[\"1\"]", "9", "", "", "", ""});
    CHECK_THROWS_AS(reader.row(0), std::invalid_argument);
}

TEST_CASE("rows come out of a block as they went in", "[ledger][property]") {
    const auto image = rc::gen::element<std::string>("", "[]", "[[],null]", "[{}]", R"(["a\"],[\\"])",
                                                     "[[1,[2]]]", R"([{"$blob":"00"},"null"])");
    CHECK(rc::check("round trip", [&] {
        std::vector<StoredRow> rows;
        const int count = *rc::gen::inRange(1, 20);
        for (int i = 0; i < count; ++i) {
            const auto text = rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
            rows.push_back(row(*rc::gen::inRange(0, 6), *text, *image, *image, *image, *text));
        }
        const Block block = block_of(rows);
        const std::vector<StoredRow> back = through_block(block);
        RC_ASSERT(std::equal(rows.begin(), rows.end(), back.begin(), back.end(), same));
        for (const StoredRow& each : rows) {
            RC_ASSERT(block.lowest <= each.identifier && each.identifier <= block.highest);
            if (!each.new_identifier.empty())
                RC_ASSERT(block.lowest <= each.new_identifier && each.new_identifier <= block.highest);
        }
    }));
}
