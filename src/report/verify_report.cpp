#include "report/verify_report.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

constexpr std::size_t shown_lines = 20;

std::string list(const std::vector<std::int64_t>& runs) {
    std::vector<std::string> texts;
    for (const std::int64_t run : runs) texts.push_back(std::to_string(run));
    return join(texts, ", ");
}

std::string named(const std::vector<std::int64_t>& runs) {
    return (runs.size() == 1 ? "run " : "runs ") + list(runs);
}

std::string line(const char* name, const std::string& text) {
    return fmt::format("  {:<10}{}\n", name, text);
}

std::string rows_line(const VerifyReport& report) {
    return line("rows", fmt::format("{} in {} of {}", with_thousands(report.rows),
                                    counted(report.batches, "batch"), counted(report.runs, "run")));
}

std::string chain_lines(const VerifyReport& report) {
    std::string out = line(
        "chain", counted(report.links, "link") +
                     (report.merged_links == 0
                          ? ""
                          : fmt::format(", and {} of other ledgers", with_thousands(report.merged_links))));
    out += line("head", report.head.empty() ? "none yet" : report.head);
    if (report.anchor) {
        out += line("anchor", fmt::format("link {}{}", *report.anchor,
                                          report.anchor_ledger == report.ledger
                                              ? ""
                                              : " of ledger " + report.anchor_ledger.substr(0, 8)));
    }
    return out;
}

std::string notes(const VerifyReport& report) {
    std::string out;
    if (!report.open.empty())
        out += line("going on", named(report.open) + ": the chain covers that when it ends");
    if (!report.pruned.empty()) {
        out += line("pruned",
                    named(report.pruned) + ": values were pruned, so that leaves are taken as they stand");
    }
    for (std::size_t i = 0; i < report.missing.size() && i < shown_lines; ++i)
        out += line(i == 0 ? "missing" : "", printable(report.missing[i]));
    if (report.missing.size() > shown_lines)
        out += line("", fmt::format("... and {} more files", report.missing.size() - shown_lines));
    return out;
}

std::string mismatches_text(const VerifyReport& report) {
    std::string out;
    for (std::size_t i = 0; i < report.mismatches.size() && i < shown_lines; ++i)
        out += printable(report.mismatches[i].text()) + "\n";
    if (report.mismatches.size() > shown_lines)
        out += fmt::format("... and {} more (--json lists all)\n", report.mismatches.size() - shown_lines);
    return out;
}

std::string numbers_json(const std::vector<std::int64_t>& numbers) {
    return "[" + list(numbers) + "]";
}

std::string mismatch_json(const Mismatch& mismatch) {
    return JsonObject{}
        .raw("run", mismatch.run == 0 ? "" : std::to_string(mismatch.run))
        .raw("step", mismatch.step == 0 ? "" : std::to_string(mismatch.step))
        .add_or_null("batch", mismatch.batch)
        .add_or_null("file", mismatch.file)
        .add("message", mismatch.message)
        .text();
}

}  // namespace

std::string verify_text(const std::string& path, const VerifyReport& report) {
    std::string out = fmt::format("ledger {} ({}) {}\n", path, report.ledger.substr(0, 8),
                                  report.fits() ? "fits" : "does not fit");
    out += rows_line(report) + chain_lines(report);
    if (report.files > 0) out += line("files", with_thousands(report.files) + " as they were recorded");
    if (!report.target.empty()) {
        out += line("journal", fmt::format("{} held against {}",
                                           report.journal_batches == 1
                                               ? "1 leaf"
                                               : with_thousands(report.journal_batches) + " leaves",
                                           printable(report.target)));
    }
    return out + notes(report) + mismatches_text(report);
}

std::string verify_json(const std::string& path, const VerifyReport& report) {
    std::vector<std::string> missing, mismatches;
    for (const std::string& file : report.missing) {
        JsonObject object;
        missing.push_back(object.add("file", file).text());
    }
    for (const Mismatch& mismatch : report.mismatches) mismatches.push_back(mismatch_json(mismatch));
    JsonObject object;
    object.add("ledger", path)
        .add("uuid", report.ledger)
        .add("fits", report.fits())
        .add_or_null("head", report.head)
        .add("links", report.links)
        .add("merged_links", report.merged_links)
        .raw("anchor", report.anchor ? std::to_string(*report.anchor) : "")
        .add_or_null("anchor_ledger", report.anchor_ledger)
        .add("runs", report.runs)
        .add("batches", report.batches)
        .add("rows", report.rows)
        .add("bytes", report.bytes)
        .add("files", report.files)
        .add_or_null("target", report.target)
        .add("journal_batches", report.journal_batches)
        .raw("open_runs", numbers_json(report.open))
        .raw("pruned_runs", numbers_json(report.pruned))
        .raw("missing_files", "[" + join(missing, ",") + "]")
        .raw("mismatches", "[" + join(mismatches, ",") + "]");
    return object.text() + "\n";
}

}  // namespace datachange
