#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/text.hpp"
#include "definition_text.hpp"
#include "plan/range_safety.hpp"

using namespace datachange;

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

struct Case {
    std::string name;
    Engine engine;
    std::string text;
};

std::vector<Case> cases() {
    std::vector<Case> cases;
    for (const fs::directory_entry& entry : fs::directory_iterator(DATACHANGE_CASES)) {
        if (!fs::exists(entry.path() / "definition.sql")) continue;
        const bool sqlite = trim(content(entry.path() / "engine")) == "sqlite";
        cases.push_back({entry.path().filename().string(), sqlite ? Engine::sqlite : Engine::postgresql,
                         content(entry.path() / "definition.sql")});
    }
    return cases;
}

void check_step_fits(const Step& step, Engine engine) {
    std::vector<const SqlTemplate*> templates;
    for (const auto* query : {&step.keys, &step.pre}) {
        if (*query) templates.push_back(&**query);
    }
    for (const ChangeStatement& statement : step.change) {
        CHECK(statement.changes_data);
        CHECK(statement.has_returning);
        CHECK(returning_names(statement.sql, engine).has_value() == (engine == Engine::postgresql));
        templates.push_back(&statement.sql);
    }
    for (const SqlTemplate* sql : templates) {
        const auto obstacle = range_obstacle(*sql, engine);
        INFO((obstacle ? obstacle->what : ""));
        CHECK_FALSE(obstacle);
    }
}

}  // namespace

TEST_CASE("every case's definition is read, and ranges are right where it says :batch") {
    REQUIRE(cases().size() >= 16);
    for (const Case& one : cases()) {
        INFO(one.name);
        const Definition definition = parse(one.text, one.engine);
        CHECK_FALSE(definition.steps.empty());
        for (const Step& step : definition.steps) check_step_fits(step, one.engine);
    }
}

TEST_CASE("macros and statements hide in literals without being found") {
    const auto find = [](const std::string& name) {
        for (const Case& one : cases()) {
            if (one.name == name) return parse(one.text, one.engine).steps.at(0);
        }
        throw std::runtime_error("no case " + name);
    };
    const Step literals = find("05_literals_like_placeholders");
    REQUIRE(literals.change.size() == 1);
    CHECK(literals.change[0].sql.pieces.size() == 3);
    CHECK(literals.expect_rows->most == 1U);
    CHECK(find("06_quoted_mixed_case_names").identifier == std::vector<std::string>{"accountId"});
    CHECK(find("08_semicolon_in_literal").change.size() == 1);
    const Step updates = find("12_many_small_updates");
    CHECK(updates.change.size() == 11);
    CHECK(updates.identifier == std::vector<std::string>{"note id"});
    CHECK_FALSE(find("15_upsert_from_list").change[0].plain_insert);
    CHECK(find("03_copy_rows_to_new_table").change[0].plain_insert);
}
