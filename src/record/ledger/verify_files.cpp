#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "record/csv/step_csv.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/run_tables.hpp"
#include "record/ledger/verify_parts.hpp"

namespace datachange {

namespace {

using Files = std::map<int, std::vector<RecordedFile>>;  // by step

Files files_of(Ledger& ledger, std::int64_t run) {
    SQLite::Statement& query = ledger.bound(
        "SELECT step, name, path, bytes, sha256 FROM files WHERE run_id = ? ORDER BY step, name", run);
    Files files;
    while (query.executeStep()) {
        Cursor row{query};
        RecordedFile file;
        file.step = row.small();
        file.name = row.text();
        file.path = row.text();
        file.bytes = row.count();
        file.sha256 = row.text();
        files[file.step].push_back(std::move(file));
    }
    query.reset();
    return files;
}

/// @return nothing if the file is not there
std::optional<std::string> sha256_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    Sha256 hash;
    std::array<char, std::size_t{64} * 1024> piece{};
    while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
        hash.update({piece.data(), static_cast<std::size_t>(file.gcount())});
    }
    return hash.finish();
}

/// The recorded file that is a step's "pre.csv"; its own name may have a prefix.
const RecordedFile* find_file(const std::vector<RecordedFile>& files, const std::string& name) {
    const auto found = std::find_if(files.begin(), files.end(), [&](const RecordedFile& file) {
        return file.name == name || file.name.ends_with("." + name);
    });
    return found == files.end() ? nullptr : &*found;
}

/// Renders a step to files that are only hashed and held against those of the disk.
/// @param each called after each row; false ends it
StepCsv render_again(Ledger& ledger, std::int64_t run, int step, const std::vector<RecordedFile>& files,
                     const std::function<bool(StepWriter&, const ChangeRow&)>& each) {
    return render_step(
        ledger, run, step,
        [&](const std::string& name) {
            const RecordedFile* const file = find_file(files, name);
            return CsvFile::held_against(file == nullptr ? name : file->path);
        },
        each);
}

/// Committed batches with rows: they make files.
bool makes_files(Ledger& ledger, std::int64_t run, int step) {
    SQLite::Statement& query = ledger.bound(
        "SELECT count(*) FROM batch AS b JOIN steps AS s USING (run_id, step)"
        " WHERE run_id = ? AND step = ? AND b.state = 'committed' AND s.evidence <> 'counts'",
        run, step);
    query.executeStep();
    const bool makes = query.getColumn(0).getInt64() > 0;
    query.reset();
    return makes;
}

std::vector<int> steps_of(Ledger& ledger, std::int64_t run) {
    SQLite::Statement& query = ledger.bound("SELECT step FROM steps WHERE run_id = ? ORDER BY step", run);
    std::vector<int> steps;
    while (query.executeStep()) steps.push_back(query.getColumn(0).getInt());
    query.reset();
    return steps;
}

void verify_file(Ledger& ledger, std::int64_t run, const RecordedFile& file,
                 const std::optional<std::string>& found, VerifyReport& report) {
    if (!found) {
        report.missing.push_back(file.path);
    } else if (*found == file.sha256) {
        ++report.files;
    } else {
        const std::string row = first_row_unlike_files(ledger, run, file.step).identifier;
        report.mismatches.push_back(
            {run, file.step, "", file.path,
             "it is not the one that was recorded" +
                 (row.empty() ? "" : "; the first row that reads otherwise in the ledger is " + row)});
    }
}

/// What the ledger has now, as files, against what is recorded of the files.
void verify_rendering(Ledger& ledger, std::int64_t run, int step, const std::vector<RecordedFile>& recorded,
                      VerifyReport& report) {
    StepCsv rendered;
    try {
        rendered = render_again(ledger, run, step, recorded, [](auto&, auto&) { return true; });
    } catch (const std::logic_error&) {
        report.mismatches.push_back({run, step, "", "", "its rows cannot be made into files any more"});
        return;
    }
    for (const RecordedFile& file : recorded) {
        const bool same = std::any_of(rendered.files.begin(), rendered.files.end(), [&](const auto& csv) {
            return file.path == csv->path() && file.sha256 == csv->sha256() && file.bytes == csv->bytes();
        });
        if (same) continue;
        report.mismatches.push_back(
            {run, step, "", file.path,
             "the file that is recorded is not the one that the ledger's rows make: it was "
             "exchanged, or the last one could not be written"});
    }
    if (recorded.size() < rendered.files.size()) {
        report.mismatches.push_back(
            {run, step, "", "", "not all of the files that its rows make are recorded"});
    }
}

}  // namespace

UnlikeRow first_row_unlike_files(Ledger& ledger, std::int64_t run, int step) {
    const Files files = files_of(ledger, run);
    const auto of_step = files.find(step);
    UnlikeRow found;
    if (of_step == files.end()) return found;
    try {
        render_again(ledger, run, step, of_step->second, [&](StepWriter& writer, const ChangeRow& change) {
            if (writer.differs()) found = {std::string{change.batch}, std::string{change.row.identifier}};
            return found.identifier.empty();
        });
    } catch (const std::logic_error&) {  // NOLINT(bugprone-empty-catch): what cannot be read, names no row
    }
    return found;
}

std::future<FileHashes> hash_files(Ledger& ledger, std::int64_t only) {
    SQLite::Statement& query = ledger.bound("SELECT path FROM files WHERE ?1 = 0 OR run_id = ?1", only);
    std::vector<std::string> paths;
    while (query.executeStep()) paths.push_back(query.getColumn(0).getString());
    query.reset();
    return std::async(std::launch::async, [paths = std::move(paths)] {
        FileHashes hashes;
        for (const std::string& path : paths) hashes[path] = sha256_of_file(path);
        return hashes;
    });
}

void verify_files(Ledger& ledger, const VerifiedRun& run, const FileHashes& hashes, bool deep,
                  VerifyReport& report) {
    if (run.dry_run || !run.ended())
        return;  // those of an earlier end may stand there, or be written just now
    const Files files = files_of(ledger, run.run);
    for (const int step : steps_of(ledger, run.run)) {
        const auto recorded = files.find(step);
        if (recorded == files.end()) {
            if (!run.pruned && makes_files(ledger, run.run, step))
                report.missing.push_back(
                    fmt::format("those of run {} step {}: none are on record", run.run, step));
            continue;
        }
        for (const RecordedFile& file : recorded->second)
            verify_file(ledger, run.run, file, hashes.at(file.path), report);
        if (deep && !run.pruned) verify_rendering(ledger, run.run, step, recorded->second, report);
    }
}

}  // namespace datachange
