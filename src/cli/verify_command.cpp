#include <chrono>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "cli/terminal.hpp"
#include "core/text.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "report/verify_report.hpp"
#include "run/fence.hpp"

namespace datachange {

namespace {

struct Options {
    std::string run, anchor;
    bool deep = false, require_files = false, quiet = false, database_given = false;
};

/// A line on stderr every few seconds, for whoever waits for a large ledger.
class VerifyProgress {
public:
    explicit VerifyProgress(bool quiet) : m_quiet(quiet) {}
    ~VerifyProgress() {
        if (m_told && m_bar) fmt::print(stderr, "\r{:<60}\r", "");
    }

    void tell(std::uint64_t done, std::uint64_t all) {
        const auto now = std::chrono::steady_clock::now();
        if (m_quiet || now < m_next) return;
        m_next = now + std::chrono::milliseconds(m_bar ? 200 : 5000);
        m_told = true;
        fmt::print(stderr, "{}verified {} of {} rows{}", m_bar ? "\r" : "", with_thousands(done),
                   with_thousands(all), m_bar ? "" : "\n");
    }

private:
    bool m_quiet, m_bar = is_terminal(STDERR_FILENO), m_told = false;
    std::chrono::steady_clock::time_point m_next = std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

/// The target's journal as verify asks it.
class JournalOfTarget {
public:
    explicit JournalOfTarget(const Settings& settings)
        : m_target(connect_target(settings.database, settings.engine(), settings.journal_schema)),
          m_fence(*m_target) {
        m_journal.target = m_target->name();
        m_journal.batches = [this](const std::string& uuid) { return batches(uuid); };
    }

    const TargetJournal& journal() const { return m_journal; }

private:
    std::optional<std::vector<CommittedBatch>> batches(const std::string& uuid) {
        if (!m_runs) {
            m_runs.emplace();
            for (const JournalRun& run : m_fence.runs()) m_runs->insert(run.uuid);
        }
        if (!m_runs->contains(uuid)) return std::nullopt;
        return m_fence.batches_of(uuid);
    }

    std::unique_ptr<Target> m_target;
    Fence m_fence;
    std::optional<std::set<std::string>> m_runs;
    TargetJournal m_journal;
};

/// A target that was named must be there; one that the settings have is asked where it can be reached.
std::unique_ptr<JournalOfTarget> open_journal(const Settings& settings, const Options& options) {
    if (settings.database.empty() && !settings.database_from_pg) return nullptr;
    try {
        return std::make_unique<JournalOfTarget>(settings);
    } catch (const Error& error) {
        if (options.database_given) throw;
        fmt::print(stderr, "warning: the target's journal was not looked at: {}\n", error.what());
        return nullptr;
    }
}

void require_anchor(const std::string& anchor) {
    constexpr std::size_t least = 16;
    const bool hash = anchor.size() >= least && anchor.size() <= 64 &&
                      anchor.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (anchor.empty() || hash) return;
    throw Error(
        ExitCode::usage, fmt::format("{} is no head of a ledger", anchor),
        "An anchor is what an earlier `datachange verify` or `show` gave as head or root: 64 hexadecimal "
        "digits, or the first 16 of them at least.");
}

int verify(const Settings& settings, const Options& options, const OutputOptions& output) {
    require_anchor(options.anchor);
    VerifyOptions what;
    if (!options.run.empty()) what.run = LedgerReader(settings.ledger).run(options.run).run;
    what.deep = options.deep;
    what.anchor = options.anchor;
    Ledger ledger = Ledger::open_to_read(settings.ledger);
    const auto journal = open_journal(settings, options);
    if (journal) what.journal = &journal->journal();
    VerifyReport report;
    {
        VerifyProgress progress(options.quiet);
        what.progress = [&](std::uint64_t done, std::uint64_t all) { progress.tell(done, all); };
        report = verify_ledger(ledger, what);
    }
    if (options.require_files) {
        for (const std::string& file : report.missing)
            report.mismatches.push_back({0, 0, "", file, "it is not there"});
    }
    fmt::print("{}",
               output.json ? verify_json(settings.ledger, report) : verify_text(settings.ledger, report));
    return static_cast<int>(report.fits() ? ExitCode::done : ExitCode::mismatch);
}

}  // namespace

void add_verify(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    const auto command = std::make_shared<CLI::App*>(nullptr);
    *command = tree.add("verify", "Prove that nobody has edited the ledger and its files",
                        "datachange verify --anchor 3f0c62d1a9e4b577",
                        [options, command](const Settings& settings, const OutputOptions& output) {
                            options->database_given = (*command)->count("--database") > 0;
                            return verify(settings, *options, output);
                        });
    CLI::App* const app = *command;
    app->add_option("run", options->run, "Only this run: number in the ledger, or a UUID's beginning");
    app->add_option(
           "--anchor", options->anchor,
           "A head or root from a ticket: it must be in the chain, so that nothing newer than it was cut "
           "off")
        ->type_name("HASH");
    app->add_flag("--deep", options->deep, "SQLite's own checks, and the CSV files made again from the rows");
    app->add_flag("--require-files", options->require_files, "A CSV file that is not there is a mismatch");
    app->add_flag("-q,--quiet", options->quiet, "No progress");
    tree.add_target(app);
    tree.add_ledger(app);
    tree.add_json(app);
}

}  // namespace datachange
