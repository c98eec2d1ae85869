#include "definition/header_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/names.hpp"

namespace datachange {

namespace {

template <class T>
using Choices = std::vector<std::pair<std::string, T>>;

template <class T>
T choose(const HeaderLine& line, const Choices<T>& choices) {
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
        if (name == line.value) return value;
        names.push_back(name);
    }
    throw Mistake(line.value_at, fmt::format("{} cannot be \"{}\"", line.key, line.value),
                  fmt::format("It is {}.", join(names, " or ")));
}

bool yes_or_no(const HeaderLine& line) {
    return choose<bool>(line, {{"yes", true}, {"no", false}});
}

/// Digits and nothing else; nothing for anything else or more than 64 bits.
std::optional<std::uint64_t> read_number(std::string_view digits) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

std::uint64_t read_batch_size(const HeaderLine& line) {
    const auto rows = read_number(line.value);
    if (!rows || *rows == 0) {
        throw Mistake(line.value_at, fmt::format("batch-size is no number of rows: {}", line.value),
                      "It is a whole number from 1, as in 5000.");
    }
    return *rows;
}

RowBounds read_expect_rows(const HeaderLine& line) {
    const std::string_view value = line.value;
    const std::size_t dots = value.find("..");
    const std::string_view least = trim(value.substr(0, dots));
    const std::string_view most = dots == std::string_view::npos ? least : trim(value.substr(dots + 2));
    RowBounds bounds;
    bounds.least = least.empty() ? 0 : read_number(least).value_or(UINT64_MAX);
    if (!most.empty()) bounds.most = read_number(most);
    if ((least.empty() && most.empty()) || (!least.empty() && !read_number(least)) ||
        (!most.empty() && !bounds.most)) {
        throw Mistake(line.value_at, fmt::format("expect-rows gives no bounds: {}", line.value),
                      "Write 1..5000, 1.., ..5000 or 12.");
    }
    if (bounds.most && *bounds.most < bounds.least) {
        throw Mistake(line.value_at, fmt::format("expect-rows wants at least {} and at most {}", least, most),
                      "The lesser number stands first.");
    }
    return bounds;
}

std::vector<RequiredColumn> read_requires(const HeaderLine& line, Engine engine) {
    std::vector<RequiredColumn> columns;
    for (const SqlName& name : read_names(line.value, line.value_at, engine)) {
        if (name.parts.size() < 2 || name.parts.size() > 3) {
            throw Mistake(name.at,
                          fmt::format("requires names columns with their table, not {}", name.written),
                          "Write table.column or schema.table.column, separated by commas.");
        }
        columns.push_back({name.qualifier, name.parts.back(), name.at});
    }
    return columns;
}

std::vector<std::string> read_tables(const HeaderLine& line, Engine engine) {
    std::vector<std::string> tables;
    for (const SqlName& name : read_names(line.value, line.value_at, engine)) {
        tables.push_back(read_table_name(name.written, name.at, engine));
    }
    return tables;
}

std::vector<std::string> read_targets(const HeaderLine& line) {
    std::vector<std::string> targets;
    for (const std::string& part : split(line.value, ',')) {
        targets.emplace_back(trim(part));
        if (!is_label(targets.back())) {
            throw Mistake(line.value_at, fmt::format("targets are no names of groups: {}", line.value),
                          "Write names of letters, digits, - and _, separated by commas.");
        }
    }
    return targets;
}

using Level = HeaderKey::Level;
using Settings = HeaderSettings;

constexpr std::array keys{
    HeaderKey{"ticket", Level::file,
              [](const HeaderLine& line, const Settings& s) { s.file->ticket = line.value; }},
    HeaderKey{"author", Level::file,
              [](const HeaderLine& line, const Settings& s) { s.file->author = line.value; }},
    HeaderKey{"note", Level::file,
              [](const HeaderLine& line, const Settings& s) {
                  s.file->note += (s.file->note.empty() ? "" : "\n") + line.value;
              }},
    HeaderKey{"targets", Level::file,
              [](const HeaderLine& line, const Settings& s) { s.file->targets = read_targets(line); }},
    HeaderKey{"repeatable", Level::file,
              [](const HeaderLine& line, const Settings& s) { s.file->repeatable = yes_or_no(line); }},
    HeaderKey{"foreign-keys", Level::file,
              [](const HeaderLine& line, const Settings& s) {
                  s.file->foreign_keys = choose<bool>(line, {{"on", true}, {"off", false}});
              }},
    HeaderKey{"identifier", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.identifier = read_column_names(line.value, line.value_at, s.engine);
              }},
    HeaderKey{"table", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.table = read_table_name(line.value, line.value_at, s.engine);
              }},
    HeaderKey{"batch-size", Level::step,
              [](const HeaderLine& line, const Settings& s) { s.step.batch_size = read_batch_size(line); }},
    HeaderKey{"expect-rows", Level::step,
              [](const HeaderLine& line, const Settings& s) { s.step.expect_rows = read_expect_rows(line); }},
    HeaderKey{"requires", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.required_columns = read_requires(line, s.engine);
              }},
    HeaderKey{"on-missing", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.on_missing =
                      choose<OnMissing>(line, {{"fail", OnMissing::fail}, {"skip", OnMissing::skip}});
              }},
    HeaderKey{"on-error", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.on_error = choose<OnError>(line, {{"stop", OnError::stop}, {"skip", OnError::skip}});
              }},
    HeaderKey{"transaction", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.transaction = choose<TransactionWish>(line, {{"single", TransactionWish::single},
                                                                      {"batched", TransactionWish::batched},
                                                                      {"auto", TransactionWish::automatic}});
              }},
    HeaderKey{"evidence", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.evidence = choose<EvidenceLevel>(line, {{"full", EvidenceLevel::full},
                                                                 {"keys", EvidenceLevel::keys},
                                                                 {"counts", EvidenceLevel::counts}});
              }},
    HeaderKey{"returning", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.returning_none = choose<bool>(line, {{"none", true}});
              }},
    HeaderKey{"batch-safe", Level::step,
              [](const HeaderLine& line, const Settings& s) { s.step.batch_safe = line.value; }},
    HeaderKey{
        "collateral", Level::step,
        [](const HeaderLine& line, const Settings& s) { s.step.collateral = read_tables(line, s.engine); }},
    HeaderKey{"redact", Level::step,
              [](const HeaderLine& line, const Settings& s) {
                  s.step.redact = read_column_names(line.value, line.value_at, s.engine);
              }},
};

}  // namespace

const HeaderKey* find_header_key(std::string_view name) {
    const auto found =
        std::find_if(keys.begin(), keys.end(), [name](const HeaderKey& key) { return key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> header_key_names() {
    std::vector<std::string> names(keys.size());
    std::transform(keys.begin(), keys.end(), names.begin(), [](const HeaderKey& key) { return key.name; });
    return names;
}

}  // namespace datachange
