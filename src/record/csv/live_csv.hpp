#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/task_thread.hpp"
#include "record/csv/step_writer.hpp"
#include "record/ledger/recorded_batch.hpp"

namespace datachange {

/// Renders the CSV files of a run in key order while the run goes on, in a thread of its own, from the same
/// blocks that went to the ledger.
///
/// What it cannot do it leaves to who renders from the ledger afterwards: a batch too large to be kept in
/// memory, one out of order, or a file that cannot be written.
class LiveCsv {
public:
    /// What it asks of the run's record; from its own thread.
    struct Source {
        std::function<StepLayout(int step)> layout;
        std::function<std::string(int step)> prefix;  ///< of the files' names
        std::function<int(int step)> watched_by;      ///< the step itself, if it is no watched table
    };

    LiveCsv(const RunFolder& folder, Source source);

    /// Batches come in this order.
    void handed_out(int step, const std::string& path);
    void committed(std::shared_ptr<const RecordedBatch> batch);
    /// Nothing more comes of it. Waits while rendering is many batches behind.
    void done_with(int step, const std::string& path);
    /// Nothing more comes of the step: its files go to the disk.
    void step_done(int step);

    /// Renders what is left.
    /// @param batches committed batches of each step, as the ledger counts them
    /// @return the complete files of each step, or nothing if they are not the whole of it
    std::optional<std::map<int, StepCsv>> finish(const std::map<int, std::uint64_t>& batches);

private:
    using Batches = std::vector<std::shared_ptr<const RecordedBatch>>;

    /// What was handed out under one name.
    struct Part {
        int step;
        std::string path;
        bool done = false;
        Batches batches;
    };
    /// The files of a step, and how many batches are in them.
    struct Files {
        std::unique_ptr<StepWriter> writer;  ///< none where only counts are kept
        std::uint64_t batches = 0;
        std::optional<StepCsv> complete;
    };

    Part* part_of(const RecordedBatch& batch);
    std::optional<Part> next_done();
    void render_done() noexcept;
    void render(const RecordedBatch& batch);
    Files& files(int step);
    void complete(int step) noexcept;
    void give_up();
    void fail() noexcept;

    const RunFolder& m_folder;
    Source m_source;
    std::mutex m_mutex;
    std::deque<Part> m_parts;           ///< in key order
    std::map<int, std::string> m_last;  ///< name of the part that was handed out last, by step
    bool m_given_up = false;
    std::map<int, Files> m_files;  ///< used by the thread alone, until it has ended
    BlockReader m_reader;
    RowImages m_images;
    std::optional<TaskThread> m_thread;  ///< last: it uses all of the above
};

}  // namespace datachange
