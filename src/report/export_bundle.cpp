#include "report/export_bundle.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

#include "datachange/version.hpp"
#include "report/export_html.hpp"
#include "report/export_markdown.hpp"
#include "report/json.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

namespace {

/// By name, in the order of the archive.
using Members = std::map<std::string, SpoolOutput>;

SpoolOutput& write_text(Members& members, const std::string& name, const std::string& text) {
    SpoolOutput& member = members[name];
    member.write(text);
    member.finish();
    return member;
}

void write_csv(const ExportedRun& run, const CsvForm& form, Members& members) {
    if (!run.why_no_rows().empty()) return;
    for (const LedgerStep& step : run.steps) {
        if (step.evidence == "counts") continue;
        const std::string prefix = run.csv_prefix_of(step);
        std::map<std::string, SpoolFile> spools;  // one for all parts of a file: there may be thousands
        export_step_csv(run, step, form, [&](const std::string& file, int part) -> Output& {
            SpoolFile& spool = spools[file];
            if (!spool) spool = make_spool_file();
            const std::string name = part_name(prefix + file + ".csv", part, form);
            return members.try_emplace(name, spool).first->second;
        });
    }
}

/// Each approval and its signature as they were, and who was allowed to sign: `ssh-keygen -Y verify` needs no
/// more.
void write_approvals(const ExportedRun& run, Members& members) {
    std::set<std::string> allowed;
    std::size_t number = 0;
    for (const LedgerApproval& approval : run.approvals) {
        const std::string name = fmt::format("approvals/{}.json", ++number);
        write_text(members, name, approval.text);
        write_text(members, name + ".sig", approval.signature);
        allowed.insert(approval.allowed_signer);
    }
    std::string lines;
    for (const std::string& line : allowed) lines += line + "\n";
    if (!allowed.empty()) write_text(members, "approvals/allowed_signers", lines);
}

}  // namespace

void Manifest::add(const std::string& name, std::uint64_t bytes, const std::string& sha256) {
    m_files.push_back(JsonObject{}.add("name", name).add("bytes", bytes).add("sha256", sha256).text());
}

std::string Manifest::text() const {
    const LedgerRun& run = m_run.run;
    JsonObject object;
    object.add("format", "datachange manifest 1")
        .add("tool_version", version())
        .add("run", run.run)
        .add("uuid", run.uuid)
        .add("version", run.version)
        .add("name", run.name)
        .add_or_null("ticket", run.ticket)
        .add("state", shown_state(run))
        .add("started_at", run.started_at)
        .add_or_null("finished_at", run.finished_at)
        .add("definition_sha256", run.definition_sha256)
        .add_or_null("git_commit", run.git_commit)
        .add_or_null("pruned_at", run.pruned_at)
        .add_or_null("head", run.root)
        .raw("files", json_list(m_files));
    return object.text() + "\n";
}

void export_bundle(const ExportedRun& run, const BundleOptions& options, Output& to) {
    Members members;
    write_csv(run, options.csv, members);
    write_text(members, "definition.sql", run.definition);
    write_approvals(run, members);
    export_markdown(run, options.summary_limit, members["summary.md"]);
    export_html(run, options.report_limit, members["report.html"]);
    Manifest manifest(run);
    for (const auto& [name, member] : members) manifest.add(name, member.bytes(), member.sha256());
    write_text(members, "manifest.json", manifest.text());
    const LedgerRun& one = run.run;
    Archive archive(options.kind, one.finished_at.empty() ? one.started_at : one.finished_at, to);
    for (auto& [name, member] : members) archive.add(name, member);
    archive.finish();
}

}  // namespace datachange
