#include "definition/header.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/header_keys.hpp"
#include "definition/names.hpp"

namespace datachange {

namespace {

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
    return like.rest.starts_with("//") || closest(like.word, header_key_names()).empty();
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
    if (find_header_key(key) == nullptr) {
        if (is_free_text(*like)) return std::nullopt;
        throw Mistake(
            position(like->word), fmt::format("unknown header key \"{}\"", key),
            did_you_mean(
                key, header_key_names(),
                fmt::format("The keys are {}. A comment that is no header line has a blank before its "
                            "first colon, or begins with a capital letter.",
                            join(header_key_names(), ", "))));
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
    return like && !like->blank_before_colon && find_header_key(like->word) != nullptr;
}

void apply_file_header(const std::vector<HeaderLine>& lines, Definition& definition, Step& defaults) {
    refuse_second(lines);
    const HeaderSettings settings{&definition, defaults, definition.engine};
    for (const HeaderLine& line : lines) find_header_key(line.key)->apply(line, settings);
}

void apply_step_header(const std::vector<HeaderLine>& lines, Engine engine, Step& step) {
    refuse_second(lines);
    const HeaderSettings settings{nullptr, step, engine};
    for (const HeaderLine& line : lines) {
        const HeaderKey& key = *find_header_key(line.key);
        if (key.level == HeaderKey::Level::file) {
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
