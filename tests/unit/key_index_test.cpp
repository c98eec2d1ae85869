#include "capture/key_index.hpp"

#include <map>

#include <rapidcheck.h>

#include "support/catch.hpp"

using namespace datachange;

namespace {

/// Rows of one or two key columns, few enough values that many come twice.
RowSet random_rows(std::size_t width) {
    RowSet rows(std::vector<Column>(width, Column{"k", "", "", ""}));
    const int count = *rc::gen::inRange(0, 60);
    const bool sorted = *rc::gen::arbitrary<bool>();
    for (int row = 0; row < count; ++row) {
        for (std::size_t i = 0; i < width; ++i) {
            const int number = sorted && i == 0 ? row - 20 : *rc::gen::inRange(-15, 15);
            const auto kind =
                *rc::gen::element(ValueKind::integer, ValueKind::integer, ValueKind::text, ValueKind::null);
            const std::string bytes = kind == ValueKind::null ? "" : std::to_string(number);
            rows.add(kind, bytes);
        }
    }
    return rows;
}

}  // namespace

TEST_CASE("keys are found and told apart as a map does, in whatever order they come") {
    CHECK(rc::check("as a map", [] {
        const auto width = static_cast<std::size_t>(*rc::gen::inRange(1, 3));
        std::vector<std::size_t> columns;
        for (std::size_t i = 0; i < width; ++i) columns.push_back(i);
        const RowSet first = random_rows(width), second = random_rows(width);
        KeyIndex index;
        std::map<std::string, std::size_t> map;
        for (const RowSet* rows : {&first, &second, &first}) {
            index.rewind();
            for (std::size_t row = 0; row < rows->size(); ++row) {
                const KeyAt key{rows, row, &columns};
                const std::string text = key_fingerprint(rows->key(row, columns));
                const auto known = map.find(text);
                if (*rc::gen::arbitrary<bool>()) {
                    RC_ASSERT(index.find(key) == (known == map.end() ? KeyIndex::npos : known->second));
                }
                const auto [at, is_new] = map.emplace(text, map.size());
                const KeyIndex::Added added = index.add(key);
                RC_ASSERT(added.is_new == is_new);
                RC_ASSERT(added.number == at->second);
                RC_ASSERT(same_key(index[added.number], key));
            }
        }
        RC_ASSERT(index.size() == map.size());
    }));
}

TEST_CASE("integers ascend by size and kinds stand apart") {
    RowSet rows({{"k", "", "", ""}});
    for (const char* number : {"-100", "-20", "-3", "0", "5", "10", "200"})
        rows.add(ValueKind::integer, number);
    rows.add(ValueKind::text, "1");
    rows.add(ValueKind::text, "10");
    rows.add(ValueKind::text, "2");
    const std::vector<std::size_t> columns{0};
    for (std::size_t a = 0; a < rows.size(); ++a) {
        for (std::size_t b = 0; b < rows.size(); ++b) {
            CHECK(ascends({&rows, a, &columns}, {&rows, b, &columns}) == (a < b));
        }
    }
}
