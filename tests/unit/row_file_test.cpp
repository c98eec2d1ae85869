#include "capture/row_file.hpp"

#include <cstdlib>

#include "datachange/error.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

/// Sets TMPDIR for as long as it lives.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const char* folder) {
        if (const char* const former = std::getenv("TMPDIR")) m_former = former;
        ::setenv("TMPDIR", folder, 1);
    }
    ~TemporaryFolder() { m_former.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", m_former.c_str(), 1); }

private:
    std::string m_former;
};

RowSet rows_from(int first, int count) {
    RowSet rows({{"id", "integer", "t", "id"}, {"v", "text", "", ""}});
    for (int i = first; i < first + count; ++i) {
        rows.add(ValueKind::integer, std::to_string(i));
        if (i % 3 == 0) rows.add(ValueKind::null, "");
        if (i % 3 == 1) rows.add(ValueKind::blob, std::string(static_cast<std::size_t>(i % 700), '\0'));
        if (i % 3 == 2) rows.add(ValueKind::text, i % 2 == 0 ? "" : "text " + std::to_string(i));
    }
    return rows;
}

bool same_rows(const RowSet& a, const RowSet& b) {
    if (a.columns() != b.columns() || a.size() != b.size()) return false;
    for (std::size_t row = 0; row < a.size(); ++row) {
        for (std::size_t column = 0; column < a.width(); ++column) {
            if (a.at(row, column) != b.at(row, column)) return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("rows come out of a file as they went in, however they are read") {
    const int count = GENERATE(0, 1, 999, 20'000);  // the last is more than stays in memory
    RowFile file;
    for (int first = 0; first < count || first == 0; first += 700)
        file.append(rows_from(first, std::min(700, count - first)));
    CHECK(file.size() == static_cast<std::uint64_t>(count));
    RowFile::Reader reader(file);
    int read = 0;
    while (!reader.at_end()) {
        const RowSet rows = reader.next(450);
        REQUIRE(same_rows(rows, rows_from(read, static_cast<int>(rows.size()))));
        read += static_cast<int>(rows.size());
    }
    CHECK(read == count);
    CHECK(RowFile::Reader(file).next(0).columns() == rows_from(0, 0).columns());
}

TEST_CASE("rows are found again by their place") {
    RowFile file;
    file.append(rows_from(0, 20'000));
    std::vector<std::uint64_t> places;
    for (RowFile::Reader reader(file); !reader.at_end(); reader.next(1)) places.push_back(reader.offset());
    REQUIRE(places.size() == 20'000);
    RowFile::Reader reader(file);
    reader.read_ahead(64);
    for (const int row : {19'999, 7, 8, 12'345, 0}) {
        reader.seek(places[static_cast<std::size_t>(row)]);
        CHECK(same_rows(reader.next(1), rows_from(row, 1)));
    }
}

TEST_CASE("one value may be larger than what is read at a time") {
    RowFile file;
    RowSet rows({{"v", "", "", ""}});
    rows.add(ValueKind::text, std::string(3'000'000, 'x'));
    rows.add(ValueKind::text, "y");
    file.append(rows);
    CHECK(same_rows(RowFile::Reader(file).next(5), rows));
}

TEST_CASE("a folder that takes no files is named, with a way out") {
    const TemporaryFolder nowhere("/nowhere/at/all");
    RowFile file;
    file.append(rows_from(0, 10));  // few rows need none
    try {
        file.append(rows_from(0, 20'000));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::unreachable);
        CHECK_THAT(error.what(), Catch::Contains("a temporary file in /nowhere/at/all cannot be made"));
        CHECK_THAT(error.hint(), Catch::Contains("TMPDIR"));
    }
}
