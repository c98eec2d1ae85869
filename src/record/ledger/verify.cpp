#include "record/ledger/verify.hpp"

#include <fmt/format.h>

#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/verify_parts.hpp"

namespace datachange {

namespace {

std::vector<VerifiedRun> runs_to_verify(Ledger& ledger, std::int64_t only) {
    SQLite::Statement& query = ledger.bound(
        "SELECT run_id, uuid, state, target, root, epoch, dry_run, pruned_at IS NOT NULL,"
        " definition_sha256 = sha256(definition) FROM runs WHERE ?1 = 0 OR run_id = ?1 ORDER BY run_id",
        only);
    std::vector<VerifiedRun> runs;
    while (query.executeStep()) {
        Cursor row{query};
        VerifiedRun run;
        run.run = row.number();
        for (std::string* field : {&run.uuid, &run.state, &run.target, &run.root}) *field = row.text();
        run.epoch = row.number();
        run.dry_run = row.small() != 0;
        run.pruned = row.small() != 0;
        run.definition_fits = row.small() != 0;
        runs.push_back(std::move(run));
    }
    query.reset();
    return runs;
}

std::int64_t count(Ledger& ledger, const std::string& sql) {
    SQLite::Statement& query = ledger.bound(sql);
    query.executeStep();
    const std::int64_t count = query.getColumn(0).getInt64();
    query.reset();
    return count;
}

/// Rows without the one that they belong to, which no leaf and no link would miss.
void find_strays(Ledger& ledger, std::uint64_t blocks_read, VerifyReport& report) {
    const std::int64_t blocks = count(ledger, "SELECT count(*) FROM block");
    if (blocks != static_cast<std::int64_t>(blocks_read)) {
        report.mismatches.push_back(
            {0, 0, "", "",
             fmt::format("{} of rows belong to no batch", blocks - static_cast<std::int64_t>(blocks_read))});
    }
    for (const char* table :
         {"batch", "steps", "summaries", "failures", "collateral", "elsewhere", "files"}) {
        const std::int64_t strays = count(
            ledger,
            fmt::format("SELECT count(*) FROM {} WHERE run_id NOT IN (SELECT run_id FROM runs)", table));
        if (strays > 0) {
            report.mismatches.push_back(
                {0, 0, "", "", fmt::format("{} rows of the table {} belong to no run", strays, table)});
        }
    }
}

/// SQLite's own checks.
void check_file(Ledger& ledger, VerifyReport& report) {
    SQLite::Statement& integrity = ledger.bound("PRAGMA integrity_check");
    while (integrity.executeStep()) {
        const std::string line = integrity.getColumn(0).getString();
        if (line != "ok")
            report.mismatches.push_back({0, 0, "", "", "SQLite finds the file damaged: " + line});
    }
    integrity.reset();
    SQLite::Statement& keys = ledger.bound("PRAGMA foreign_key_check");
    while (keys.executeStep()) {
        report.mismatches.push_back(
            {0, 0, "", "",
             fmt::format("a row of the table {} belongs to none of {}", keys.getColumn(0).getString(),
                         keys.getColumn(2).getString())});
    }
    keys.reset();
}

/// Digests stand in the place of values that were pruned, and nowhere else: where both are there, a content
/// would go by the digest, and the value could be anything.
bool digests_fit(Ledger& ledger, const VerifiedRun& run) {
    struct Pair {
        const char *table, *value;
    };
    for (const Pair pair :
         {Pair{"runs", "error"}, Pair{"summaries", "result"}, Pair{"failures", "identifier"},
          Pair{"failures", "message"}, Pair{"elsewhere", "lower_key"}, Pair{"elsewhere", "upper_key"}}) {
        const std::string wrong = run.pruned ? fmt::format("coalesce({}, '') <> ''", pair.value)
                                             : fmt::format("{}_sha256 IS NOT NULL", pair.value);
        const std::int64_t rows = count(
            ledger,
            fmt::format("SELECT count(*) FROM {} WHERE run_id = {} AND {}", pair.table, run.run, wrong));
        if (rows > 0) return false;
    }
    return true;
}

void verify_run(Ledger& ledger, const VerifiedRun& run, const VerifyOptions& options, VerifyReport& report) {
    ++report.runs;
    if (!run.definition_fits) {
        report.mismatches.push_back(
            {run.run, 0, "", "", "the definition's text does not have the SHA-256 that is recorded of it"});
    }
    if (!digests_fit(ledger, run)) {
        report.mismatches.push_back({run.run, 0, "", "",
                                     run.pruned
                                         ? "it has values, though it says that they were dropped"
                                         : "it has digests of values that were dropped, though none were"});
    }
    if (!run.ended()) report.open.push_back(run.run);
    if (run.pruned) report.pruned.push_back(run.run);
    if (options.journal != nullptr) verify_journal(ledger, run, *options.journal, report);
}

VerifyReport verify_snapshot(Ledger& ledger, const VerifyOptions& options) {
    VerifyReport report;
    report.ledger = ledger.uuid();
    const std::vector<VerifiedRun> runs = runs_to_verify(ledger, options.run);
    std::future<FileHashes> hashed;
    if (options.files) hashed = hash_files(ledger, options.run);
    verify_chain(ledger, runs, options, report);
    const auto rows = static_cast<std::uint64_t>(count(
        ledger,
        fmt::format("SELECT coalesce(sum(rows), 0) FROM batch WHERE {0} = 0 OR run_id = {0}", options.run)));
    std::uint64_t blocks = 0;
    for (const VerifiedRun& run : runs) {
        verify_run(ledger, run, options, report);
        blocks += verify_leaves(ledger, run, options, rows, report);
    }
    const FileHashes hashes = options.files ? hashed.get() : FileHashes{};
    for (const VerifiedRun& run : runs) {
        if (options.files) verify_files(ledger, run, hashes, options.deep, report);
    }
    if (options.run == 0) find_strays(ledger, blocks, report);
    if (options.deep) check_file(ledger, report);
    return report;
}

}  // namespace

std::string Mismatch::text() const {
    std::string place;
    if (run != 0) place += fmt::format("run {}", run);
    if (step != 0) place += fmt::format(" step {}", step);
    if (!batch.empty()) place += " batch " + batch;
    if (!file.empty()) place += " file " + file;
    return place.empty() ? message : place + ": " + message;
}

VerifyReport verify_ledger(Ledger& ledger, const VerifyOptions& options) {
    return ledger.guarded(
        [&] {
            if (ledger.in_transaction()) return verify_snapshot(ledger, options);
            ledger.run("BEGIN");
            VerifyReport report = verify_snapshot(ledger, options);
            ledger.run("COMMIT");
            return report;
        },
        "Nothing was changed.");
}

}  // namespace datachange
