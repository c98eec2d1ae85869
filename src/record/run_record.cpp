#include "record/run_record.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "core/failpoint.hpp"
#include "record/csv/csv_file.hpp"
#include "record/csv/step_layout.hpp"
#include "record/ledger/resume.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

constexpr const char* in_doubt =
    "What became of the batch in hand is not known, and is found out from the target when the run goes on; "
    "what is "
    "committed is kept.";
constexpr const char* at_the_end = "What the target has committed stays, and its evidence is in the ledger.";

}  // namespace

RunRecord::RunRecord(Ledger ledger, std::string csv_dir)
    : m_ledger(std::move(ledger)), m_csv_dir(std::move(csv_dir)) {
    m_ledger_uuid = m_ledger.guarded([&] { return m_ledger.uuid(); });
}

std::int64_t RunRecord::begin_run(const RunHeader& header) {
    try {
        m_ledger.guarded([&] {
            m_ledger.transact([&] {
                m_run_id = insert_run(m_ledger, header);
                open_folder(header);
            });
        });
    } catch (...) {
        if (m_folder) m_folder->clean();
        throw;
    }
    own(header);
    return m_run_id;
}

PriorEvidence RunRecord::resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                                    const std::vector<CommittedBatch>& committed) {
    PriorEvidence prior;
    try {
        m_ledger.guarded([&] {
            m_ledger.transact([&] {
                prior = take_over_run(m_ledger, header, steps, committed);
                m_run_id = prior.run;
                open_folder(header);
            });
        });
    } catch (...) {
        if (m_folder) m_folder->clean();
        throw;
    }
    own(header);
    for (const StepHeader& step : steps) reopen_step(step);
    failpoint("ledger.resumed");
    return prior;
}

std::int64_t RunRecord::known_epoch(const std::string& uuid) {
    return m_ledger.guarded([&] {
        SQLite::Statement& query = m_ledger.bound("SELECT epoch FROM runs WHERE uuid = ?", uuid);
        const std::int64_t epoch = query.executeStep() ? query.getColumn(0).getInt64() : 0;
        query.reset();
        return epoch;
    });
}

/// Files can be written there, or nothing begins.
void RunRecord::open_folder(const RunHeader& header) {
    const std::string uuid8 = header.uuid.substr(0, 8);
    m_folder.emplace(m_csv_dir, header.version + "_" + header.name,
                     header.dry_run ? "dry-run-" + uuid8 : fmt::format("{}-{}", m_run_id, uuid8),
                     header.epoch);
    set_csv_directory(m_ledger, m_run_id, absolute_path(m_folder->path()));
}

void RunRecord::own(const RunHeader& header) {
    if (!header.dry_run) m_ledger.set_run(m_run_id);
    m_owner.emplace(m_ledger, m_run_id, header.epoch);
    m_batches.emplace(m_ledger, *m_owner, m_run_id, header.uuid);
    m_spool.emplace(m_ledger, m_run_id);
}

void RunRecord::begin_step(const StepHeader& header) {
    owned([&] { insert_step(m_ledger, m_run_id, header); });
    m_batches->add_step(header);
    m_steps.push_back(header);
}

void RunRecord::reopen_step(const StepHeader& header) {
    StepLayout known = m_ledger.guarded([&] { return read_layout(m_ledger, m_run_id, header.number); });
    std::vector<std::vector<std::string>> returned;
    for (StepLayout::Returned& statement : known.returned) returned.push_back(std::move(statement.columns));
    m_batches->reopen_step(header, std::move(known.before), std::move(known.after), std::move(returned));
    m_steps.push_back(header);
}

std::string RunRecord::stage(const BatchRecord& batch) {
    return m_ledger.guarded([&] { return m_batches->stage(batch); });
}

void RunRecord::prepare(const std::string& transaction_id) {
    m_ledger.guarded([&] { m_batches->prepare(transaction_id); });
}

void RunRecord::discard() noexcept {
    if (m_batches) m_batches->discard();
}

void RunRecord::settle(Outcome outcome, const std::vector<CommittedBatch>& batches) {
    m_ledger.guarded([&] { m_batches->settle(outcome, batches); },
                     outcome == Outcome::in_doubt ? in_doubt : LedgerStake::before_commit);
}

void RunRecord::summary(int step, const std::string& moment, const RowSet& result) {
    owned([&] { insert_summary(m_ledger, m_run_id, step, moment, result); });
}

void RunRecord::event(const std::string& kind, const std::string& detail) {
    owned([&] { insert_event(m_ledger, m_run_id, kind, detail); });
}

void RunRecord::failure(const RowFailure& failure) {
    owned([&] { insert_failure(m_ledger, m_run_id, failure); });
}

void RunRecord::failure_resolved(int step, const std::string& identifier) {
    owned([&] { resolve_failure(m_ledger, m_run_id, step, identifier); });
}

