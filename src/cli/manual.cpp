#include "cli/manual.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/config_keys.hpp"
#include "cli/mdoc.hpp"
#include "cli/settings.hpp"
#include "core/text.hpp"
#include "datachange/version.hpp"

namespace datachange {

namespace {

constexpr const char* config_name = "datachange.toml";

/// What is looked at in the environment and is no setting of the tool.
struct Variable {
    const char* name;
    const char* option;  ///< the commands that have it look at the variable
    const char* meaning;
};
constexpr std::array variables{
    Variable{"DATACHANGE_GROUP", "target",
             "The group that the target is in, where the table of the target in datachange.toml says none"},
    Variable{"DATACHANGE_REDACT_KEY", "database",
             "The key of the digests that `redact:` keeps in place of values, 16 bytes or more"},
    Variable{"PGHOST", "database",
             "With PGDATABASE, PGSERVICE and the other variables of libpq: the target, where none is named"},
    Variable{"PGPASSWORD", "database",
             "The password; it is never printed or stored. ~/.pgpass is read as well"},
    Variable{"NO_COLOR", "progress", "No colours, whatever its value"},
    Variable{"TERM", "progress", "dumb: lines in place of a progress bar"},
    Variable{"TMPDIR", "progress", "Folder of the temporary files that large sets wait in"},
};

std::string page_name(const CommandText& command) {
    return join(command.words, "-");
}

std::string default_of(const OptionText& option) {
    constexpr std::string_view mark = "(default ";
    const std::size_t begin = option.description.find(mark);
    if (begin == std::string::npos) return {};
    const std::size_t end = option.description.find_first_of(" ;,)", begin + mark.size());
    return option.description.substr(begin + mark.size(), end - begin - mark.size());
}

void write_name(Mdoc& page, const std::string& name, const std::string& description) {
    page.section("NAME");
    page.line("Nm " + name);
    page.line("Nd " +
              Mdoc::escaped(std::string{description.substr(0, description.find_last_not_of('.') + 1)}));
}

void write_synopsis(Mdoc& page, const CommandText& command) {
    page.section("SYNOPSIS");
    const std::vector<std::string> words(command.words.begin() + 1, command.words.end());
    page.line("Nm datachange" + (words.empty() ? "" : " Cm " + Mdoc::escaped(join(words, " "))));
    if (!command.commands.empty()) page.line("Ar command");
    page.line("Op Ar option ...");
    for (const OptionText& option : command.options) {
        const std::string many = option.repeated ? " ..." : "";
        if (option.positional())
            page.line((option.required ? "Ar " : "Op Ar ") + Mdoc::escaped(option.word) + many);
        else if (option.required)
            page.line(fmt::format("Fl \\-{} Ar {}", Mdoc::escaped(option.word), Mdoc::escaped(option.value)) +
                      many);
    }
}

/// What follows from the declaration and need not stand in the description.
std::string remarks(const OptionText& option) {
    std::string text;
    const bool told = std::all_of(
        option.choices.begin(), option.choices.end(),
        [&](const std::string& choice) { return option.description.find(choice) != std::string::npos; });
    if (!told) text += " One of " + join(option.choices, ", ") + ".";
    if (option.required && !option.positional()) text += " Required.";
    if (option.repeated) text += " May be given several times.";
    return text;
}

void write_option(Mdoc& page, const OptionText& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back("Fl " + Mdoc::escaped(name.substr(1)));
    std::string item = option.positional() ? "Ar " + Mdoc::escaped(option.word) : join(names, " , ");
    if (!option.positional() && !option.value.empty()) item += " Ar " + Mdoc::escaped(option.value);
    page.line("It " + item);
    const std::string description = option.description;
    page.sentences(description + (description.ends_with('.') ? "" : ".") + remarks(option));
}

void write_options(Mdoc& page, const CommandText& command) {
    std::vector<std::string> groups;
    for (const OptionText& option : command.options) {
        const std::string group = option.positional() ? "Arguments" : option.group;
        if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    }
    std::stable_partition(groups.begin(), groups.end(),
                          [](const std::string& group) { return group == "Arguments"; });
    for (const std::string& group : groups) {
        page.subsection(group);
        page.line("Bl -tag -width Ds");
        for (const OptionText& option : command.options) {
            if ((option.positional() ? "Arguments" : option.group) == group) write_option(page, option);
        }
        page.line("El");
    }
}

void write_commands(Mdoc& page, const CommandText& command) {
    if (command.commands.empty()) return;
    page.subsection("Commands");
    page.line("Bl -tag -width Ds");
    for (const CommandText& beneath : command.commands) {
        page.line("It Xr " + page_name(beneath) + " 1");
        page.sentences(beneath.description);
    }
    page.line("El");
}

/// The options of all commands at and beneath this one, each setting once.
void collect_options(const CommandText& command, std::vector<OptionText>& options) {
    for (const OptionText& option : command.options) {
        const bool known = std::any_of(options.begin(), options.end(),
                                       [&](const OptionText& other) { return other.word == option.word; });
        if (!known && !option.positional()) options.push_back(option);
    }
    for (const CommandText& beneath : command.commands) collect_options(beneath, options);
}

const OptionText* find_option(const std::vector<OptionText>& options, const std::string& word) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const OptionText& option) { return option.word == word; });
    return found == options.end() ? nullptr : &*found;
}

