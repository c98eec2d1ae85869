#include "record/ledger/merge.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "record/ledger/backup.hpp"
#include "record/ledger/chain.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "record/ledger/ledger_rows.hpp"
#include "record/ledger/merge_run.hpp"
#include "record/ledger/schema.hpp"
#include "record/ledger/verify.hpp"
#include "record/ledger/version_events.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

/// A folder for this user alone that goes with the object.
class PrivateFolder {
public:
    PrivateFolder() : m_path((fs::temp_directory_path() / "datachange-merge-XXXXXX").string()) {
        if (::mkdtemp(m_path.data()) == nullptr)
            throw Error(ExitCode::unreachable, "cannot make a temporary folder",
                        "See that TMPDIR can be written.");
    }
    ~PrivateFolder() {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;
    std::string file(const char* name) const { return m_path + "/" + name; }

private:
    std::string m_path;
};

/// The other ledger, to be read in one transaction; of an older one a copy that was brought up to date.
class OtherLedger {
public:
    explicit OtherLedger(const std::string& path) : m_ledger(open(path, m_folder)) { m_ledger.run("BEGIN"); }
    Ledger& ledger() { return m_ledger; }

private:
    static Ledger open(const std::string& path, std::optional<PrivateFolder>& folder) {
        if (std::error_code ignored; fs::exists(path, ignored)) {
            SQLite::Database database(path, SQLite::OPEN_READONLY);
            const int version = database.execAndGet("PRAGMA user_version").getInt();
            if (require_ledger(path, database) && version < ledger_schema_version) {
                folder.emplace();
                const std::string copy = folder->file("ledger.db");
                { const Ledger empty = Ledger::open(copy, 0); }
                copy_ledger(database, copy);
                return Ledger::open(copy, 0);
            }
        }
        return Ledger::open_to_read(path);
    }

    std::optional<PrivateFolder> m_folder;
    Ledger m_ledger;
};

void require_fits(Ledger& other, const std::string& path) {
    VerifyOptions options;
    options.files = false;  // they are on another host
    const VerifyReport report = verify_ledger(other, options);
    if (report.fits()) return;
    throw Error(ExitCode::mismatch,
                fmt::format("the ledger {} does not fit: {}", path, report.mismatches.front().text()),
                "Nothing was merged. `datachange verify --ledger` with its path tells all.");
}

/// Appends the links of other chains that are not here yet.
class ChainMerge {
public:
    ChainMerge(Ledger& other, Ledger& here) : m_other(other), m_here(here), m_own(here.uuid()) {}

    /// @param runs by their numbers there, with those here
    std::uint64_t merge(const std::map<std::int64_t, std::int64_t>& runs) {
        std::uint64_t links = 0;
        for (const ChainLink& link : chain_links(m_other)) {
            if (link.ledger != m_own && !known(link)) {
                insert(link, runs.at(link.run));
                ++links;
            }
        }
        return links;
    }

private:
    bool known(const ChainLink& link) {
        SQLite::Statement& query = m_here.bound(
            "SELECT root FROM merged_chain WHERE ledger_uuid = ? AND link = ?", link.ledger, link.link);
        const bool there = query.executeStep();
        const std::string root = there ? query.getColumn(0).getString() : "";
        query.reset();
        if (!there || root == link.root) return there;
        throw Error(ExitCode::mismatch,
                    fmt::format("link {} of ledger {} has root {} in {}, and root {} in {}", link.link,
                                link.ledger.substr(0, 8), root.substr(0, 16), m_here.path(),
                                link.root.substr(0, 16), m_other.path()),
                    "There are two ledgers that say that they are this one: a copy was put back and written "
                    "to. Nothing was "
                    "merged.");
    }

    void insert(const ChainLink& link, std::int64_t run) {
        m_here.execute(
            "INSERT INTO merged_chain(ledger_uuid, link, run_id, at, leaves, previous, root, format, "
            "content, epoch)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            link.ledger, link.link, run, link.at, link.leaves, link.previous, link.root, link.format,
            nullable(link.content), link.epoch == 0 ? std::nullopt : std::optional{link.epoch});
        // the newest link of a run that this ledger's own chain does not cover
        m_here.execute(
            "UPDATE runs SET root = ? WHERE run_id = ? AND run_id NOT IN (SELECT run_id FROM chain)",
            link.root, run);
    }

    Ledger& m_other;
    Ledger& m_here;
    std::string m_own;
};

/// Events of versions that are not here yet: none is like another.
void merge_version_events(Ledger& other, Ledger& here) {
    SQLite::Statement& query = other.bound(
        "SELECT at, version, target, kind, detail, operator, host FROM version_events ORDER BY event_id");
    while (query.executeStep()) {
        Cursor row{query};
        const VersionEvent event{row.text(), row.text(), row.text(), row.text(),
                                 row.text(), row.text(), row.text()};
        if (!has_version_event(here, event)) insert_version_event(here, event);
    }
    query.reset();
}

std::vector<std::int64_t> run_numbers(Ledger& ledger) {
    SQLite::Statement& query = ledger.bound("SELECT run_id FROM runs ORDER BY run_id");
    std::vector<std::int64_t> runs;
    while (query.executeStep()) runs.push_back(query.getColumn(0).getInt64());
    query.reset();
    return runs;
}

}  // namespace

MergeReport merge_ledger(Ledger& ledger, const std::string& path) {
    try {
        OtherLedger other(path);
        MergeReport report;
        report.ledger = other.ledger().uuid();
        if (report.ledger == ledger.uuid()) {
            throw Error(ExitCode::usage, fmt::format("{} is this very ledger, or a copy of it", path),
                        "There is nothing in it that belongs to another ledger.");
        }
        require_fits(other.ledger(), path);
        ledger.transact([&] {
            RunMerge merge(other.ledger(), ledger);
            std::map<std::int64_t, std::int64_t> runs;
            for (const std::int64_t run : run_numbers(other.ledger())) {
                const RunMerge::Result result = merge.merge(run);
                runs[run] = result.run;
                report.runs += result.added ? 1 : 0;
                report.runs_completed += result.completed ? 1 : 0;
                report.batches += result.batches;
            }
            merge_version_events(other.ledger(), ledger);
            report.links = ChainMerge(other.ledger(), ledger).merge(runs);
        });
        return report;
    } catch (const SQLite::Exception& failure) {
        throw ledger_failure(path, failure, {0, "Nothing was merged."});
    }
}

}  // namespace datachange
