#include <filesystem>
#include <fstream>

#include "core/hash.hpp"
#include "definition_text.hpp"

using namespace datachange;

namespace {

namespace fs = std::filesystem;

/// A folder that is gone afterwards.
class Folder {
public:
    Folder() : m_path(fs::temp_directory_path() / ("datachange-" + new_uuid())) {
        fs::create_directory(m_path);
    }
    ~Folder() { fs::remove_all(m_path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string path(const std::string& name = "") const {
        return name.empty() ? m_path.string() : (m_path / name).string();
    }
    void write(const std::string& name, const std::string& text = "") const {
        std::ofstream(m_path / name) << text;
    }

private:
    fs::path m_path;
};

template <class Call>
void check_error(Call call, const std::string& message, const std::string& hint) {
    try {
        call();
        FAIL("not refused: " << message);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::usage);
        CHECK_THAT(error.what(), Catch::Contains(message));
        CHECK_THAT(error.hint(), Catch::Contains(hint));
    }
}

}  // namespace

TEST_CASE("a file's name is its version and name") {
    const DefinitionFile file = definition_file("some/audits/20260131120000_Backfill_names-2.sql");
    CHECK(file.path == "some/audits/20260131120000_Backfill_names-2.sql");
    CHECK(file.version == "20260131120000");
    CHECK(file.name == "Backfill_names-2");
}

TEST_CASE("a file that is named otherwise is refused") {
    for (const char* name : {"names.sql", "2026_names.sql", "20260131120000.sql", "20260131120000_.sql",
                             "20260131120000_a b.sql", "20260131120000-names.sql", "20260131120000_names.txt",
                             "202601311200001_names.sql", "20260131120000_a.b.sql", ""}) {
        INFO(name);
        check_error([&] { definition_file(std::string{"audits/"} + name); }, "not named like a definition",
                    "<14 digits>_<name>.sql");
    }
}

TEST_CASE("a folder's definitions come by version") {
    const Folder folder;
    folder.write("20260131120000_b.sql");
    folder.write("20260130120000_c.sql");
    folder.write("schema.sql");
    folder.write("README.md");
    folder.write("20260131120000_notes.txt");
    fs::create_directory(folder.path("20260101000000_folder.sql"));
    const auto files = list_definitions(folder.path());
    REQUIRE(files.size() == 2);
    CHECK(files[0].name == "c");
    CHECK(files[1].name == "b");
    CHECK(files[1].path == folder.path("20260131120000_b.sql"));
}

TEST_CASE("a version of another length is refused rather than passed over") {
    const Folder folder;
    folder.write("2026013112000_b.sql");
    check_error([&] { list_definitions(folder.path()); }, "not named like a definition", "14 digits");
}

TEST_CASE("a folder that is not there, and a version used twice, are refused") {
    const Folder folder;
    check_error([&] { list_definitions(folder.path("none")); }, "no such folder of definitions", "--dir");
    folder.write("20260131120000_a.sql");
    folder.write("20260131120000_b.sql");
    check_error([&] { list_definitions(folder.path()); }, "two definitions of version 20260131120000",
                "another version");
}

TEST_CASE("a definition is found by version, name, both, or path") {
    const Folder folder;
    const std::string path = folder.path("20260131120000_names.sql");
    folder.write("20260131120000_names.sql");
    for (const std::string& what :
         {std::string{"20260131120000"}, std::string{"names"}, std::string{"20260131120000_names"}, path}) {
        CHECK(find_definition(folder.path(), what).path == path);
    }
    CHECK(find_definition(folder.path("none"), path).name == "names");
}

TEST_CASE("a definition that is not there is refused with one that is near") {
    const Folder folder;
    folder.write("20260131120000_names.sql");
    const std::string in_folder = folder.path("20260131120000_names.sql");
    check_error([&] { find_definition(folder.path(), "nemes"); }, "no such definition: nemes",
                "did you mean names?");
    check_error([&] { find_definition(folder.path(), "zzzzzzzz"); }, "no such definition: zzzzzzzz",
                "datachange status");
    check_error([&] { find_definition(folder.path(), "20260131120000_names.sql"); }, "no such definition",
                "did you mean " + in_folder + "?");
    check_error([&] { find_definition(folder.path(), folder.path("x.sql")); }, "no such definition",
                "no file");
}

TEST_CASE("a name that several definitions have is refused with their versions") {
    const Folder folder;
    folder.write("20260131120000_names.sql");
    folder.write("20260131120001_names.sql");
    check_error([&] { find_definition(folder.path(), "names"); }, "2 definitions are named names",
                "20260131120000, 20260131120001");
}

TEST_CASE("a file is read whole, and one that cannot be read is named") {
    const Folder folder;
    folder.write("20260131120000_names.sql", good_definition);
    const Definition definition =
        read_definition(definition_file(folder.path("20260131120000_names.sql")), Engine::sqlite);
    CHECK(definition.text == good_definition);
    CHECK(definition.sha256 == sha256(good_definition));
    CHECK(definition.engine == Engine::sqlite);
    check_error(
        [&] {
            read_definition({folder.path("x.sql"), "", ""}, Engine::sqlite);
        },
        "cannot read", "may be read");
    check_error(
        [&] {
            read_definition({folder.path(), "", ""}, Engine::sqlite);
        },
        "cannot read", "may be read");
}