void write_environment(Mdoc& page, const std::vector<OptionText>& options) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const SettingSource& source : setting_sources) {
        if (find_option(options, source.key) != nullptr && !source.variable.empty())
            entries.emplace_back(source.variable,
                                 fmt::format("As the option --{}, which wins over it", source.key));
    }
    for (const Variable& variable : variables) {
        if (find_option(options, variable.option) != nullptr)
            entries.emplace_back(variable.name, variable.meaning);
    }
    if (entries.empty()) return;
    page.section("ENVIRONMENT");
    page.line("Bl -tag -width Ds");
    for (const auto& [name, meaning] : entries) {
        page.line("It Ev " + name);
        page.sentences(meaning);
    }
    page.line("El");
}

void write_files(Mdoc& page, const std::vector<OptionText>& options) {
    if (find_option(options, "config") == nullptr) return;
    page.section("FILES");
    page.line("Bl -tag -width Ds");
    page.line("It Pa .env");
    page.sentences("Lines NAME=value: variables of the environment that are not set there");
    for (const OptionText& option : options) {
        const std::string path = default_of(option);
        if (path.empty() || (option.value != "FILE" && option.value != "DIR")) continue;
        page.line("It Pa " + Mdoc::escaped(path));
        page.sentences(option.description.substr(0, option.description.find(" (default ")) + "; --" +
                       option.word + " names another");
    }
    page.line("El");
}

void write_exit_status(Mdoc& page) {
    page.section("EXIT STATUS");
    page.line("Bl -tag -width Ds");
    for (const ExitStatus& status : exit_statuses) {
        page.line(fmt::format("It {}", status.number));
        page.sentences(status.meaning);
    }
    page.line("El");
}

/// The example that --help shows, or those of all commands beneath.
std::string examples(const CommandText& command) {
    constexpr std::string_view mark = "Example:\n";
    std::string lines;
    if (command.footer.starts_with(mark)) {
        for (const std::string& line : split(command.footer.substr(mark.size()), '\n'))
            lines += line.substr(std::min(line.find_first_not_of(' '), std::size_t{2})) + "\n";
    }
    for (const CommandText& beneath : command.commands) lines += examples(beneath) + "\n";
    return std::string{trim(lines)};
}

void write_examples(Mdoc& page, const CommandText& command) {
    const std::string lines = examples(command);
    if (lines.empty()) return;
    page.section("EXAMPLES");
    page.example(lines);
}

/// @param pages by chapter and name
void write_see_also(Mdoc& page, const std::set<std::pair<int, std::string>>& pages) {
    page.section("SEE ALSO");
    std::size_t left = pages.size();
    for (const auto& [chapter, name] : pages)
        page.line(fmt::format("Xr {} {}{}", name, chapter, --left > 0 ? " ," : ""));
}

