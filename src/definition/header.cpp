#include "definition/header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/names.hpp"

namespace datachange {

namespace {

/// What one header line sets: of the file, and of a step (in the file's header: of the defaults of all).
struct Settings {
    Definition* file;
    Step& step;
    Engine engine;
};

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

enum class Level { file, step };

struct Key {
    const char* name;
    Level level;  ///< step: a file's header gives the default for its steps
    void (*apply)(const HeaderLine& line, const Settings& settings);
};

constexpr std::array keys{
    Key{"ticket", Level::file,
        [](const HeaderLine& line, const Settings& s) { s.file->ticket = line.value; }},
    Key{"author", Level::file,
        [](const HeaderLine& line, const Settings& s) { s.file->author = line.value; }},
    Key{"note", Level::file,
        [](const HeaderLine& line, const Settings& s) {
            s.file->note += (s.file->note.empty() ? "" : "\n") + line.value;
        }},
    Key{"targets", Level::file,
        [](const HeaderLine& line, const Settings& s) { s.file->targets = read_targets(line); }},
    Key{"repeatable", Level::file,
        [](const HeaderLine& line, const Settings& s) { s.file->repeatable = yes_or_no(line); }},
    Key{"foreign-keys", Level::file,
        [](const HeaderLine& line, const Settings& s) {
            s.file->foreign_keys = choose<bool>(line, {{"on", true}, {"off", false}});
        }},
    Key{"identifier", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.identifier = read_column_names(line.value, line.value_at, s.engine);
        }},
    Key{"table", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.table = read_table_name(line.value, line.value_at, s.engine);
        }},
    Key{"batch-size", Level::step,
        [](const HeaderLine& line, const Settings& s) { s.step.batch_size = read_batch_size(line); }},
    Key{"expect-rows", Level::step,
        [](const HeaderLine& line, const Settings& s) { s.step.expect_rows = read_expect_rows(line); }},
    Key{"requires", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.required_columns = read_requires(line, s.engine);
        }},
    Key{"on-missing", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.on_missing =
                choose<OnMissing>(line, {{"fail", OnMissing::fail}, {"skip", OnMissing::skip}});
        }},
    Key{"on-error", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.on_error = choose<OnError>(line, {{"stop", OnError::stop}, {"skip", OnError::skip}});
        }},
    Key{"transaction", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.transaction = choose<TransactionWish>(line, {{"single", TransactionWish::single},
                                                                {"batched", TransactionWish::batched},
                                                                {"auto", TransactionWish::automatic}});
        }},
    Key{"evidence", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.evidence = choose<EvidenceLevel>(line, {{"full", EvidenceLevel::full},
                                                           {"keys", EvidenceLevel::keys},
                                                           {"counts", EvidenceLevel::counts}});
        }},
    Key{"returning", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.returning_none = choose<bool>(line, {{"none", true}});
        }},
    Key{"batch-safe", Level::step,
        [](const HeaderLine& line, const Settings& s) { s.step.batch_safe = line.value; }},
    Key{"collateral", Level::step,
        [](const HeaderLine& line, const Settings& s) { s.step.collateral = read_tables(line, s.engine); }},
    Key{"redact", Level::step,
        [](const HeaderLine& line, const Settings& s) {
            s.step.redact = read_column_names(line.value, line.value_at, s.engine);
        }},
};

