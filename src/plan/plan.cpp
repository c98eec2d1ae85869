#include "plan/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"
#include "plan/range_safety.hpp"

namespace datachange {

namespace {

using Macro = SqlPiece::Kind;

std::string place(const SourcePosition& at) {
    return fmt::format("{}:{}", at.line, at.column);
}

/// The statement of change that a range would not reach, or nullptr.
const ChangeStatement* statement_without(const Step& step, Macro macro) {
    const auto found =
        std::find_if(step.change.begin(), step.change.end(), [macro](const ChangeStatement& statement) {
            return statement.changes_data && !statement.sql.uses(macro);
        });
    return found == step.change.end() ? nullptr : &*found;
}

bool change_uses(const Step& step, Macro macro) {
    return std::any_of(step.change.begin(), step.change.end(),
                       [macro](const ChangeStatement& statement) { return statement.sql.uses(macro); });
}

/// Looks for a query level at which a range would mean something else; fills in why.
bool ranges_are_safe(StepPlan& plan, Engine engine) {
    const Step& step = plan.step;
    if (!step.batch_safe.empty()) return true;
    std::vector<const SqlTemplate*> templates{&*step.pre};
    if (step.keys) templates.push_back(&*step.keys);
    for (const ChangeStatement& statement : step.change) templates.push_back(&statement.sql);
    for (const SqlTemplate* sql : templates) {
        const auto found = range_obstacle(*sql, engine);
        if (!found) continue;
        plan.obstacle = fmt::format(
            ":batch stands in or beneath a query level with {}, where a range changes the meaning",
            found->what);
        plan.obstacle_at = place(found->at);
        plan.advice =
            "Use :affected in change instead of :batch (batches by key list), or say `-- transaction: "
            "single`, or, "
            "if a range is right here, `-- batch-safe: why`.";
        return false;
    }
    return true;
}

void plan_ranges(StepPlan& plan, Engine engine) {
    const Step& step = plan.step;
    if (const ChangeStatement* statement = statement_without(step, Macro::batch)) {
        plan.obstacle = fmt::format("the {} in change does not say :batch", statement->verb);
        plan.obstacle_at = place(statement->sql.at);
        plan.advice = fmt::format("Add `AND :batch({})` to it.", join(step.identifier, ", "));
    } else if (!step.keys && !step.pre->uses(Macro::batch)) {
        plan.obstacle = "change says :batch, but pre does not";
        plan.obstacle_at = place(step.pre->at);
        plan.advice = fmt::format("Add `AND :batch({})` to pre.", join(step.identifier, ", "));
    } else if (ranges_are_safe(plan, engine)) {
        plan.batching = Batching::range;
        plan.ranges_over_keys = step.keys.has_value();
    }
}

void plan_key_list(StepPlan& plan) {
    const Step& step = plan.step;
    if (const ChangeStatement* statement = statement_without(step, Macro::affected)) {
        plan.obstacle = fmt::format("the {} in change does not say :affected", statement->verb);
        plan.obstacle_at = place(statement->sql.at);
        plan.advice = fmt::format("Add `AND :affected({})` to it.", join(step.identifier, ", "));
    } else if (step.table.empty()) {
        plan.obstacle = "batches by key list read their rows again from the table, and no table is named";
        plan.advice = "Add `-- table: NAME` to the header.";
    } else {
        plan.batching = Batching::key_list;
    }
}

StepPlan plan_step(Step step, Engine engine, const RunOptions& options) {
    StepPlan plan;
    plan.step = std::move(step);
    plan.batch_size = options.batch_size.value_or(plan.step.batch_size.value_or(default_batch_size));
    if (plan.step.only_verifies()) return plan;
    plan.skips_failures = options.skip_failures.value_or(plan.step.on_error == OnError::skip);
    if (plan.forced_single()) {
        plan.obstacle = "the definition says `transaction: single`";
    } else if (change_uses(plan.step, Macro::batch)) {
        plan_ranges(plan, engine);
    } else if (change_uses(plan.step, Macro::affected)) {
        plan_key_list(plan);
    } else {
        plan.obstacle = "change says neither :batch nor :affected";
        plan.advice = fmt::format(
            "Add `AND :batch({0})` to pre and change (batches by range), or `AND :affected({0})` to change "
            "(batches by "
            "key list), or say `-- transaction: single` where batches would be wrong, or run with "
            "--single-transaction.",
            join(plan.step.identifier, ", "));
    }
    return plan;
}

}  // namespace

bool Plan::only_verifies() const {
    return std::all_of(steps.begin(), steps.end(),
                       [](const StepPlan& plan) { return plan.step.only_verifies(); });
}

bool Plan::redacts() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const StepPlan& step) { return !step.step.redact.empty(); });
}

bool Plan::may_run_again() const {
    return definition.repeatable || only_verifies();
}

const char* mode_name(Mode mode) noexcept {
    return mode == Mode::single ? "single" : "batched";
}

Plan make_plan(Definition definition, const RunOptions& options) {
    Plan plan;
    plan.batch_threshold = options.batch_threshold;
    plan.single_transaction = options.single_transaction;
    plan.strict = options.strict;
    for (const Step& step : definition.steps)
        plan.steps.push_back(plan_step(step, definition.engine, options));
    plan.definition = std::move(definition);
    return plan;
}

bool wants_batches(const Plan& plan, const StepPlan& step, std::uint64_t rows) {
    if (plan.single_transaction || step.forced_single() || step.step.only_verifies()) return false;
    // one transaction would lose the good rows with the bad one
    const bool keeps_good_rows = step.skips_failures && step.batching != Batching::none && rows > 0;
    return step.step.transaction == TransactionWish::batched || keeps_good_rows ||
           rows > plan.batch_threshold;
}

Mode choose_mode(const Plan& plan, const std::vector<std::uint64_t>& rows) {
    Mode mode = Mode::single;
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        const StepPlan& step = plan.steps[i];
        if (!wants_batches(plan, step, rows[i])) continue;
        if (step.batching == Batching::none) {
            const std::string name = step.step.name.empty() ? "the set" : "the set of step " + step.step.name;
            Error error(
                ExitCode::failed,
                fmt::format(
                    "{} has {}, too many for one transaction (threshold {}), and cannot be batched: {}", name,
                    counted(rows[i], "row"), with_thousands(plan.batch_threshold), step.obstacle),
                step.advice + " Nothing was changed.");
            const std::string& path = plan.definition.path;
            error.at(step.obstacle_at.empty() ? path : path + ":" + step.obstacle_at);
            throw error;
        }
        mode = Mode::batched;
    }
    return mode;
}

}  // namespace datachange
