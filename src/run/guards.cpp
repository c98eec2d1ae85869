#include "run/guards.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/located.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "run/undo_state.hpp"

namespace datachange {

namespace {

std::string place(const Plan& plan, const SourcePosition& position) {
    return place_text(plan.definition.path, position);
}

std::string described(const JournalRun& run) {
    return fmt::format("run {} by {}, started {}", run.uuid.substr(0, 8), run.operator_name, run.started_at);
}

}  // namespace

void refuse_running(const JournalRun& run) {
    throw Error(
        ExitCode::pending,
        fmt::format("version {} is being run by {} since {} (run {}, {})", run.version, run.owner,
                    run.started_at, run.uuid.substr(0, 8), run.state),
        fmt::format("Two runs of one version at once would change rows twice: wait for the other. If nobody "
                    "works on it any more, `datachange resume {} --take-over` goes on with it. Nothing was "
                    "changed.",
                    run.uuid.substr(0, 8)));
}

namespace {

[[noreturn]] void refuse_marked(const Mark& mark) {
    throw AlreadyDone(
        ExitCode::failed,
        fmt::format("version {} is marked as done by {}, {}: {}", mark.version, mark.marked_by,
                    mark.marked_at, mark.reason),
        fmt::format("--again runs it all the same; `datachange mark {} pending --reason ...` takes the "
                    "mark back. Nothing was changed.",
                    mark.version));
}

}  // namespace

void require_same_definition(const Plan& plan, const JournalRun& run) {
    const Definition& definition = plan.definition;
    if (run.definition_sha256 == definition.sha256) return;
    throw Error(
        ExitCode::failed,
        fmt::format("version {} has run with another definition ({}): then SHA-256 {}, now {}", run.version,
                    described(run), run.definition_sha256, definition.sha256),
        "A definition that has run is evidence: put the file back as it was, and write the new change as a "
        "new definition (`datachange new`). --again runs it all the same. Nothing was changed.")
        .at(definition.path);
}

std::optional<JournalRun> run_to_continue(const Plan& plan, const std::vector<JournalRun>& runs,
                                          const Mark* mark, bool again,
                                          const std::function<bool(const JournalRun&)>& stalled) {
    if (mark != nullptr && mark->state == "done" && !again && !plan.may_run_again()) refuse_marked(*mark);
    if (mark != nullptr && mark->state == "pending") again = true;
    std::optional<JournalRun> unfinished;
    for (const JournalRun& run : runs) {
        if (reversed_run(run, runs) != nullptr) {
            if (run.active() && !stalled(run)) refuse_running(run);
            continue;
        }
        if (const JournalRun* undo = again ? nullptr : unfinished_undo(run, runs)) {
            throw Error(
                ExitCode::failed,
                fmt::format("the undo of run {} has not ended: {}", run.uuid.substr(0, 8), described(*undo)),
                fmt::format("`datachange resume {}` goes on with it. Nothing was changed.",
                            undo->uuid.substr(0, 8)));
        }
        if (run.active()) {
            if (!stalled(run)) refuse_running(run);
            require_same_definition(plan, run);
            unfinished = run;
            continue;
        }
        const bool left_traces = run.state == "done" || run.batches > 0;
        if (!left_traces || again) continue;
        require_same_definition(plan, run);
        if (plan.may_run_again()) continue;
        if (const JournalRun* undo = undone_by(run, runs)) {
            throw Error(
                ExitCode::failed,
                fmt::format("version {} has run and was undone: {}", run.version, described(*undo)),
                "--again runs it anew; `datachange undo` of the undo puts back what it had done. Nothing was "
                "changed.");
        }
        if (run.state == "done") {
            throw AlreadyDone(
                ExitCode::failed, fmt::format("version {} has run already: {}", run.version, described(run)),
                "--again runs it once more; `-- repeatable: yes` in the header always allows it. Nothing "
                "was changed.");
        }
        if (run.state == "cancelled") {
            throw Error(ExitCode::failed,
                        fmt::format("version {} was cancelled after {}: {}", run.version,
                                    counted(run.batches, "batch"), described(run)),
                        "--again runs the definition over what its pre finds now. Nothing was changed.");
        }
        unfinished = run;
    }
    return unfinished;
}

std::optional<JournalRun> undo_to_continue(const Plan& plan, const std::vector<JournalRun>& runs,
                                           const std::function<bool(const JournalRun&)>& stalled) {
    std::optional<JournalRun> unfinished;
    for (const JournalRun& run : runs) {
        const bool same = run.name == plan.definition.name;
        if (run.active() && (!same || !stalled(run))) refuse_running(run);
        const bool ended = run.state == "done" || run.state == "cancelled";
        if (same && !ended && (run.active() || run.batches > 0)) unfinished = run;
    }
    if (unfinished) require_same_definition(plan, *unfinished);
    return unfinished;
}

void require_sound_set(const Plan& plan, const ReadyStep& step, const SetSize& size, bool in_ranges) {
    const Step& definition = step.plan->step;
    if (size.null_keys > 0) {
        const char* section = definition.keys ? "keys" : "pre";
        const SourcePosition at = definition.keys ? definition.keys->at : definition.pre->at;
        throw Error(ExitCode::failed,
                    fmt::format("{} gives {} with NULL in {}", section, counted(size.null_keys, "row"),
                                join(step.source.columns, ", ")),
                    "A key names a row: exclude such rows (IS NOT NULL), or choose another identifier. "
                    "Nothing was changed.")
            .at(place(plan, at));
    }
    if (in_ranges && !step.no_unique_key.empty()) {
        throw Error(
            ExitCode::failed, "batches by range need a unique key, and " + step.no_unique_key,
            "Create a unique index (CREATE UNIQUE INDEX CONCURRENTLY on PostgreSQL), add an `audit:keys` "
            "section, say "
            ":affected instead of :batch in change (batches by key list), or run with --single-transaction. "
            "Nothing was changed.")
            .at(place(plan, definition.pre->at));
    }
}

void require_expected(const Plan& plan, const Step& step, std::uint64_t rows, bool only_most,
                      const std::string& what) {
    if (!step.expect_rows) return;
    const RowBounds& bounds = *step.expect_rows;
    const bool too_few = !only_most && rows < bounds.least;
    const bool too_many = bounds.most && rows > *bounds.most;
    if (!too_few && !too_many) return;
    const std::string expected =
        bounds.most ? fmt::format("{}..{}", bounds.least, *bounds.most) : fmt::format("{}..", bounds.least);
    const std::string who = step.name.empty() ? "the run" : "step " + step.name;
    throw Error(ExitCode::failed,
                fmt::format("{} {} {}, and expect-rows is {}", who, what, counted(rows, "row"), expected),
                "Look at what pre finds (`datachange run --dry-run` writes it to CSV), then mend the "
                "definition or expect-rows.")
        .at(plan.definition.path);
}

void require_verified(Target& target, const Plan& plan, const Step& step) {
    if (!step.verify) return;
    constexpr std::size_t shown = 3;
    const SqlTemplate some = wrap("SELECT * FROM (", *step.verify, ") AS datachange_verify LIMIT 1000");
    const RowSet rows =
        located(plan.definition.path, step.verify->at, [&] { return target.query(some, Scope{}); });
    if (rows.empty()) return;
    std::string examples;
    for (std::size_t row = 0; row < std::min(rows.size(), shown); ++row) {
        examples += row == 0 ? "" : ", ";
        append_json_object(examples, rows, row);
    }
    throw Error(ExitCode::failed,
                fmt::format("verify returned {}{}, and must return none: {}",
                            rows.size() == 1000 ? "at least " : "", counted(rows.size(), "row"), examples),
                "The rows that it names are not as the definition promises.")
        .at(place(plan, step.verify->at));
}

}  // namespace datachange
