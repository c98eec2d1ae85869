#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "capture/batch_capture.hpp"
#include "core/text.hpp"
#include "core/value_json.hpp"
#include "record/ledger/ledger_reader.hpp"
#include "record/record.hpp"
#include "support/catch.hpp"

namespace datachange::testing {

namespace fs = std::filesystem;

/// A folder that goes when the test ends.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "datachange-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        m_path = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string file(const std::string& name) const { return (m_path / name).string(); }
    std::string path() const { return m_path.string(); }

private:
    fs::path m_path;
};

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

/// The names of all files of a folder, sorted.
inline std::vector<std::string> file_names(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// A set from the JSON of its rows, set("id,name", {R"([1,"a"])"}).
inline RowSet set(const std::string& columns, const std::vector<std::string>& rows) {
    std::vector<Column> described;
    for (const std::string& name : split(columns, ',')) described.push_back({name, "text", "", ""});
    RowSet result(described);
    for (const std::string& row : rows) {
        for (const Value& value : parse_json_array(row)) result.add(value.view());
    }
    return result;
}

inline AuditedRow audited(const std::string& identifier, Action action, std::size_t pre, std::size_t post,
                          std::vector<AuditedRow::Returned> returned) {
    AuditedRow row;
    row.identifier = identifier;
    row.action = action;
    row.pre = pre;
    row.post = post;
    row.returned = std::move(returned);
    return row;
}

/// Adds up what the rows tell.
inline BatchCapture counted_capture(BatchCapture capture) {
    RowCounts& counts = capture.counts;
    counts = {};
    counts.pre = capture.pre.size();
    counts.post = capture.post.size();
    for (const RowSet& returned : capture.returned) counts.change += returned.size();
    for (const AuditedRow& row : capture.rows) {
        switch (row.action) {
            case Action::updated:
                ++counts.updated;
                break;
            case Action::inserted:
                ++counts.inserted;
                break;
            case Action::deleted:
                ++counts.deleted;
                break;
            case Action::unchanged:
                ++counts.unchanged;
                break;
            case Action::missing:
                ++counts.missing;
                break;
            case Action::unexpected:
                ++counts.unexpected;
                break;
        }
    }
    return capture;
}

/// The usual batch: each row of pre was updated to the row of post in its place, and RETURNING gave post. The
/// identifier is the first column.
inline BatchCapture updates(RowSet pre, RowSet post) {
    BatchCapture capture;
    for (std::size_t row = 0; row < pre.size(); ++row) {
        capture.rows.push_back(audited(key_text(pre.key(row, {0})), Action::updated, row, row, {{0, row}}));
    }
    capture.returned.push_back(post);
    capture.pre = std::move(pre);
    capture.post = std::move(post);
    return counted_capture(std::move(capture));
}

/// Updates of `name` from NULL to "n<id>" for ids [from, upto].
inline BatchCapture names_filled(std::int64_t from, std::int64_t upto) {
    RowSet pre({{"id", "integer", "", ""}, {"name", "text", "", ""}}), post(pre.columns());
    for (std::int64_t id = from; id <= upto; ++id) {
        pre.add(Value::integer(id).view());
        pre.add({});
        post.add(Value::integer(id).view());
        post.add(Value::text("n" + std::to_string(id)).view());
    }
    return updates(std::move(pre), std::move(post));
}

/// A ledger and a folder for CSVs that nobody has made yet.
struct RecordFixture {
    TemporaryFolder folder;
    RecordOptions options{folder.file("ledger.db"), folder.file("csv"), 0};

    static RunHeader header(const std::string& uuid = "01234567-89ab-4cde-8f01-23456789abcd") {
        RunHeader header;
        header.uuid = uuid;
        header.version = "20260301120000";
        header.name = "backfill_names";
        header.definition = "-- audit:pre\nSELECT 1;\n";
        header.definition_sha256 = "00ff";
        header.definition_path = "audits/20260301120000_backfill_names.sql";
        header.target = "sqlite:/data/app.db";
        header.operator_name = "ann";
        header.host = "desk";
        header.ticket = "OPS-1";
        header.tool_version = "0.1.0";
        header.server_version = "SQLite 3.40.1";
        header.mode = "single";
        header.started_at = "2026-03-01T12:00:00.000Z";
        return header;
    }
    static StepHeader step(int number = 1, const std::string& table = "users") {
        StepHeader step;
        step.number = number;
        step.table = table;
        step.identifier = {"id"};
        return step;
    }
    /// A batch that a test records.
    struct Batch {
        const BatchCapture* capture;
        std::string batch = "1";
        int step = 1;
        KeyRange range;
        BatchRecord record;
    };
    static Batch batch(const BatchCapture& capture, const std::string& path = "1", int step = 1) {
        Batch batch{&capture, path, step, {}, {}};
        batch.record.started_at = "2026-03-01T12:00:01.000Z";
        batch.record.duration_ms = 5;
        return batch;
    }
    /// Encodes a batch, for the next prepare(). @return its leaf
    std::string stage(Journal& journal, const Batch& batch) {
        auto evidence = journal.open_batch(batch.step, batch.batch, batch.range);
        evidence->add(*batch.capture);
        std::string leaf = evidence->close(batch.record);
        m_staged.push_back(std::move(evidence));
        m_names.push_back({batch.step, batch.batch, {}, 0, leaf, ""});
        return leaf;
    }
    void prepare(Journal& journal, const std::string& transaction = "tx") {
        for (const CommittedBatch& batch : m_names) journal.handed_out(batch.step, batch.batch);
        journal.prepare(std::exchange(m_staged, {}), transaction);
    }
    /// What became of the batches that were prepared last.
    void settle(Journal& journal, Outcome outcome) {
        journal.settle(outcome, m_names);
        if (outcome == Outcome::in_doubt) return;
        for (const CommittedBatch& batch : m_names) journal.done_with(batch.step, batch.batch);
        m_names.clear();
    }
    /// Stages a batch and makes it durable.
    void record(Journal& journal, const Batch& batch) {
        stage(journal, batch);
        prepare(journal);
    }
    /// Takes the folder of the CSVs away, whatever is being written there meanwhile.
    void lose_csv_folder() const {
        std::error_code busy;
        do fs::remove_all(options.csv_dir, busy);
        while (fs::exists(options.csv_dir));
    }
    void discard() {
        m_staged.clear();
        m_names.clear();
    }
    /// The same run, as who goes on with it opens it.
    static RunHeader taken(std::int64_t epoch = 2) {
        RunHeader taken = header();
        taken.epoch = epoch;
        taken.process = 4711;
        taken.host = "rack";
        taken.operator_name = "bob";
        return taken;
    }
    void commit(Journal& journal, const BatchCapture& capture, const std::string& path = "1", int step = 1) {
        stage(journal, batch(capture, path, step));
        prepare(journal);
        settle(journal, Outcome::committed);
    }

    /// A run of one step and one batch from begin to end.
    std::vector<CsvPaths> run(const BatchCapture& capture, const StepHeader& step_header = step(),
                              const RunHeader& run_header = header()) {
        const auto journal = open_record(options);
        journal->begin_run(run_header);
        journal->begin_step(step_header);
        commit(*journal, capture);
        return journal->finish({"done", "", capture.counts});
    }

    /// The rows of a query on the ledger, values as text joined by "|", NULL as "~".
    std::vector<std::string> ask(const std::string& sql) const {
        const SQLite::Database database(options.ledger, SQLite::OPEN_READONLY);
        SQLite::Statement query(database, sql);
        std::vector<std::string> rows;
        while (query.executeStep()) {
            std::vector<std::string> cells;
            for (int i = 0; i < query.getColumnCount(); ++i) {
                cells.push_back(query.getColumn(i).isNull() ? "~" : query.getColumn(i).getString());
            }
            rows.push_back(join(cells, "|"));
        }
        return rows;
    }
    std::string ask_one(const std::string& sql) const {
        const auto rows = ask(sql);
        REQUIRE(rows.size() == 1);
        return rows.front();
    }

private:
    std::vector<std::unique_ptr<BatchEvidence>> m_staged;
    std::vector<CommittedBatch> m_names;
};

/// What work throws; the test fails if that is no Error.
template <class Work>
Error error_of(Work&& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    throw std::logic_error("no error was thrown");
}

using Lines = std::vector<std::string>;

}  // namespace datachange::testing