const Key* find_key(std::string_view name) {
    const auto found =
        std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
    return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> key_names() {
    std::vector<std::string> names;
    for (const Key& key : keys) names.emplace_back(key.name);
    return names;
}

/// A comment that reads `word: rest` or `word : rest`.
struct KeyLike {
    std::string_view word;
    bool blank_before_colon = false;
    std::string_view rest;  ///< behind the colon, not trimmed
};

std::optional<KeyLike> key_like(std::string_view text) {
    const std::size_t word_end = std::min(
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"), text.size());
    const std::size_t colon = text.find_first_not_of(" \t", word_end);
    if (word_end == 0 || colon == std::string_view::npos || text[colon] != ':') return std::nullopt;
    return KeyLike{text.substr(0, word_end), colon > word_end, text.substr(colon + 1)};
}

/// "ticket" for Ticket, "batch-size" for batch_size.
std::string normal_key(std::string_view word) {
    std::string normal = lower(word);
    std::replace(normal.begin(), normal.end(), '_', '-');
    return normal;
}

/// A URL, a time or the like is free text; so is a word that is no key's and has no blank behind its colon.
bool is_free_text(const KeyLike& like) {
    if (like.blank_before_colon || like.word != normal_key(like.word) || like.word.starts_with('-'))
        return true;
    if (like.rest.empty() || like.rest.front() == ' ' || like.rest.front() == '\t') return false;
    return like.rest.starts_with("//") || closest(like.word, key_names()).empty();
}

void refuse_second(const std::vector<HeaderLine>& lines) {
    std::map<std::string, SourcePosition> seen;
    for (const HeaderLine& line : lines) {
        const auto [earlier, is_new] = seen.emplace(line.key, line.at);
        if (is_new || line.key == "note") continue;
        throw Mistake(line.at, fmt::format("{} is given twice in one header", line.key),
                      fmt::format("It stands in line {} already.", earlier->second.line));
    }
}

}  // namespace

std::string_view comment_text(const Token& comment) {
    return trim(comment.text.substr(2));
}

std::optional<HeaderLine> read_header_line(const Token& comment) {
    const std::string_view text = comment_text(comment);
    const std::optional<KeyLike> like = key_like(text);
    if (!like) return std::nullopt;
    const auto position = [&](std::string_view part) {
        return position_after(
            comment.at, comment.text.substr(0, static_cast<std::size_t>(part.data() - comment.text.data())));
    };
    const std::string key = normal_key(like->word);
    if (find_key(key) == nullptr) {
        if (is_free_text(*like)) return std::nullopt;
        throw Mistake(
            position(like->word), fmt::format("unknown header key \"{}\"", key),
            did_you_mean(
                key, key_names(),
                fmt::format("The keys are {}. A comment that is no header line has a blank before its "
                            "first colon, or begins with a capital letter.",
                            join(key_names(), ", "))));
    }
    if (like->word != key || like->blank_before_colon) {
        throw Mistake(
            position(like->word),
            fmt::format("the header key {} is not written \"{}\"", key, text.substr(0, text.find(':') + 1)),
            fmt::format("Write `-- {}:`, in small letters and without a blank before the colon.", key));
    }
    const std::string_view value = trim(like->rest);
    if (value.empty()) {
        throw Mistake(position(like->word), fmt::format("the header key {} has no value", key),
                      "Write one behind the colon, or remove the line.");
    }
    return HeaderLine{key, std::string{value}, position(like->word), position(value)};
}

bool sets_header_key(const Token& comment) {
    const std::optional<KeyLike> like = key_like(comment_text(comment));
    return like && !like->blank_before_colon && find_key(like->word) != nullptr;
}

void apply_file_header(const std::vector<HeaderLine>& lines, Definition& definition, Step& defaults) {
    refuse_second(lines);
    const Settings settings{&definition, defaults, definition.engine};
    for (const HeaderLine& line : lines) find_key(line.key)->apply(line, settings);
}

void apply_step_header(const std::vector<HeaderLine>& lines, Engine engine, Step& step) {
    refuse_second(lines);
    const Settings settings{nullptr, step, engine};
    for (const HeaderLine& line : lines) {
        const Key& key = *find_key(line.key);
        if (key.level == Level::file) {
            throw Mistake(line.at, fmt::format("{} holds for the whole file, not for a step", line.key),
                          "Move it above the first audit:step.");
        }
        key.apply(line, settings);
    }
}

void apply_watch_header(const std::vector<HeaderLine>& lines, Engine engine, Watch& watch) {
    refuse_second(lines);
    for (const HeaderLine& line : lines) {
        if (line.key != "identifier") {
            throw Mistake(line.at, fmt::format("{} is no header key of audit:watch", line.key),
                          "It takes identifier alone.");
        }
        watch.identifier = read_column_names(line.value, line.value_at, engine);
    }
}

}  // namespace datachange