std::vector<RowFailure> RunRecord::failures() {
    return m_ledger.guarded([&] { return open_failures(m_ledger, m_run_id); });
}

void RunRecord::state(const std::string& state) {
    owned([&] { set_state(m_ledger, m_run_id, state); });
}

void RunRecord::collateral(int step, const std::string& batch, const std::vector<Collateral>& tables) {
    owned([&] { insert_collateral(m_ledger, m_run_id, step, batch, tables); });
}

void RunRecord::spool(int step, const RowSet& rows) {
    owned([&] { m_spool->append(step, rows); });
}

RowSet RunRecord::spooled(int step, std::uint64_t from, std::uint64_t count) {
    return m_ledger.guarded([&] {
        m_owner->require();  // who took the run over may have dropped the set
        return m_spool->read(step, from, count);
    });
}

std::uint64_t RunRecord::spool_size(int step) {
    return m_ledger.guarded([&] { return m_spool->size(step); });
}

void RunRecord::drop_spool(int step) {
    owned([&] { m_spool->drop(step); });
}

std::vector<CsvPaths> RunRecord::finish(const Finish& finish) {
    if (!m_owner) return {};  // the run could not even begin
    return m_ledger.guarded(
        [&] {
            m_batches->discard();
            if (!m_ended) end_in_ledger(finish);
            std::vector<CsvPaths> paths = render();
            m_ledger.checkpoint();
            return paths;
        },
        at_the_end);
}

/// The run's end is on record before any file is written, so that a full disk cannot take it away; nor can a
/// second finish, after files failed, make another end of it.
void RunRecord::end_in_ledger(const Finish& finish) {
    m_ledger.transact([&] {
        m_owner->require();
        m_batches->write_settled();
        if (!finish.resumable) m_spool->drop();
        end_run(m_ledger, m_run_id, finish);
        append_to_chain(m_ledger, m_run_id);
    });
    m_batches->settled_are_durable();
    m_ended = true;
    m_resumable = finish.resumable;
    failpoint("ledger.ended");
}

std::vector<CsvPaths> RunRecord::render() {
    std::vector<CsvPaths> paths(m_steps.size());
    if (!m_folder) return paths;  // rendered before, and there was nothing to render
    std::vector<StepFile> files;
    try {
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            StepCsv csv =
                render_step(m_ledger, m_run_id, m_steps[i].number, *m_folder, file_prefix(m_steps[i]));
            paths[i] = csv.paths;
            for (auto& file : csv.files) files.push_back({m_steps[i].number, std::move(file)});
        }
        failpoint("csv.rendered");
        publish(files);
    } catch (const SQLite::Exception&) {
        m_folder->clean();
        throw;
    } catch (const std::exception& failure) {
        m_folder->clean();
        const auto* error = dynamic_cast<const Error*>(&failure);
        if (error != nullptr && error->code() == ExitCode::pending) throw;  // somebody else renders them
        m_ledger.checkpoint();
        std::string hint = fmt::format(
            "The run has ended as recorded, and the ledger holds every row of it: run {} in the view "
            "changes.",
            m_run_id);
        if (m_resumable)
            hint += fmt::format(" `datachange resume {}` writes the files when there is room.", m_run_id);
        throw Error(ExitCode::unreachable,
                    fmt::format("the CSV files could not be written: {}", failure.what()), hint);
    }
    return paths;
}

/// Gives the files their names while nobody else can take the run over, for they might be those of an earlier
/// owner.
void RunRecord::publish(std::vector<StepFile>& files) {
    bool folder_gone = false;
    m_ledger.transact([&] {
        m_owner->require();
        std::vector<RecordedFile> recorded;
        for (const StepFile& file : files) {
            file.csv->give_name();
            const std::string path = absolute_path(file.csv->path());
            recorded.push_back(
                {file.step, path.substr(path.rfind('/') + 1), path, file.csv->bytes(), file.csv->sha256()});
        }
        folder_gone = m_folder->clean();
        if (!folder_gone) sync_folder(m_folder->path());
        replace_files(m_ledger, m_run_id, recorded);
        set_csv_directory(m_ledger, m_run_id, folder_gone ? "" : absolute_path(m_folder->path()));
    });
    if (folder_gone) m_folder.reset();
}

std::string RunRecord::file_prefix(const StepHeader& step) const {
    if (step.watch_of != 0) return fmt::format("{}_watch_{}.", step.number, file_name_part(step.table));
    const auto steps = std::count_if(m_steps.begin(), m_steps.end(),
                                     [](const StepHeader& other) { return other.watch_of == 0; });
    if (steps == 1) return "";
    return fmt::format("{}_{}.", step.number, file_name_part(step.name.empty() ? step.table : step.name));
}

}  // namespace datachange
