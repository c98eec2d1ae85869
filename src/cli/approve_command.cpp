#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "approve/admission.hpp"
#include "approve/allowed_signers.hpp"
#include "approve/approval_files.hpp"
#include "approve/ssh_keygen.hpp"
#include "cli/approval_list.hpp"
#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/definition_groups.hpp"
#include "cli/signals.hpp"
#include "cli/target_choice.hpp"
#include "cli/work_options.hpp"
#include "core/clock.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

struct Options {
    std::string definition, key;
    TargetChoice choice;
    std::chrono::milliseconds expires{std::chrono::hours{7 * 24}};
    bool list = false, exit_code = false;
};

/// The settings of each target that the approval is to be for.
std::vector<Settings> scope_of(const Settings& settings, const TargetChoice& choice) {
    if (!choice.made()) {
        settings.require_database();
        return {settings};
    }
    if (settings.given.database) {
        throw Error(ExitCode::usage, "--database names the target, and so do --target and --group",
                    "Leave one of them out.");
    }
    std::vector<Settings> scope;
    for (const TargetConfig& target : choose_targets(settings.config, choice))
        scope.push_back(settings.for_target(target));
    return scope;
}

std::string shown_name(const Settings& settings, const std::string& database) {
    return settings.target.empty() ? database : settings.target;
}

ApprovedStep step_of(const StepResult& result) {
    ApprovedStep step;
    step.step = result.number;
    step.name = result.name;
    step.table = result.table;
    step.planned = result.planned;
    step.rows = result.rows;
    step.identifiers_sha256 = result.identifiers_sha256;
    return step;
}

/// What would happen there, of which nothing stays.
RunResult rehearse_on(const Settings& settings, const std::string& path, const OutputOptions& output) {
    RunOptions run = run_options(settings, path);
    run.dry_run = true;
    run.hash_identifiers = true;
    StopRequest stop;
    const SignalWatch signals(stop);
    const auto listener = listener_for(output);
    return execute_run(run, settings.engine(), *listener, &stop);
}

std::string step_text(const ApprovedStep& step) {
    return fmt::format("step {}{}: {} planned; {} updated, {} inserted, {} deleted", step.step,
                       step.table.empty() ? "" : " (" + step.table + ")", counted(step.planned, "row"),
                       with_thousands(step.rows.updated), with_thousands(step.rows.inserted),
                       with_thousands(step.rows.deleted));
}

std::string scope_text(const ApprovedTarget& target) {
    std::string out =
        fmt::format("  target  {}{}\n",
                    target.target.empty() ? target.database : target.target + " (" + target.database + ")",
                    target.group.empty() ? "" : ", group " + target.group);
    for (const ApprovedStep& step : target.steps) {
        out += fmt::format("          {}\n", step_text(step));
        if (!step.identifiers_sha256.empty())
            out += fmt::format("          identifiers SHA-256 {}\n", step.identifiers_sha256);
    }
    return out;
}

/// Rehearses the definition everywhere, and says so before anybody is asked to sign it.
std::vector<ApprovedTarget> rehearse_scope(const std::vector<Settings>& scope, const Definition& definition,
                                           const OutputOptions& output) {
    std::vector<ApprovedTarget> approved;
    for (const Settings& settings : scope) {
        const RunResult result = rehearse_on(settings, definition.path, output);
        ApprovedTarget target{settings.target, settings.group, result.target, {}};
        for (const StepResult& step : result.steps) {
            if (step.watch_of == 0) target.steps.push_back(step_of(step));
        }
        if (!output.quiet) {
            fmt::print(stderr, "rehearsed on {}: everything was rolled back{}\n",
                       shown_name(settings, result.target),
                       result.csv_directory.empty() ? "" : "; the rows are in " + result.csv_directory);
        }
        approved.push_back(std::move(target));
    }
    return approved;
}

/// Whether the signature will count here, as far as the approver can see.
void warn_of_signer(const Settings& settings, const std::string& text, const std::string& signature) {
    if (settings.allowed_signers.empty()) return;
    std::string why;
    try {
        why = AllowedSigners(settings.allowed_signers).check(text, signature).obstacle;
    } catch (const Error& failure) {
        why = failure.what();
    }
    if (!why.empty()) fmt::print(stderr, "warning: the approval will not count as it is: {}\n", why);
}

