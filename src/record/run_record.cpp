#include "record/run_record.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "core/failpoint.hpp"
#include "core/timings.hpp"
#include "record/csv/conflicts_csv.hpp"
#include "record/csv/csv_file.hpp"
#include "record/csv/step_csv.hpp"
#include "record/csv/step_layout.hpp"
#include "record/ledger/chain.hpp"
#include "record/ledger/resume.hpp"
#include "record/ledger/run_tables.hpp"

namespace datachange {

namespace {

constexpr const char* in_doubt =
    "What became of the batch in hand is not known, and is found out from the target when the run goes on; "
    "what is "
    "committed is kept.";
constexpr std::size_t most_tasks = 64;  // that wait for the ledger: each worker brings one at a time
constexpr const char* at_the_end = "What the target has committed stays, and its evidence is in the ledger.";

}  // namespace

template <class Work>
decltype(auto) RunRecord::in_ledger(Work&& work, const char* kept) {
    return m_thread->call([&] {
        const PhaseTimer timer(Phase::ledger);
        m_ledger.checkpoint_if_due();
        return m_ledger.guarded(work, kept);
    });
}

template <class Work>
void RunRecord::owned(Work&& work) {
    in_ledger([&] {
        m_ledger.transact([&] {
            m_owner->require();
            work();
        });
    });
}

RunRecord::RunRecord(Ledger ledger, std::string csv_dir)
    : m_ledger(std::move(ledger)), m_csv_dir(std::move(csv_dir)), m_thread(std::in_place, most_tasks) {
    m_ledger_uuid = in_ledger([&] { return m_ledger.uuid(); });
}

std::int64_t RunRecord::begin_run(const RunHeader& header) {
    try {
        in_ledger([&] {
            m_ledger.transact([&] {
                m_run_id = insert_run(m_ledger, header);
                insert_approvals(m_ledger, m_run_id, header.approvals);
                open_folder(header);
            });
        });
    } catch (...) {
        if (m_folder) m_folder->clean();
        throw;
    }
    own(header);
    follow();
    return m_run_id;
}

PriorEvidence RunRecord::resume_run(const RunHeader& header, const std::vector<StepHeader>& steps,
                                    const std::vector<CommittedBatch>& committed) {
    PriorEvidence prior;
    try {
        in_ledger([&] {
            m_ledger.transact([&] {
                prior = take_over_run(m_ledger, header, steps, committed);
                m_run_id = prior.run;
                insert_approvals(m_ledger, m_run_id, header.approvals);
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
    return in_ledger([&] {
        SQLite::Statement& query =
            m_ledger.bound("SELECT epoch, pruned_at IS NOT NULL FROM runs WHERE uuid = ?", uuid);
        const bool known = query.executeStep();
        const std::int64_t epoch = known ? query.getColumn(0).getInt64() : 0;
        const bool pruned = known && query.getColumn(1).getInt() != 0;
        query.reset();
        if (pruned) {
            throw Error(ExitCode::failed, fmt::format("the values of run {} were pruned", uuid.substr(0, 8)),
                        "Without them it cannot go on. Nothing was changed.");
        }
        return epoch;
    });
}

std::string RunRecord::known_redaction_key(const std::string& uuid) {
    return in_ledger([&] {
        SQLite::Statement& query = m_ledger.bound("SELECT redaction_key FROM runs WHERE uuid = ?", uuid);
        std::string key = query.executeStep() ? query.getColumn(0).getString() : "";
        query.reset();
        return key;
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
    m_uuid = header.uuid;
    if (!header.dry_run) m_ledger.set_run(m_run_id);
    m_owner.emplace(m_ledger, m_run_id, header.epoch);
    m_batches.emplace(m_ledger, *m_owner, m_run_id);
    m_spool.emplace(m_ledger, m_run_id);
}

void RunRecord::begin_step(const StepHeader& header) {
    owned([&] { insert_step(m_ledger, m_run_id, header); });
    m_batches->add_step(header.number);
    m_steps.push_back(header);
}

void RunRecord::reopen_step(const StepHeader& header) {
    StepLayout known = in_ledger([&] { return read_layout(m_ledger, m_run_id, header.number); });
    std::vector<std::vector<std::string>> returned;
    for (StepLayout::Returned& statement : known.returned) returned.push_back(std::move(statement.columns));
    m_batches->reopen_step(header.number, std::move(known.before), std::move(known.after),
                           std::move(returned));
    m_steps.push_back(header);
}

/// Renders the files behind the run.
void RunRecord::follow() {
    m_live = std::make_unique<LiveCsv>(
        *m_folder,
        LiveCsv::Source{
            [this](int number) { return in_ledger([&] { return read_layout(m_ledger, m_run_id, number); }); },
            [this](int number) { return file_prefix(step(number)); },
            [this](int number) {
                const int watched_by = step(number).watch_of;
                return watched_by == 0 ? number : watched_by;
            },
        });
}

void RunRecord::handed_out(int step, const std::string& batch) {
    if (m_live) m_live->handed_out(step, batch);
}

void RunRecord::done_with(int step, const std::string& batch) {
    if (m_live) m_live->done_with(step, batch);
}

void RunRecord::step_done(int step) {
    if (m_live) m_live->step_done(step);
}

std::unique_ptr<BatchEvidence> RunRecord::open_batch(int step, const std::string& batch,
                                                     const KeyRange& range) {
    return std::make_unique<RecordedBatch>(
        m_uuid, this->step(step), batch, range,
        [this](RecordedBatch& full) { in_ledger([&] { m_batches->spill(full); }); },
        [this](const RecordedBatch& given_up) { drop(given_up); });
}

void RunRecord::drop(const RecordedBatch& batch) noexcept {
    try {
        in_ledger([&] { m_batches->drop(batch); });
    } catch (const std::exception&) {
        // it stays as 'writing', and goes when somebody goes on with the run
    }
}

void RunRecord::prepare(std::vector<std::unique_ptr<BatchEvidence>> batches,
                        const std::string& transaction_id) {
    if (batches.empty()) return;
    std::vector<std::shared_ptr<RecordedBatch>> own;
    PrepareQueue::Entry entry{{{}, transaction_id}, nullptr};
    for (auto& batch : batches) {
        own.emplace_back(static_cast<RecordedBatch*>(batch.release()));
        entry.batches.batches.push_back(own.back().get());
    }
    m_queue.add(entry);
    const PhaseTimer timer(Phase::durable);
    in_ledger([&] { m_queue.write(m_ledger, *m_batches); });
    m_thread->post([this] { m_ledger.checkpoint_if_due(); });  // while nobody waits for the ledger
    if (entry.failure) std::rethrow_exception(entry.failure);
    const std::lock_guard lock(m_mutex);
    for (auto& batch : own) m_prepared[{batch->step(), batch->path()}] = std::move(batch);
}

void RunRecord::settle(Outcome outcome, const std::vector<CommittedBatch>& batches) {
    in_ledger([&] { m_batches->settle(outcome, batches); },
              outcome == Outcome::in_doubt ? in_doubt : LedgerStake::before_commit);
    if (outcome != Outcome::in_doubt) follow_settled(outcome, batches);
}

void RunRecord::follow_settled(Outcome outcome, const std::vector<CommittedBatch>& batches) {
    std::vector<std::shared_ptr<const RecordedBatch>> settled;
    {
        const std::lock_guard lock(m_mutex);
        for (const CommittedBatch& batch : batches) {
            if (auto found = m_prepared.extract({batch.step, batch.batch}))
                settled.push_back(std::move(found.mapped()));
        }
    }
    if (outcome != Outcome::committed || !m_live) return;
    for (auto& batch : settled) m_live->committed(std::move(batch));
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
    return in_ledger([&] { return open_failures(m_ledger, m_run_id); });
}

void RunRecord::conflicts(const std::vector<RowConflict>& conflicts) {
    owned([&] { insert_conflicts(m_ledger, m_run_id, "", conflicts); });
}

void RunRecord::state(const std::string& state) {
    owned([&] { set_state(m_ledger, m_run_id, state); });
}

void RunRecord::spool(int step, const RowSet& rows) {
    owned([&] { m_spool->append(step, rows); });
}

RowSet RunRecord::spooled(int step, std::uint64_t from, std::uint64_t count) {
    return in_ledger([&] {
        m_owner->require();  // who took the run over may have dropped the set
        return m_spool->read(step, from, count);
    });
}

std::uint64_t RunRecord::spool_size(int step) {
    return in_ledger([&] { return m_spool->size(step); });
}

void RunRecord::drop_spool(int step) {
    owned([&] { m_spool->drop(step); });
}

std::vector<CsvPaths> RunRecord::finish(const Finish& finish) {
    if (!m_owner) return {};  // the run could not even begin
    if (!m_ended) in_ledger([&] { end_in_ledger(finish); }, at_the_end);
    std::vector<CsvPaths> paths = render();
    in_ledger([&] { m_ledger.checkpoint(); }, at_the_end);
    return paths;
}

std::string RunRecord::identifiers_sha256(int number) {
    if (step(number).evidence == "counts") return {};
    return in_ledger([&] { return hash_identifiers(m_ledger, m_run_id, number); }, at_the_end);
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

std::map<int, std::uint64_t> RunRecord::committed_batches() {
    std::map<int, std::uint64_t> batches;
    SQLite::Statement& query = m_ledger.bound(
        "SELECT step, count(*) FROM batch WHERE run_id = ? AND state = 'committed' GROUP BY step", m_run_id);
    while (query.executeStep()) {
        batches[query.getColumn(0).getInt()] = static_cast<std::uint64_t>(query.getColumn(1).getInt64());
    }
    query.reset();
    return batches;
}

/// The files of all steps: as they were rendered behind the run, or else from the ledger.
std::map<int, StepCsv> RunRecord::rendered() {
    if (const auto live = std::exchange(m_live, nullptr)) {
        const auto batches = in_ledger([&] { return committed_batches(); }, at_the_end);
        if (auto files = live->finish(batches)) return std::move(*files);
    }
    std::map<int, StepCsv> files;
    in_ledger(
        [&] {
            const PhaseTimer timer(Phase::csv);
            for (const StepHeader& step : m_steps) {
                files[step.number] =
                    render_step(m_ledger, m_run_id, step.number, *m_folder, file_prefix(step));
            }
        },
        at_the_end);
    return files;
}

std::vector<CsvPaths> RunRecord::render() {
    std::vector<CsvPaths> paths(m_steps.size());
    if (!m_folder) return paths;  // rendered before, and there was nothing to render
    std::vector<StepFile> files;
    try {
        std::map<int, StepCsv> steps = rendered();
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            StepCsv& csv = steps[m_steps[i].number];
            paths[i] = csv.paths;
            for (auto& file : csv.files) files.push_back({m_steps[i].number, std::move(file)});
        }
        auto conflicts = in_ledger(
            [&] {
                return render_conflicts(m_ledger, m_run_id, *m_folder,
                                        [this](int number) { return file_prefix(step(number)); });
            },
            at_the_end);
        for (auto& [step, file] : conflicts) files.push_back({step, std::move(file)});
        failpoint("csv.rendered");
        in_ledger([&] { publish(files); }, at_the_end);
    } catch (const LedgerError&) {
        m_folder->clean();
        throw;
    } catch (const std::exception& failure) {
        m_folder->clean();
        const auto* error = dynamic_cast<const Error*>(&failure);
        if (error != nullptr && error->code() == ExitCode::pending) throw;  // somebody else renders them
        in_ledger([&] { m_ledger.checkpoint(); }, at_the_end);
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

const StepHeader& RunRecord::step(int number) const {
    return *std::find_if(m_steps.begin(), m_steps.end(),
                         [&](const StepHeader& step) { return step.number == number; });
}

std::string RunRecord::file_prefix(const StepHeader& step) const {
    const auto steps = std::count_if(m_steps.begin(), m_steps.end(),
                                     [](const StepHeader& other) { return other.watch_of == 0; });
    return csv_prefix(step.number, step.watch_of, step.name, step.table, static_cast<std::size_t>(steps));
}

}  // namespace datachange