void write_command(const CommandText& command, const CommandText* parent, std::int64_t date,
                   std::vector<ManualPage>& pages) {
    const std::string name = page_name(command);
    std::vector<OptionText> options;
    collect_options(command, options);
    Mdoc page(name, 1, date, version());
    write_name(page, name, command.description);
    write_synopsis(page, command);
    page.section("DESCRIPTION");
    page.sentences(command.description);
    write_commands(page, command);
    write_options(page, command);
    write_environment(page, options);
    write_files(page, options);
    write_exit_status(page);
    write_examples(page, command);
    std::set<std::pair<int, std::string>> related{{5, config_name}};
    if (parent != nullptr) related.emplace(1, page_name(*parent));
    for (const CommandText& beneath : command.commands) related.emplace(1, page_name(beneath));
    write_see_also(page, related);
    pages.push_back({name, 1, page.text()});
    for (const CommandText& beneath : command.commands) write_command(beneath, &command, date, pages);
}

template <std::size_t count>
void write_keys(Mdoc& page, const std::array<ConfigKey, count>& keys) {
    for (const ConfigKey& key : keys) {
        page.line(fmt::format("It Ic {} Ns = Ns Ar {}", Mdoc::escaped(key.name), key.value));
        page.sentences(key.meaning);
    }
}

template <std::size_t count>
void write_table(Mdoc& page, const std::string& name, const std::string& meaning,
                 const std::array<ConfigKey, count>& keys) {
    page.subsection(name);
    page.sentences(meaning);
    page.line("Bl -tag -width Ds");
    write_keys(page, keys);
    page.line("El");
}

/// The keys that are options as well.
void write_settings(Mdoc& page, const std::vector<OptionText>& options) {
    for (const SettingSource& source : setting_sources) {
        const OptionText* option = find_option(options, source.key);
        if (option == nullptr) continue;
        page.line(fmt::format("It Ic {} Ns = Ns Ar {}", Mdoc::escaped(source.key), option->value));
        page.sentences(option->description + ".");
        if (source.variable.empty()) continue;
        page.line("Pp");
        page.sentences("In the environment: " + source.variable);
    }
}

void write_hooks(Mdoc& page) {
    write_table(
        page, "[hooks] commands that are called",
        "Commands for /bin/sh that are called when something becomes of a run, whichever command it is of; a "
        "dry run and a run that is refused before the ledger has it call none. They are called in order, "
        "beside "
        "the run, which does not wait for them until its end. One that fails, or takes too long and is "
        "killed "
        "with its process group, is a warning, and changes neither result nor exit status. What they print "
        "is "
        "dropped. A datachange that a hook calls has no hooks itself.",
        hook_keys);
    page.line("Pp");
    page.sentences(
        "They read a JSON object on stdin, with the names below in lower case without DATACHANGE_, and have "
        "the "
        "environment of datachange without DATABASE_URL, PGPASSWORD, DATACHANGE_REDACT_KEY and the variables "
        "of "
        "url-env, and with:");
    page.line("Bl -tag -width Ds");
    for (const ConfigKey& variable : hook_variables) {
        page.line(fmt::format("It Ev {}", variable.name));
        page.sentences(variable.meaning);
    }
    page.line("El");
}

ManualPage config_page(const CommandText& tool, std::int64_t date) {
    std::vector<OptionText> options;
    collect_options(tool, options);
    Mdoc page(config_name, 5, date, version());
    write_name(page, config_name, "settings of datachange");
    page.section("DESCRIPTION");
    page.sentences(
        "A TOML file in the folder where datachange is called, or the one that --config names. An unknown "
        "key is an error. What is given on the command line wins over the table of the chosen target, that "
        "over the "
        "environment, that over the file .env, and that over the other keys of this file.");
    page.line("Bl -tag -width Ds");
    write_settings(page, options);
    write_keys(page, plain_keys);
    page.line("El");
    write_table(
        page, "[target.NAME] databases by name",
        "A database that --target NAME chooses; a name has letters, digits, - and _. One of the first four "
        "keys is given.",
        target_keys);
    write_table(page, "[group.NAME] groups of them", "What holds for all targets of a group.", group_keys);
    write_hooks(page);
    write_files(page, options);
    page.section("EXAMPLES");
    page.example(config_example);
    write_see_also(page, {{1, page_name(tool)}});
    return {config_name, 5, page.text()};
}

}  // namespace

std::vector<ManualPage> manual(const CommandText& tool, std::int64_t date) {
    std::vector<ManualPage> pages;
    write_command(tool, nullptr, date, pages);
    pages.push_back(config_page(tool, date));
    return pages;
}

}  // namespace datachange
