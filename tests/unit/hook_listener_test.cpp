#include "report/hook_listener.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"

using namespace datachange;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is told.
struct Heard : Listener {
    void run_taken(const RunNotice& notice) override { said.push_back("taken " + notice.state); }
    void run_paused(const std::string& why) override { said.push_back("paused: " + why); }
    void run_concluded(const RunNotice& notice) override { said.push_back("concluded " + notice.state); }
    void rows_changed(std::uint64_t changed) override { said.push_back(fmt::format("{} rows", changed)); }
    void batch_done(int, const std::string& batch, std::uint64_t) override {
        said.push_back("batch " + batch);
    }
    void warning(const std::string& text) override { warnings.push_back(text); }

    std::vector<std::string> said, warnings;
};

/// A file that hooks write into.
class Log {
public:
    Log() : m_path(fmt::format("{}/hooks-{}", std::filesystem::temp_directory_path().string(), ::getpid())) {
        std::filesystem::remove(m_path);
    }
    ~Log() { std::filesystem::remove(m_path); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    std::string append(const std::string& text) const { return fmt::format("echo {} >>'{}'", text, m_path); }
    std::string content() const {
        std::ifstream file(m_path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string m_path;
};

RunNotice notice_of(RunEvent event, const std::string& state) {
    RunNotice notice;
    notice.event = event;
    notice.run = 3;
    notice.uuid = "8d1f";
    notice.version = "20260121100500";
    notice.name = "backfill";
    notice.target = "sqlite:/srv/shop/shop.db";
    notice.state = state;
    return notice;
}

std::string value_of(const HookVariables& variables, const std::string& name) {
    for (const auto& [variable, value] : variables) {
        if (variable == name) return value;
    }
    return "(none)";
}

}  // namespace

TEST_CASE("hooks are called in order, and do not hold up who tells of the run", "[hooks]") {
    const Log log;
    Heard heard;
    HookOptions options;
    options.on_start = "sleep 0.3; " + log.append("$DATACHANGE_EVENT");
    options.on_paused = log.append("$DATACHANGE_EVENT $DATACHANGE_ROWS_CHANGED $DATACHANGE_STATE");
    options.on_done = log.append("$DATACHANGE_EVENT");
    {
        HookListener hooks(options, heard);
        hooks.run_taken(notice_of(RunEvent::start, "processing"));
        hooks.batch_done(1, "1", 5);
        hooks.rows_changed(4);
        hooks.run_paused("paused by anna");
        hooks.run_concluded(notice_of(RunEvent::done, "done"));
        CHECK(log.content().empty());
    }
    CHECK(log.content() == "start\npaused 4 paused\ndone\n");
    CHECK(heard.said == std::vector<std::string>{"taken processing", "batch 1", "4 rows",
                                                 "paused: paused by anna", "concluded done"});
    CHECK(heard.warnings.empty());
}

TEST_CASE("a hook that fails is one warning, and the next one is called", "[hooks]") {
    const Log log;
    Heard heard;
    HookOptions options;
    options.timeout = 300ms;
    options.on_start = "echo 'no \x1b[31mhost' >&2; echo more >&2; exit 3";
    options.on_paused = "trap '' TERM; sleep 600";
    options.on_failed = log.append("$DATACHANGE_EXIT_STATUS");
    {
        HookListener hooks(options, heard);
        hooks.run_taken(notice_of(RunEvent::start, "processing"));
        hooks.run_paused("paused");
        RunNotice failed = notice_of(RunEvent::failed, "failed");
        failed.exit_status = ExitCode::partial;
        hooks.run_concluded(failed);
    }
    CHECK(heard.warnings ==
          std::vector<std::string>{
              "the hook on-start ended with 3: no \\x1b[31mhost (the run is not affected)",
              "the hook on-paused took longer than 0.3 s, and was ended (the run is not affected)"});
    CHECK(log.content() == "6\n");
}

TEST_CASE("without a command nothing is called, nor for a dry run", "[hooks]") {
    const Log log;
    Heard heard;
    HookOptions options;
    options.on_start = log.append("start");
    {
        HookListener hooks(options, heard);
        RunNotice rehearsal = notice_of(RunEvent::start, "processing");
        rehearsal.dry_run = true;
        hooks.run_taken(rehearsal);
        hooks.run_concluded(notice_of(RunEvent::done, "done"));
    }
    CHECK(log.content().empty());
    CHECK(heard.said.size() == 2);
}

TEST_CASE("a listener that throws does not keep hooks from being called", "[hooks]") {
    struct Broken : Listener {
        void run_taken(const RunNotice&) override { throw std::runtime_error("broken"); }
    } broken;
    const Log log;
    HookOptions options;
    options.on_start = log.append("start");
    HookListener(options, broken).run_taken(notice_of(RunEvent::start, "processing"));
    CHECK(log.content() == "start\n");
}

TEST_CASE("secrets are not among a hook's variables", "[hooks]") {
    const Log log;
    Heard heard;
    HookOptions options;
    options.withheld = {"SHOP_URL"};
    options.environment = {{"DATACHANGE_TARGET", "eu-prod"}};
    options.on_start = log.append(
        "\"[$SHOP_URL$PGPASSWORD$DATABASE_URL$DATACHANGE_REDACT_KEY] $OTHER "
        "$DATACHANGE_TARGET\"");
    for (const char* name : {"SHOP_URL", "PGPASSWORD", "DATABASE_URL", "DATACHANGE_REDACT_KEY", "OTHER"})
        ::setenv(name, "x", 1);
    HookListener(options, heard).run_taken(notice_of(RunEvent::start, "processing"));
    for (const char* name : {"SHOP_URL", "PGPASSWORD", "DATABASE_URL", "DATACHANGE_REDACT_KEY", "OTHER"})
        ::unsetenv(name);
    CHECK(log.content() == "[] x eu-prod\n");
}

TEST_CASE("a hook is told of the run in its environment", "[hooks]") {
    RunNotice notice = notice_of(RunEvent::failed, "failed");
    notice.rows_changed = 1'234;
    notice.rows_failed = 1;
    notice.duration_ms = 1'849;
    notice.error = "duplicate key\nDETAIL: Key (id)";
    notice.exit_status = ExitCode::partial;
    notice.csv_directory = "/nowhere/at/all";
    const HookVariables variables =
        hook_variables(notice, {{"DATACHANGE_TARGET", ""}, {"DATACHANGE_OPERATOR", "anna"}});
    CHECK(value_of(variables, "DATACHANGE_EVENT") == "failed");
    CHECK(value_of(variables, "DATACHANGE_RUN") == "3");
    CHECK(value_of(variables, "DATACHANGE_TARGET") == "sqlite:/srv/shop/shop.db");
    CHECK(value_of(variables, "DATACHANGE_ERROR") == "duplicate key\nDETAIL: Key (id)");
    CHECK(value_of(variables, "DATACHANGE_EXIT_STATUS") == "6");
    CHECK(value_of(variables, "DATACHANGE_CSV_DIRECTORY").empty());  // it is not there (any more)
    CHECK(value_of(variables, "DATACHANGE_TEXT") ==
          "run 3 failed: 20260121100500 backfill on sqlite:/srv/shop/shop.db by anna: 1,234 rows changed in "
          "1.8 s, "
          "1 row failed: duplicate key");

    const auto json = nlohmann::json::parse(hook_json(variables));
    CHECK(json["run"] == 3);
    CHECK(json["rows_changed"] == 1'234);
    CHECK(json["exit_status"] == 6);
    CHECK(json["resumed"] == false);
    CHECK(json["ticket"].is_null());
    CHECK(json["error"] == notice.error);
    CHECK(json["text"] == value_of(variables, "DATACHANGE_TEXT"));
    CHECK(json.size() == variables.size());
}

TEST_CASE("what is too long for a variable is cut between characters", "[hooks]") {
    RunNotice notice = notice_of(RunEvent::failed, "failed");
    notice.ticket = std::string(200'000, 't');
    for (int i = 0; i < 5'000; ++i) notice.error += "ü";
    const HookVariables variables = hook_variables(notice, {});
    const std::string error = value_of(variables, "DATACHANGE_ERROR");
    CHECK(error.size() <= 2'000);
    CHECK(error.size() > 1'990);
    CHECK(error.ends_with("ü…"));
    CHECK(value_of(variables, "DATACHANGE_TICKET").size() == 8'000);
    notice.error = std::string("zero\0byte", 9);
    CHECK(value_of(hook_variables(notice, {}), "DATACHANGE_ERROR") == "zero");
    notice.error = std::string(3'000, '\xff');
    CHECK(value_of(hook_variables(notice, {}), "DATACHANGE_ERROR").size() == 2'000);
    CHECK_NOTHROW(nlohmann::json::parse(hook_json(hook_variables(notice, {}))));
}
