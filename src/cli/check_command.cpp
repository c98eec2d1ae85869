#include <memory>
#include <optional>

#include <fmt/format.h>

#include "capture/set_reader.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "plan/plan.hpp"
#include "report/json.hpp"
#include "run/guards.hpp"
#include "run/preflight.hpp"
#include "target/redacting_target.hpp"

namespace datachange {

namespace {

struct Options {
    std::vector<std::string> definitions;  ///< empty: all of the folder
};

/// What a run would do now.
struct Checked {
    DefinitionFile file;
    std::string mode;                 ///< single | batched
    std::vector<std::uint64_t> rows;  ///< of each step's set
    std::string skip_reason;
    std::optional<Error> error;
};

std::vector<std::uint64_t> measure_steps(Target& target, const Plan& plan, const Preflight& preflight) {
    std::vector<std::uint64_t> rows;
    target.begin(Isolation::read_only);
    for (const ReadyStep& step : preflight.steps) {
        SetSize size;
        if (!step.plan->step.only_verifies()) {
            size = measure(target, step.source, false);
            const bool ranges =
                wants_batches(plan, *step.plan, size.keys) && step.plan->batching == Batching::range;
            require_sound_set(plan, step, size, ranges);
        }
        rows.push_back(size.keys);
    }
    target.rollback();
    return rows;
}

Checked check_one(Target& database, const DefinitionFile& file, const RunOptions& options) {
    Checked checked{file, "", {}, "", std::nullopt};
    try {
        const Plan plan = make_plan(read_definition(file, database.engine()), options);
        const auto withheld = plan.redacts() ? withholding(database) : nullptr;
        Target& target = withheld ? *withheld : database;
        const Preflight preflight = check_plan(target, plan);
        checked.skip_reason = preflight.skip_reason;
        if (!checked.skip_reason.empty()) return checked;
        checked.rows = measure_steps(target, plan, preflight);
        checked.mode = mode_name(choose_mode(plan, checked.rows));
    } catch (const Error& error) {
        database.rollback();
        checked.error = error;
    }
    return checked;
}

std::string rows_text(const Checked& checked) {
    std::vector<std::string> parts;
    for (const std::uint64_t rows : checked.rows) parts.push_back(with_thousands(rows));
    return join(parts, " + ") + (checked.rows.size() == 1 && checked.rows.front() == 1 ? " row" : " rows");
}

std::string checked_json(const Checked& checked) {
    std::vector<std::string> rows;
    for (const std::uint64_t count : checked.rows) rows.push_back(std::to_string(count));
    JsonObject object;
    object.add("version", checked.file.version).add("name", checked.file.name).add("path", checked.file.path);
    object.add("ok", !checked.error.has_value());
    object.add_or_null("mode", checked.mode).raw("rows", "[" + join(rows, ",") + "]");
    object.add_or_null("skipped", checked.skip_reason);
    object.add_or_null("error", checked.error ? checked.error->what() : "");
    object.add_or_null("where", checked.error ? checked.error->where() : "");
    object.add_or_null("hint", checked.error ? checked.error->hint() : "");
    return object.text();
}

void print_text(const Checked& checked) {
    if (checked.error) {
        fmt::print("FAIL  {}\n      {}\n", checked.file.path, checked.error->text());
    } else if (!checked.skip_reason.empty()) {
        fmt::print("skip  {}  ({})\n", checked.file.path, checked.skip_reason);
    } else {
        fmt::print("ok    {}  {}, {}\n", checked.file.path, rows_text(checked),
                   checked.mode == "single" ? "one transaction" : "in batches");
    }
}

int check(const Settings& settings, const Options& options, const OutputOptions& output) {
    settings.require_database();
    std::vector<DefinitionFile> files;
    for (const std::string& what : options.definitions) files.push_back(find_definition(settings.dir, what));
    if (options.definitions.empty()) files = list_definitions(settings.dir);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    RunOptions run;
    run.batch_size = settings.batch_size;
    run.batch_threshold = settings.batch_threshold;

    int status = 0;
    std::vector<std::string> objects;
    for (const DefinitionFile& file : files) {
        const Checked checked = check_one(*target, file, run);
        if (checked.error && status == 0) status = static_cast<int>(checked.error->code());
        if (output.json) {
            objects.push_back(checked_json(checked));
        } else {
            print_text(checked);
        }
    }
    if (output.json) fmt::print("{}\n", json_list(objects));
    return status;
}

}  // namespace

void add_check(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("check", "Parse definitions and prepare them on the target, without running them",
                 "datachange check 20260301120000 --database sqlite:shop.db",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return check(settings, *options, output);
                 });
    command->add_option("definition", options->definitions,
                        "Version, name or file (default all of the folder)");
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_batching(command);
    tree.add_json(command);
}

}  // namespace datachange
