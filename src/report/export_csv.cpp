#include "report/export_csv.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

namespace {

bool is_negative_number(std::string_view text) {
    const auto digits = [&] {
        std::size_t count = 0;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++count) text.remove_prefix(1);
        return count > 0;
    };
    const auto take = [&](std::string_view any_of) {
        const bool there = !text.empty() && any_of.find(text.front()) != std::string_view::npos;
        if (there) text.remove_prefix(1);
        return there;
    };
    if (!take("-") || !digits()) return false;
    if (take(".") && !digits()) return false;
    if (!take("eE")) return text.empty();
    take("+-");
    return digits() && text.empty();
}

bool begins_formula(std::string_view text) {
    static constexpr std::array<std::string_view, 11> beginnings{
        "=", "+", "-", "@", "\t", "\r", "\n", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
    const bool begins = std::any_of(beginnings.begin(), beginnings.end(),
                                    [&](std::string_view one) { return text.starts_with(one); });
    return begins && !is_negative_number(text);
}

/// @param field CSV already
std::string_view safe_field(std::string_view field, std::string& memory) {
    const bool quoted = field.starts_with('"');
    const std::string_view text = quoted ? field.substr(1) : field;
    if (begins_formula(text)) {
        memory.assign("\"'").append(text);
    } else if (!quoted && text.find_first_of("\t;") != std::string_view::npos) {
        memory.assign(1, '"').append(text);
    } else {
        return field;
    }
    if (!quoted) memory += '"';
    return memory;
}

void write_rows(const ExportedRun& run, const LedgerStep& step, const StepLines& lines) {
    StepWriter writer(layout_of(step), lines);
    ChangeReader rows = run.ledger.changes(run.run.run, step.step);
    while (const ChangeRow* change = rows.next()) writer.write(change->row, *change->images);
}

void require_rows(const ExportedRun& run, const LedgerStep& step) {
    std::string why = run.why_no_rows();
    if (why.empty() && step.evidence == "counts") why = "of this step only counts are kept";
    if (why.empty()) return;
    throw Error(ExitCode::failed, fmt::format("run {} has no rows to export: {}", run.run.run, why),
                "Its counts can be exported with --format markdown, json or html.");
}

}  // namespace

void SafeLines::write_line(std::span<const std::string_view> fields) {
    if (m_memory.size() < fields.size()) m_memory.resize(fields.size());
    m_fields.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) m_fields[i] = safe_field(fields[i], m_memory[i]);
    m_to.write_line(m_fields);
}

PartedLines::PartedLines(const CsvForm& form, std::function<Output&(int part)> open)
    : m_form(form), m_open(std::move(open)) {
    next_part();
}

void PartedLines::write_line(std::span<const std::string_view> fields) {
    m_line.clear();
    for (const std::string_view field : fields) m_line.append(field).append(1, ',');
    if (!fields.empty()) m_line.pop_back();
    m_line += "\r\n";
    if (m_header.empty()) {
        m_header = m_line;
    } else if (m_form.split > 0 && m_bytes > m_header.size() && m_bytes + m_line.size() > m_form.split) {
        next_part();
        m_output->write(m_header);
        m_bytes = m_header.size();
    }
    m_output->write(m_line);
    m_bytes += m_line.size();
}

void PartedLines::next_part() {
    finish();
    m_output = &m_open(++m_part);
    if (!m_form.gzip) return;
    m_gzip = gzip(*m_output);
    m_output = m_gzip.get();
}

void PartedLines::finish() {
    if (m_output) m_output->finish();
    m_output = nullptr;
}

std::string part_name(const std::string& name, int part, const CsvForm& form) {
    constexpr std::string_view packed = ".gz";
    std::string full =
        form.gzip && name.ends_with(packed) ? name.substr(0, name.size() - packed.size()) : name;
    if (form.split > 0) {
        const std::size_t dot = full.rfind('.');
        const bool of_folder = dot != std::string::npos && full.find('/', dot) != std::string::npos;
        full.insert(of_folder ? full.size() : std::min(dot, full.size()), fmt::format(".{:03}", part));
    }
    return full.append(form.gzip ? packed : "");
}

void export_csv(const ExportedRun& run, const LedgerStep& step, const std::string& file, const CsvForm& form,
                std::function<Output&(int part)> open) {
    require_rows(run, step);
    if (file == "change" && step.watch_of != 0) {
        throw Error(ExitCode::usage,
                    fmt::format("{} has no change.csv: it was watched, not changed", step.table),
                    "--file pre, post or diff.");
    }
    PartedLines parts(form, std::move(open));
    SafeLines safe(parts);
    CsvLines* const lines = form.safe ? static_cast<CsvLines*>(&safe) : &parts;
    StepLines wanted;
    (file == "pre"      ? wanted.pre
     : file == "change" ? wanted.change
     : file == "post"   ? wanted.post
                        : wanted.diff) = lines;
    write_rows(run, step, wanted);
    parts.finish();
}

void export_step_csv(const ExportedRun& run, const LedgerStep& step, const CsvForm& form,
                     const std::function<Output&(const std::string& file, int part)>& open) {
    struct File {
        PartedLines parts;
        SafeLines safe{parts};
    };
    std::vector<std::unique_ptr<File>> files;
    const auto lines = [&](const std::string& file) -> CsvLines* {
        files.push_back(std::unique_ptr<File>(
            new File{PartedLines(form, [&open, file](int part) -> Output& { return open(file, part); })}));
        return form.safe ? static_cast<CsvLines*>(&files.back()->safe) : &files.back()->parts;
    };
    StepLines all{lines("pre"), nullptr, lines("post"), lines("diff")};
    if (step.watch_of == 0) all.change = lines("change");
    write_rows(run, step, all);
    for (const auto& file : files) file->parts.finish();
}

const LedgerStep& choose_step(const ExportedRun& run, const std::string& table) {
    std::vector<const LedgerStep*> found;
    std::vector<std::string> names;
    for (const LedgerStep& step : run.steps) {
        names.push_back(step.table.empty() ? step.name : step.table);
        if (table.empty() || step.name == table || names_table(table, step.table))
            found.push_back(&step);
    }
    if (found.size() == 1) return *found.front();
    if (run.steps.empty()) {
        throw Error(ExitCode::failed,
                    fmt::format("run {} has no rows to export: {}", run.run.run,
                                run.why_no_rows().empty() ? "it never came to a step" : run.why_no_rows()),
                    "`datachange show` tells what became of it.");
    }
    const std::string hint = fmt::format("--table names one of: {}.", join(names, ", "));
    if (found.empty())
        throw Error(ExitCode::usage, fmt::format("run {} has no table {}", run.run.run, table), hint);
    throw Error(ExitCode::usage,
                fmt::format("run {} has {}, and a CSV file holds the rows of one", run.run.run,
                            counted(found.size(), "table")),
                hint + " A step's name does as well; --format bundle has all of them.");
}

}  // namespace datachange
