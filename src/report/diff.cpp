#include "report/diff.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

[[noreturn]] void nothing_named(const char* what, const std::string& asked, const LedgerRun& run,
                                const std::vector<std::string>& known) {
    throw Error(ExitCode::usage, fmt::format("run {} has no {} {}", run.run, what, asked),
                did_you_mean(asked, known, "It has: " + join(known, ", ") + "."));
}

bool is_step(const LedgerStep& step, const std::string& asked) {
    return asked.empty() || asked == std::to_string(step.step) || asked == step.name;
}

std::vector<LedgerStep> chosen_steps(const LedgerReader& ledger, const LedgerRun& run,
                                     const DiffFilter& filter) {
    std::vector<LedgerStep> steps = ledger.steps(run.run);
    std::vector<std::string> known_steps, known_tables;
    for (const LedgerStep& step : steps) {
        known_steps.push_back(step.name.empty() ? std::to_string(step.step) : step.name);
        known_tables.push_back(step.table);
    }
    std::erase_if(steps, [&](const LedgerStep& step) { return !is_step(step, filter.step); });
    if (steps.empty() && !filter.step.empty()) nothing_named("step", filter.step, run, known_steps);
    std::erase_if(steps, [&](const LedgerStep& step) {
        return !filter.table.empty() && !names_table(filter.table, step.table);
    });
    if (steps.empty() && !filter.table.empty()) nothing_named("table", filter.table, run, known_tables);
    return steps;
}

void require_columns(const std::vector<LedgerStep>& steps, const LedgerRun& run,
                     const std::vector<std::string>& asked) {
    std::vector<std::string> known;
    for (const LedgerStep& step : steps) {
        for (const auto* columns : {&step.before, &step.after}) {
            for (const LedgerColumn& column : *columns) {
                if (std::find(known.begin(), known.end(), column.name) == known.end())
                    known.push_back(column.name);
            }
        }
    }
    for (const std::string& name : asked) {
        const bool there = std::any_of(known.begin(), known.end(), [&](const std::string& column) {
            return lower(column) == lower(name);
        });
        if (!there) nothing_named("column", name, run, known);
    }
}

/// The number that a text is as a whole: 42, -1.5, 1e3; neither 2026-01-31 nor 0x1f nor inf.
/// (A long double holds any integer of 64 bits.)
std::optional<long double> number_of(const std::string& text) {
    if (text.empty() || text.find_first_not_of("+-.0123456789eE") != std::string::npos) return std::nullopt;
    char* end = nullptr;
    const long double number = std::strtold(text.c_str(), &end);
    if (*end != '\0') return std::nullopt;
    return number;
}

/// By number where both are numbers, else by bytes.
bool less(const std::string& a, const std::string& b) {
    const auto number_a = number_of(a), number_b = number_of(b);
    return number_a && number_b ? *number_a < *number_b : a < b;
}

}  // namespace

DiffReader::DiffReader(const LedgerReader& ledger, const LedgerRun& run, DiffFilter filter)
    : m_ledger(ledger),
      m_run(run),
      m_filter(std::move(filter)),
      m_steps(chosen_steps(ledger, run, m_filter)) {
    if (m_filter.actions.empty()) m_filter.actions = {"updated", "inserted", "deleted"};
    require_columns(m_steps, run, m_filter.columns);
    const bool range = m_filter.from || m_filter.to;
    for (const LedgerStep& step : m_steps) {
        if (!range || step.identifier.size() == 1) continue;
        throw Error(ExitCode::usage,
                    fmt::format("--from and --to need an identifier of one column, and that of {} is {}",
                                step.table.empty() ? "the step" : step.table, join(step.identifier, ", ")),
                    "Use --identifier, or `datachange query` with a condition of your own.");
    }
}

void DiffReader::begin(const LedgerStep& step) {
    m_identifier = step.identifier.size() > 1 ? plain_identifier(m_filter.identifier) : m_filter.identifier;
    m_shared = layout_of(step).shared;
}

/// Puts what differs into m_differences too.
bool DiffReader::keeps(const LedgerStep& step, const ChangeRow& change) {
    const BlockRow& row = change.row;
    const std::string_view action = action_name(row.action);
    if (std::find(m_filter.actions.begin(), m_filter.actions.end(), action) == m_filter.actions.end())
        return false;
    if (!names(row.identifier) && (row.new_identifier.empty() || !names(row.new_identifier))) return false;
    compare(step, change);
    return m_filter.columns.empty() || !m_differences.empty();
}

bool DiffReader::names(std::string_view identifier) const {
    if (!m_identifier.empty() && identifier != m_identifier) return false;
    if (!m_filter.from && !m_filter.to) return true;
    const std::string key{identifier};
    return !(m_filter.from && less(key, *m_filter.from)) && !(m_filter.to && less(*m_filter.to, key));
}

void DiffReader::compare(const LedgerStep& step, const ChangeRow& change) {
    m_differences.clear();
    const auto& before = change.images->before();
    const auto& after = change.images->after();
    const bool updated = change.row.action == Action::updated;
    if (!before.empty() && !after.empty()) {
        for (const StepLayout::Shared& column : m_shared) {
            if (!wanted(column.name) || (updated && before[column.before] == after[column.after])) continue;
            m_differences.push_back({column.name, before[column.before], after[column.after]});
        }
        return;
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (wanted(step.before[i].name)) m_differences.push_back({step.before[i].name, before[i], {}});
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (wanted(step.after[i].name)) m_differences.push_back({step.after[i].name, {}, after[i]});
    }
}

bool DiffReader::wanted(const std::string& column) const {
    return m_filter.columns.empty() ||
           std::any_of(m_filter.columns.begin(), m_filter.columns.end(),
                       [&](const std::string& name) { return lower(name) == lower(column); });
}

}  // namespace datachange