void print_approval(const Approval& approval, const std::string& path, const std::string& text,
                    const OutputOptions& output) {
    if (output.json) {
        fmt::print("{}\n", JsonObject{}
                               .add("file", path)
                               .add("signature_file", path + ".sig")
                               .raw("approval", nlohmann::ordered_json::parse(text).dump())
                               .text());
        return;
    }
    fmt::print("approved: {} {}\n", approval.version, approval.name);
    for (const ApprovedTarget& target : approval.scope) fmt::print("{}", printable_lines(scope_text(target)));
    fmt::print("  by      {}\n  expires {}\n  file    {}\n  signed  {}.sig\n",
               printable(approval.approved_by), approval.expires_at, path, path);
}

int approve(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (options.key.empty()) {
        throw Error(ExitCode::usage, "--key is needed to sign",
                    "Give your private key, as in --key ~/.ssh/id_ed25519; --list shows the approvals that "
                    "are there.");
    }
    if (options.expires.count() == 0)
        throw Error(ExitCode::usage, "an approval that expires at once is none",
                    "Give --expires a time such as 7d.");
    const std::vector<Settings> scope = scope_of(settings, options.choice);
    const DefinitionFile file = find_definition(scope.front().dir, options.definition);
    for (const Settings& target : scope) DefinitionGroups(file).require_meant_for(target);
    const Definition definition = read_definition(file, scope.front().engine());
    Approval approval;
    approval.version = definition.version;
    approval.name = definition.name;
    approval.definition_sha256 = definition.sha256;
    approval.scope = rehearse_scope(scope, definition, output);
    if (read_definition(file, scope.front().engine()).sha256 != definition.sha256) {
        throw Error(ExitCode::failed, fmt::format("{} was edited meanwhile", file.path),
                    "Look at it again, then approve it. Nothing was approved.");
    }
    approval.approved_by = current_operator(settings.operator_name);
    const auto now = std::chrono::system_clock::now();
    approval.approved_at = utc_text(now);
    approval.expires_at = utc_text(now + options.expires);
    approval.nonce = new_uuid();
    const std::string text = approval_text(approval);
    const std::string signature = ssh_sign(text, options.key);
    const std::string path = write_approval(file.path, approval, text, signature);
    if (!output.quiet) warn_of_signer(settings, text, signature);
    print_approval(approval, path, text, output);
    return 0;
}

int run_approve(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (!options.list) return approve(settings, options, output);
    const bool enough = print_approvals(scope_of(settings, options.choice), options.definition, output.json);
    return enough || !options.exit_code ? 0 : static_cast<int>(ExitCode::pending);
}

}  // namespace

void add_approve(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("approve", "Rehearse a definition and sign that somebody else may run it, once",
                 "datachange approve backfill_user_names --target eu-prod --key ~/.ssh/id_ed25519",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return run_approve(settings, *options, output);
                 });
    command->add_option("definition", options->definition, "Version, name or file")->required();
    command
        ->add_option(
            "--key", options->key,
            "Your SSH key to sign with: a private one, or the public one of a key that the agent has")
        ->type_name("FILE");
    add_duration(command, "--expires", options->expires,
                 "How long the approval is good for, such as 8h or 7d (default 7d)");
    command->add_flag("--list", options->list,
                      "Sign nothing: show the approvals there are, and whether each counts");
    command->add_flag("--exit-code", options->exit_code,
                      "With --list: exit with 3 if fewer count than are required");
    tree.add_database(command);
    const auto names = [&](const char* name, std::vector<std::string>& value, const char* description) {
        command->add_option(name, value, description)
            ->delimiter(',')
            ->allow_extra_args(false)
            ->type_name("NAME");
    };
    names("--target", options->choice.names,
          "Targets by their names in the config file; comma separated or given several times");
    names("--group", options->choice.groups, "All targets of a group");
    command->add_flag("--all", options->choice.all, "All targets");
    tree.add_dir(command);
    tree.add_ledger(command);
    tree.add_csv_dir(command);
    tree.add_operator(command);
    tree.add_batching(command);
    tree.add_progress(command);
    tree.add_json(command);
}

}  // namespace datachange
