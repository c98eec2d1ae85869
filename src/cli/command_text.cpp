#include "cli/command_text.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace datachange {

namespace {

/// CLI11 tells type and checks as one text: "STYLE:{auto,bar}", "ROWS:POSITIVE"; a set of pairs as
/// "{a->1,b->2}".
void read_type(const std::string& type, OptionText& option) {
    option.value = type.substr(0, type.find(':'));
    const std::size_t set = type.find(":{");
    if (set == std::string::npos) return;
    const std::size_t begin = set + 2;
    for (const std::string& choice : split(type.substr(begin, type.find('}', begin) - begin), ','))
        option.choices.push_back(choice.substr(0, choice.find("->")));
}

OptionText option_text(const CLI::Option& declared) {
    OptionText option;
    for (const std::string& name : declared.get_snames()) option.names.push_back("-" + name);
    for (const std::string& name : declared.get_lnames()) option.names.push_back("--" + name);
    const bool positional = declared.get_positional();
    option.word = positional ? declared.get_name(true)
                             : option.names.back().substr(option.names.back().find_first_not_of('-'));
    if (declared.get_items_expected_max() > 0) read_type(declared.get_type_name(), option);
    option.description = declared.get_description();
    option.group = declared.get_group();
    option.required = declared.get_required();
    option.repeated = declared.get_items_expected_max() > 1;
    return option;
}

CommandText read_command(const CLI::App& app, std::vector<std::string> words) {
    CommandText command;
    words.push_back(app.get_name());
    command.words = words;
    command.description = app.get_description();
    command.footer = app.get_footer();
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_group().empty()) command.options.push_back(option_text(*option));
    }
    for (const CLI::App* beneath : app.get_subcommands({})) {
        if (!beneath->get_group().empty()) command.commands.push_back(read_command(*beneath, words));
    }
    return command;
}

}  // namespace

const CommandText* CommandText::command(const std::string& word) const {
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CommandText& beneath) { return beneath.words.back() == word; });
    return found == commands.end() ? nullptr : &*found;
}

const OptionText* CommandText::option(const std::string& name) const {
    const auto found = std::find_if(options.begin(), options.end(), [&](const OptionText& option) {
        return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
    });
    return found == options.end() ? nullptr : &*found;
}

const OptionText* CommandText::positional(std::size_t place) const {
    const OptionText* last = nullptr;
    for (const OptionText& option : options) {
        if (!option.positional()) continue;
        if (place-- == 0) return &option;
        last = &option;
    }
    return last != nullptr && last->repeated ? last : nullptr;
}

CommandText command_text(const CLI::App& app) {
    return read_command(app, {});
}

}  // namespace datachange
