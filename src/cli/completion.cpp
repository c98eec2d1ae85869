#include "cli/completion.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "cli/settings.hpp"
#include "core/text.hpp"
#include "definition/definition.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

namespace {

constexpr std::uint64_t offered_runs = 50;

/// The words before the cursor, understood.
struct Line {
    explicit Line(const CommandText& tool) : command(&tool) {}

    const CommandText* command;
    const OptionText* open = nullptr;          ///< the option whose value is to come
    std::size_t positionals = 0;               ///< that are given
    bool options_ended = false;                ///< by "--"
    std::map<std::string, std::string> given;  ///< values by the option's word
    std::set<const OptionText*> used;
};

bool is_option(const Line& line, const std::string& word) {
    return !line.options_ended && word.size() > 1 && word.front() == '-';
}

void read_option(Line& line, const std::string& word) {
    const std::size_t equals = word.find('=');
    const OptionText* option = line.command->option(word.substr(0, equals));
    if (option == nullptr) return;
    line.used.insert(option);
    if (option->value.empty()) return;
    if (equals == std::string::npos) {
        line.open = option;
    } else {
        line.given[option->word] = word.substr(equals + 1);
    }
}

void read_word(Line& line, const std::string& word) {
    if (line.open != nullptr) {
        line.given[line.open->word] = word;
        line.open = nullptr;
    } else if (!line.options_ended && word == "--") {
        line.options_ended = true;
    } else if (is_option(line, word)) {
        read_option(line, word);
    } else if (const CommandText* command = line.command->command(word)) {
        line.command = command;
    } else {
        ++line.positionals;
    }
}

/// A tab or line end in what is described would end it for the shell.
std::string candidate(const std::string& word, std::string description) {
    std::replace_if(
        description.begin(), description.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return description.empty() ? word + "\n" : word + "\t" + description + "\n";
}

Settings settings_of(const Line& line) {
    const auto value = [&](const char* word) {
        const auto found = line.given.find(word);
        return found == line.given.end() ? std::nullopt : std::optional<std::string>{found->second};
    };
    GivenSettings given;
    given.config = value("config");
    given.dir = value("dir");
    given.ledger = value("ledger");
    const Settings settings = resolve_settings(given);
    for (const TargetConfig& target : settings.config.targets) {
        if (value("target") == target.name) return settings.for_target_without_url(target);
    }
    return settings;
}

std::string targets(const Line& line) {
    std::string text;
    for (const TargetConfig& target : settings_of(line).config.targets)
        text += candidate(target.name, target.group);
    return text;
}

std::string versions(const Line& line) {
    std::string text;
    for (const DefinitionFile& file : list_definitions(settings_of(line).dir))
        text += candidate(file.version, file.name);
    return text;
}

/// By name and by version; and by path, where the word is the beginning of one.
std::string definitions(const Line& line, const std::string& word) {
    if (word.find('/') != std::string::npos) return ":files\n";
    std::string text;
    for (const DefinitionFile& file : list_definitions(settings_of(line).dir))
        text += candidate(file.name, file.version);
    return text + versions(line);
}

std::string runs(const Line& line) {
    std::string text;
    for (const LedgerRun& run : LedgerReader(settings_of(line).ledger).runs({}, offered_runs)) {
        text += candidate(std::to_string(run.run),
                          join({run.name, run.dry_run ? "dry run" : run.state, run.started_at}, ", "));
    }
    return text;
}

std::string groups(const Line& line) {
    std::set<std::string> names;
    for (const TargetConfig& target : settings_of(line).config.targets) names.insert(target.group);
    std::string text;
    for (const std::string& name : names) text += name.empty() ? "" : candidate(name, "");
    return text;
}

/// What stands for itself by its declared type, or else by its name: a new command's RUN is known as one.
std::string values(const Line& line, const OptionText& option, const std::string& word) {
    if (!option.choices.empty()) {
        std::string text;
        for (const std::string& choice : option.choices) text += candidate(choice, "");
        return text;
    }
    const auto is = [&](const std::set<std::string>& kinds) {
        return kinds.contains(lower(option.value)) || kinds.contains(option.word);
    };
    if (is({"file", "files", "path", "url"})) return ":files\n";
    if (is({"dir", "folder"})) return ":folders\n";
    if (is({"definition", "definitions"})) return definitions(line, word);
    if (is({"run", "runs"})) return runs(line);
    if (is({"version"})) return versions(line);
    if (is({"target", "targets"})) return targets(line);
    if (is({"group"})) return groups(line);
    return {};
}

std::string options(const Line& line) {
    std::string text;
    for (const OptionText& option : line.command->options) {
        const bool again = option.repeated || !line.used.contains(&option);
        if (!option.positional() && again) text += candidate(option.names.back(), option.description);
    }
    return text;
}

/// "--progress=ba": the value, with the option before it.
std::string values_after_equals(const Line& line, const std::string& word) {
    const std::size_t equals = word.find('=');
    const OptionText* option = line.command->option(word.substr(0, equals));
    if (option == nullptr || option->value.empty()) return {};
    std::string text;
    for (const std::string& value : split(values(line, *option, word.substr(equals + 1)), '\n')) {
        if (!value.empty())
            text += (value.front() == ':' ? value : word.substr(0, equals + 1) + value) + "\n";
    }
    return text;
}

std::string candidates(const Line& line, const std::string& word) {
    if (line.open != nullptr) return values(line, *line.open, word);
    if (is_option(line, word) && word.find('=') != std::string::npos) return values_after_equals(line, word);
    if (!line.options_ended && word.starts_with('-')) return options(line);
    std::string text;
    for (const CommandText& command : line.command->commands)
        text += candidate(command.words.back(), command.description);
    if (const OptionText* positional = line.command->positional(line.positionals))
        return text + values(line, *positional, word);
    return text.empty() ? options(line) : text;
}

}  // namespace

std::string completions(const CommandText& tool, const std::vector<std::string>& words) try {
    if (words.empty()) return {};
    Line line(tool);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) read_word(line, words[i]);
    return candidates(line, words.back());
} catch (const std::exception&) {
    return {};  // a message would stand in the middle of the user's line
}

}  // namespace datachange
