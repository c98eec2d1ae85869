#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "capture/set_reader.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/definition_groups.hpp"
#include "cli/on_targets.hpp"
#include "cli/readable_error.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "plan/plan.hpp"
#include "report/json.hpp"
#include "report/target_outcome.hpp"
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

std::vector<DefinitionFile> files_to_check(const Settings& settings, const Options& options) {
    if (options.definitions.empty()) return list_definitions(settings.dir);
    std::vector<DefinitionFile> files;
    for (const std::string& what : options.definitions) files.push_back(find_definition(settings.dir, what));
    return files;
}

/// Each definition in turn, as `take` wants it.
void check_each(const Settings& settings, const Options& options,
                const std::function<void(const Checked&)>& take) {
    settings.require_database();
    const std::vector<DefinitionFile> files = files_to_check(settings, options);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    RunOptions run;
    run.batch_size = settings.batch_size;
    run.batch_threshold = settings.batch_threshold;
    for (const DefinitionFile& file : files) {
        const DefinitionGroups groups(file);
        take(groups.exclude(settings.group)
                 ? Checked{file,
                           "",
                           {},
                           groups.text() + ", and this target is in " + settings.group,
                           std::nullopt}
                 : check_one(*target, file, run));
    }
}

/// All definitions on one of several targets.
struct CheckedTarget {
    TargetConfig config;
    std::vector<Checked> definitions;
    std::optional<Error> error;  ///< none could be checked
};

CheckedTarget check_target(const Settings& settings, const TargetConfig& config, const Options& options) {
    CheckedTarget checked{config, {}, std::nullopt};
    try {
        check_each(settings.for_target(config), options,
                   [&](const Checked& one) { checked.definitions.push_back(one); });
    } catch (...) {
        checked.error = readable_error(std::current_exception());
    }
    return checked;
}

std::string checked_target_json(const CheckedTarget& checked) {
    std::vector<std::string> objects;
    for (const Checked& definition : checked.definitions) objects.push_back(checked_json(definition));
    return JsonObject{}
        .add("target", checked.config.name)
        .add_or_null("group", checked.config.group)
        .add_or_null("shard_of", checked.config.shard_of)
        .add_or_null("error", checked.error ? checked.error->what() : "")
        .add_or_null("hint", checked.error ? checked.error->hint() : "")
        .raw("definitions", json_list(objects))
        .text();
}

/// What the line of a definition says without the target: "ok    audits/...  12 rows, in batches".
std::string verdict(const Checked& checked) {
    if (checked.error) return "FAIL  " + checked.file.path;
    if (!checked.skip_reason.empty()) return "skip  " + checked.file.path;
    return "ok    " + checked.file.path;
}

/// Targets with the same verdict share a line; errors that read the same, too.
std::string checked_targets_text(const std::vector<CheckedTarget>& targets) {
    std::map<std::string, std::map<std::string, std::vector<std::string>>> lines;  // by version and verdict
    std::map<std::string, std::vector<std::pair<std::string, Error>>> errors;
    std::vector<std::pair<std::string, Error>> unreachable;
    for (const CheckedTarget& target : targets) {
        if (target.error) unreachable.emplace_back(target.config.name, *target.error);
        for (const Checked& checked : target.definitions) {
            lines[checked.file.version][verdict(checked)].push_back(target.config.name);
            if (checked.error) errors[checked.file.version].emplace_back(target.config.name, *checked.error);
        }
    }
    std::string out;
    for (const auto& [version, verdicts] : lines) {
        for (const auto& [text, names] : verdicts) {
            const bool all = names.size() + unreachable.size() == targets.size();
            out += fmt::format("{}  on {}\n", text,
                               all                ? fmt::format("all {}", names.size())
                               : names.size() > 8 ? std::to_string(names.size())
                                                  : join(names, ", "));
        }
        for (const std::string& line : split(trim(errors_text(errors[version])), '\n'))
            out += line.empty() ? "" : "      " + line + "\n";
    }
    return out + (unreachable.empty() ? "" : "\n" + errors_text(unreachable));
}

int check_targets(const Settings& settings, const Options& options, const OutputOptions& output) {
    std::vector<CheckedTarget> checked(settings.chosen.size());
    in_parallel(checked.size(), settings.given.choice.jobs, [&](std::size_t place) {
        checked[place] = check_target(settings, settings.chosen[place], options);
    });
    std::vector<int> statuses;
    std::vector<std::string> objects;
    for (const CheckedTarget& target : checked) {
        objects.push_back(checked_target_json(target));
        if (target.error) statuses.push_back(static_cast<int>(target.error->code()));
        for (const Checked& definition : target.definitions) {
            if (definition.error) statuses.push_back(static_cast<int>(definition.error->code()));
        }
    }
    fmt::print("{}", output.json ? JsonObject{}.raw("targets", json_list(objects)).text() + "\n"
                                 : checked_targets_text(checked));
    return most_serious(statuses);
}

int check(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (settings.several_targets()) return check_targets(settings, options, output);
    int status = 0;
    std::vector<std::string> objects;
    check_each(settings, options, [&](const Checked& checked) {
        if (checked.error && status == 0) status = static_cast<int>(checked.error->code());
        if (output.json) {
            objects.push_back(checked_json(checked));
        } else {
            print_text(checked);
        }
    });
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
    tree.add_targets(command);
    tree.add_dir(command);
    tree.add_batching(command);
    tree.add_json(command);
}

}  // namespace datachange
