#include "record/csv/live_csv.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/batch_path.hpp"
#include "core/timings.hpp"

namespace datachange {

namespace {

constexpr std::size_t most_behind = 4;  // times that there is something to be rendered

/// A batch, or a piece of it after it was halved.
bool is_of(const std::string& path, const std::string& part) {
    return path.starts_with(part) && (path.size() == part.size() || path[part.size()] == '.');
}

}  // namespace

LiveCsv::LiveCsv(const RunFolder& folder, Source source)
    : m_folder(folder), m_source(std::move(source)), m_thread(std::in_place, most_behind) {
}

void LiveCsv::handed_out(int step, const std::string& path) {
    const std::lock_guard lock(m_mutex);
    std::string& last = m_last[step];
    if (!last.empty() && !batch_path_less(last, path)) give_up();
    last = path;
    if (!m_given_up) m_parts.push_back({step, path, false, {}});
}

void LiveCsv::committed(std::shared_ptr<const RecordedBatch> batch) {
    const std::lock_guard lock(m_mutex);
    if (m_given_up) return;
    Part* const part = part_of(*batch);
    if (part == nullptr || batch->spilled()) return give_up();
    part->batches.push_back(std::move(batch));
}

/// The part with the longest name that the batch's begins with: what is left between two batches, 6 and 7, is
/// handed out as 6.1.
LiveCsv::Part* LiveCsv::part_of(const RecordedBatch& batch) {
    const int step = m_source.watched_by(batch.step());
    Part* closest = nullptr;
    for (Part& part : m_parts) {
        const bool fits = part.step == step && is_of(batch.path(), part.path);
        if (fits && (closest == nullptr || part.path.size() > closest->path.size())) closest = &part;
    }
    return closest;
}

void LiveCsv::done_with(int step, const std::string& path) {
    {
        const std::lock_guard lock(m_mutex);
        for (Part& part : m_parts) {
            if (part.step == step && part.path == path) part.done = true;
        }
        if (m_parts.empty() || !m_parts.front().done) return;
    }
    m_thread->post([this] { render_done(); });
}

std::optional<LiveCsv::Part> LiveCsv::next_done() {
    const std::lock_guard lock(m_mutex);
    if (m_parts.empty() || !m_parts.front().done) return std::nullopt;
    Part part = std::move(m_parts.front());
    m_parts.pop_front();
    return part;
}

/// What goes wrong here goes wrong again when the files are rendered from the ledger, and is reported then.
void LiveCsv::render_done() noexcept {
    const PhaseTimer timer(Phase::csv);
    try {
        while (std::optional<Part> part = next_done()) {
            std::sort(part->batches.begin(), part->batches.end(), [](const auto& a, const auto& b) {
                return a->step() != b->step() ? a->step() < b->step() : batch_path_less(a->path(), b->path());
            });
            for (const auto& batch : part->batches) render(*batch);
        }
    } catch (const std::exception&) {
        fail();
    }
}

void LiveCsv::fail() noexcept {
    m_files.clear();
    const std::lock_guard lock(m_mutex);
    give_up();
}

void LiveCsv::step_done(int step) {
    m_thread->post([this, step] { complete(step); });
}

/// The step's files, and those of the tables that it watches.
void LiveCsv::complete(int step) noexcept {
    const PhaseTimer timer(Phase::csv);
    try {
        for (auto& [number, files] : m_files) {
            const bool meant = m_source.watched_by(number) == step;
            if (meant && files.writer && !files.complete) files.complete = files.writer->complete();
        }
    } catch (const std::exception&) {
        fail();
    }
}

void LiveCsv::render(const RecordedBatch& batch) {
    Files& files = this->files(batch.step());
    ++files.batches;
    if (!files.writer) return;
    if (files.complete) throw std::logic_error("a batch came behind the end of its step");
    for (const Block& block : batch.blocks()) {
        m_reader.open(BlockReader::columns(block));
        for (std::size_t place = 0; place < m_reader.size(); ++place) {
            const BlockRow row = m_reader.row(place);
            m_images.read(row);
            files.writer->write(row, m_images);
        }
    }
}

LiveCsv::Files& LiveCsv::files(int step) {
    const auto [found, added] = m_files.try_emplace(step);
    Files& files = found->second;
    if (!added) return files;
    StepLayout layout = m_source.layout(step);
    if (!layout.counts_only) {
        files.writer = std::make_unique<StepWriter>(std::move(layout), m_folder, m_source.prefix(step));
    }
    return files;
}

/// The files themselves belong to the thread, which finds out by itself.
void LiveCsv::give_up() {
    m_given_up = true;
    m_parts.clear();
}

std::optional<std::map<int, StepCsv>> LiveCsv::finish(const std::map<int, std::uint64_t>& batches) {
    {
        const std::lock_guard lock(m_mutex);
        for (Part& part : m_parts) part.done = true;
    }
    m_thread->post([this] { render_done(); });
    m_thread.reset();
    bool whole = !m_given_up;
    for (const auto& [step, count] : batches) {
        const auto files = m_files.find(step);
        whole = whole && (files == m_files.end() ? 0 : files->second.batches) == count;
    }
    std::map<int, StepCsv> rendered;
    for (auto& [step, files] : m_files) {
        whole = whole && (!files.writer || files.writer->layout() == m_source.layout(step));
        if (!whole || !files.writer) continue;
        rendered.emplace(step, files.complete ? std::move(*files.complete) : files.writer->complete());
    }
    m_files.clear();
    return whole ? std::optional{std::move(rendered)} : std::nullopt;
}

}  // namespace datachange
