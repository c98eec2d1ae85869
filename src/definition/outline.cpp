#include "definition/outline.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/text.hpp"
#include "definition/names.hpp"

namespace datachange {

namespace {

struct Directive {
    std::string name;  ///< pre, change, ..., step
    std::string argument;
    SourcePosition at;
    SourcePosition argument_at;
};

constexpr std::array<const char*, 8> section_names{"keys",    "pre",    "change", "post",
                                                   "summary", "verify", "undo",   "watch"};

std::vector<std::string> directive_names() {
    std::vector<std::string> names(section_names.begin(), section_names.end());
    names.emplace_back("step");
    return names;
}

bool is_directive_name(std::string_view name) {
    const std::vector<std::string> names = directive_names();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The word that `audit:` names, however it is written; nothing for a comment of something else.
struct AuditComment {
    std::string_view word;
    std::string_view rest;  ///< behind the word
    bool well_written = false;
};

std::optional<AuditComment> audit_comment(std::string_view text) {
    constexpr std::string_view prefix = "audit";
    if (lower(text.substr(0, prefix.size())) != prefix) return std::nullopt;
    const std::size_t colon = text.find_first_not_of(" \t", prefix.size());
    if (colon == std::string_view::npos || text[colon] != ':') return std::nullopt;
    const std::size_t word = std::min(text.find_first_not_of(" \t", colon + 1), text.size());
    const std::size_t word_end = std::min(text.find_first_of(" \t", word), text.size());
    const bool well_written = text.starts_with("audit:") && word == prefix.size() + 1 && word < text.size();
    return AuditComment{text.substr(word, word_end - word), text.substr(word_end), well_written};
}

/// Reads `-- audit:NAME [ARG]`; nothing for another comment.
std::optional<Directive> read_directive(const Token& comment, bool on_line_of_its_own) {
    const std::optional<AuditComment> audit = audit_comment(comment_text(comment));
    if (!audit) return std::nullopt;
    const std::string near = closest(audit->word, directive_names());
    if (!on_line_of_its_own) {
        if (!audit->well_written || !is_directive_name(audit->word)) return std::nullopt;
        throw Mistake(comment.at, fmt::format("audit:{} stands behind something else", audit->word),
                      "A directive has a line of its own.");
    }
    if (!audit->well_written) {
        if (near.empty() && !audit->word.empty()) return std::nullopt;
        throw Mistake(
            comment.at, "a directive is not written so: " + std::string{comment.text},
            fmt::format("Write `-- audit:{}`, in small letters and without blanks around the colon.",
                        near.empty() ? "pre" : near));
    }
    if (!is_directive_name(audit->word)) {
        throw Mistake(comment.at, fmt::format("unknown section \"audit:{}\"", audit->word),
                      near.empty() ? fmt::format("The sections are {}.", join(directive_names(), ", "))
                                   : fmt::format("did you mean audit:{}?", near));
    }
    const std::string_view argument = trim(audit->rest);
    const std::size_t argument_offset =
        argument.empty() ? 0 : static_cast<std::size_t>(argument.data() - comment.text.data());
    return Directive{std::string{audit->word}, std::string{argument}, comment.at,
                     position_after(comment.at, comment.text.substr(0, argument_offset))};
}

void check_argument(const Directive& directive) {
    const bool takes_one = directive.name == "watch" || directive.name == "step";
    if (takes_one && directive.argument.empty()) {
        throw Mistake(
            directive.at,
            fmt::format("audit:{} names no {}", directive.name, directive.name == "watch" ? "table" : "step"),
            directive.name == "watch" ? "Write `-- audit:watch TABLE`." : "Write `-- audit:step NAME`.");
    }
    if (!takes_one && !directive.argument.empty()) {
        throw Mistake(directive.argument_at, fmt::format("audit:{} takes nothing behind it", directive.name),
                      "A comment has a line of its own.");
    }
}

class OutlineReader {
public:
    explicit OutlineReader(std::string_view text) : m_text(text) {}

    Outline read(const std::vector<Token>& tokens) {
        for (const Token& token : tokens) take(token);
        if (m_outline.steps.empty()) {
            throw Mistake({1, 1}, "the definition has no section",
                          "Begin one with `-- audit:pre`, `-- audit:change`, or `-- audit:verify`.");
        }
        check_step_is_complete();
        return std::move(m_outline);
    }

private:
    void take(const Token& token) {
        if (token.kind == TokenKind::meta_command) {
            throw Mistake(token.at, "psql commands are not supported: " + std::string{trim(token.text)},
                          "A definition is plain SQL with comment directives.");
        }
        if (token.kind == TokenKind::line_comment) {
            const bool alone = begins_line(m_text, token.offset);
            if (const auto directive = read_directive(token, alone)) return take(*directive);
            if (alone && take_header_line(token)) return;
        }
        if (section() != nullptr) {
            section()->tokens.push_back(token);
        } else if (!token.is_comment()) {
            throw Mistake(token.at,
                          m_outline.steps.empty() ? "SQL before the first section"
                                                  : "SQL before the first section of the step",
                          "Begin a section with `-- audit:pre` or the like.");
        }
    }

    /// The section that is open, or nullptr in the header of the file or a step.
    Section* section() {
        if (m_outline.steps.empty() || m_outline.steps.back().sections.empty()) return nullptr;
        return &m_outline.steps.back().sections.back();
    }

    bool take_header_line(const Token& comment) {
        Section* const open = section();
        if (open != nullptr && has_sql(*open)) return false;
        if (open != nullptr && open->kind != SectionKind::watch) {
            if (!sets_header_key(comment)) return false;
            throw Mistake(
                comment.at, "header keys stand before the first section",
                fmt::format(
                    "Move this line above the sections, or begin the comment otherwise; {} is under way.",
                    section_name(open->kind)));
        }
        std::optional<HeaderLine> line = read_header_line(comment);
        if (!line) return false;
        auto& header = open != nullptr           ? open->header
                       : m_outline.steps.empty() ? m_outline.header
                                                 : m_outline.steps.back().header;
        header.push_back(std::move(*line));
        return true;
    }

    static bool has_sql(const Section& section) {
        return std::any_of(section.tokens.begin(), section.tokens.end(),
                           [](const Token& token) { return !token.is_comment(); });
    }

    void take(const Directive& directive) {
        check_argument(directive);
        if (directive.name == "step") return open_step(directive);
        if (m_outline.steps.empty()) m_outline.steps.push_back({"", directive.at, {}, {}});
        const auto name = std::find(section_names.begin(), section_names.end(), directive.name);
        const auto kind = static_cast<SectionKind>(name - section_names.begin());
        std::vector<Section>& sections = m_outline.steps.back().sections;
        const auto earlier = std::find_if(sections.begin(), sections.end(),
                                          [kind](const Section& other) { return other.kind == kind; });
        if (kind != SectionKind::watch && earlier != sections.end()) {
            throw Mistake(directive.at, fmt::format("a second {} in one step", section_name(kind)),
                          fmt::format("The first one stands in line {}.", earlier->at.line));
        }
        sections.push_back({kind, directive.argument, directive.at, directive.argument_at, {}, {}});
    }

    void open_step(const Directive& directive) {
        if (!m_outline.steps.empty() && m_outline.steps.front().name.empty()) {
            const Section& early = m_outline.steps.front().sections.front();
            throw Mistake(early.at,
                          fmt::format("{} stands before the first audit:step", section_name(early.kind)),
                          "In a file with steps every section belongs to one; move it below an audit:step.");
        }
        check_step_is_complete();
        check_step_name(directive);
        m_outline.steps.push_back({directive.argument, directive.at, {}, {}});
    }

    void check_step_name(const Directive& directive) const {
        const std::string& name = directive.argument;
        if (!is_label(name)) {
            throw Mistake(directive.argument_at, fmt::format("\"{}\" is no name of a step", name),
                          "It is one word of letters, digits, - and _.");
        }
        for (const StepOutline& step : m_outline.steps) {
            if (step.name != name) continue;
            throw Mistake(directive.argument_at, fmt::format("a second step of the name {}", name),
                          fmt::format("The first one stands in line {}.", step.at.line));
        }
    }

    void check_step_is_complete() const {
        if (m_outline.steps.empty() || !m_outline.steps.back().sections.empty()) return;
        throw Mistake(m_outline.steps.back().at,
                      fmt::format("step {} has no section", m_outline.steps.back().name),
                      "Add `-- audit:pre` and `-- audit:change` below it.");
    }

    std::string_view m_text;
    Outline m_outline;
};

}  // namespace

std::string section_name(SectionKind kind) {
    return fmt::format("audit:{}", section_names.at(static_cast<std::size_t>(kind)));
}

Outline read_outline(const std::vector<Token>& tokens, std::string_view text) {
    return OutlineReader(text).read(tokens);
}

}  // namespace datachange
