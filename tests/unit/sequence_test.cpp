#include <string>
#include <vector>

#include "datachange/error.hpp"
#include "migrate/sequence.hpp"
#include "run/marks.hpp"
#include "run/version_state.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

VersionState version(const std::string& number, const std::string& name, const std::string& state) {
    VersionState made;
    made.version = number;
    made.name = name;
    made.state = state;
    return made;
}

std::vector<std::string> numbers(const std::vector<VersionState>& states) {
    std::vector<std::string> found;
    for (const VersionState& state : states) found.push_back(state.version);
    return found;
}

using Numbers = std::vector<std::string>;

const std::vector<VersionState> all{version("1", "a", "done"),   version("2", "b", "pending"),
                                    version("3", "c", "marked"), version("4", "d", "failed"),
                                    version("5", "e", "edited"), version("6", "f", "excluded"),
                                    version("7", "g", "pending")};

Error error_of(const SequenceOptions& options) {
    try {
        pending_sequence(all, options);
    } catch (const Error& error) {
        return error;
    }
    return Error(ExitCode::done, "no error");
}

JournalRun run_of(const std::string& uuid, const std::string& number, const std::string& state,
                  const std::string& sha256 = "s") {
    JournalRun run;
    run.uuid = uuid;
    run.version = number;
    run.name = "n";
    run.state = state;
    run.definition_sha256 = sha256;
    return run;
}

Mark mark_of(const std::string& number, const std::string& state, const std::string& after_run,
             const std::string& origin = "mark") {
    return {number, state, "reason", origin, "anna", "2026-01-01T00:00:00.000Z", after_run};
}

std::string state_of(const JournalState& journal, const std::string& sha256 = "s",
                     const std::vector<std::string>& targets = {}, const std::string& group = "") {
    const auto states = version_states({{"1", "n", "1_n.sql", sha256, targets}}, journal, group);
    REQUIRE(states.size() == 1);
    return states.front().state;
}

}  // namespace

TEST_CASE("what is pending is run in order", "[migrate]") {
    CHECK(numbers(pending_sequence(all, {})) == Numbers{"2", "4", "7"});
    CHECK(numbers(pending_sequence(all, {"4", "", 0, false})) == Numbers{"2", "4"});
    CHECK(numbers(pending_sequence(all, {"c", "", 0, false})) == Numbers{"2"});
    CHECK(numbers(pending_sequence(all, {"", "7_g", 0, false})) == Numbers{"7"});
    CHECK(numbers(pending_sequence(all, {"", "", 2, false})) == Numbers{"2", "4"});
    CHECK(numbers(pending_sequence(all, {"1", "", 0, false})).empty());
}

TEST_CASE("order is broken by a pending version that is older than one that was dealt with", "[migrate]") {
    const Error late = error_of({"", "", 0, true});
    CHECK(late.code() == ExitCode::failed);
    CHECK_THAT(late.what(), Catch::Contains("5 e") && Catch::Contains("2 b, 4 d") && !Catch::Contains("7 g"));
    CHECK(numbers(pending_sequence(all, {"", "7", 0, true})) == Numbers{"7"});
    // what is not meant for this target was never dealt with
    CHECK(numbers(pending_sequence({version("1", "a", "pending"), version("2", "b", "excluded")},
                                   {"", "", 0, true})) == Numbers{"1"});
}

TEST_CASE("versions that are not known, or not pending, are refused", "[migrate]") {
    CHECK(error_of({"9", "", 0, false}).code() == ExitCode::usage);
    CHECK(error_of({"", "x", 0, false}).code() == ExitCode::usage);
    const Error done = error_of({"", "1", 0, false});
    CHECK(done.code() == ExitCode::failed);
    CHECK_THAT(done.what(), Catch::Contains("1 a is not pending: done"));
}

TEST_CASE("a mark holds until there is a newer run", "[migrate]") {
    CHECK(state_of({{}, {mark_of("1", "done", "")}}) == "marked");
    CHECK(state_of({{run_of("u1", "1", "failed")}, {mark_of("1", "done", "u1")}}) == "marked");
    CHECK(state_of({{run_of("u1", "1", "failed")}, {mark_of("1", "done", "")}}) == "failed");
    CHECK(state_of({{run_of("u1", "1", "done")}, {mark_of("1", "pending", "u1")}}) == "pending");
    CHECK(state_of({{run_of("u1", "1", "done"), run_of("u2", "1", "done")},
                    {mark_of("1", "pending", "u1")}}) == "done");
    CHECK(state_of({{}, {mark_of("1", "done", ""), mark_of("1", "pending", "")}}) == "pending");
}

TEST_CASE("a version's state is that of its file, its runs and the target's group", "[migrate]") {
    CHECK(state_of({}) == "pending");
    CHECK(state_of({{run_of("u1", "1", "done")}, {}}) == "done");
    CHECK(state_of({{run_of("u1", "1", "done")}, {}}, "other") == "edited");
    CHECK(state_of({}, "s", {"prod"}, "staging") == "excluded");
    CHECK(state_of({}, "s", {"prod"}, "prod") == "pending");
    CHECK(state_of({}, "s", {"prod"}, "") == "pending");
    CHECK(state_of({{run_of("u1", "1", "done")}, {}}, "s", {"prod"}, "staging") == "done");
}

TEST_CASE("versions without a file are told if this tool has dealt with them", "[migrate]") {
    const JournalState journal{{run_of("u1", "3", "done")},
                               {mark_of("1", "done", "", "flyway"), mark_of("2", "done", "")}};
    const auto states = version_states({}, journal);
    CHECK(numbers(states) == Numbers{"2", "3"});
    CHECK(states[0].path.empty());
    CHECK(states[1].name == "n");
}
