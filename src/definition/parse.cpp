#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/value.hpp"
#include "definition/definition.hpp"
#include "definition/outline.hpp"
#include "definition/sections.hpp"

namespace datachange {

namespace {

/// The first place that no engine would take: a NUL byte, or bytes that are not UTF-8.
void check_bytes(std::string_view text) {
    SourcePosition line{1, 1};
    while (!text.empty()) {
        const std::string_view content = text.substr(0, text.find('\n'));
        if (!is_plain_text(content)) {
            throw Mistake(line, "this line is not UTF-8 text", "Save the file in UTF-8, without NUL bytes.");
        }
        text.remove_prefix(std::min(content.size() + 1, text.size()));
        ++line.line;
    }
}

void parse_into(Definition& definition) {
    const std::string_view text = definition.text;
    check_bytes(text);
    const Outline outline = read_outline(lex(text, definition.engine), text);
    Step defaults;
    apply_file_header(outline.header, definition, defaults);
    for (const StepOutline& step_outline : outline.steps) {
        Step step = defaults;
        step.number = static_cast<int>(definition.steps.size()) + 1;
        step.name = step_outline.name;
        step.at = step_outline.at;
        apply_step_header(step_outline.header, definition.engine, step);
        read_sections(step_outline, text, definition.engine, step);
        check_step(step_outline, definition.engine, step);
        definition.steps.push_back(std::move(step));
    }
}

}  // namespace

std::vector<std::string> targets_of(const std::string& text, Engine engine) {
    Definition definition;
    definition.engine = engine;
    try {
        const Outline outline = read_outline(lex(text, engine), text);
        Step defaults;
        apply_file_header(outline.header, definition, defaults);
        return definition.targets;
    } catch (const Mistake&) {
        return {};
    }
}

Definition parse_definition(const DefinitionFile& file, std::string text, Engine engine) {
    Definition definition;
    definition.path = file.path;
    definition.version = file.version;
    definition.name = file.name;
    definition.sha256 = sha256(text);
    definition.text = std::move(text);
    definition.engine = engine;
    try {
        parse_into(definition);
    } catch (Mistake& mistake) {
        mistake.at(fmt::format("{}:{}:{}", file.path, mistake.position().line, mistake.position().column));
        throw;
    }
    return definition;
}

}  // namespace datachange
