#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace datachange {

/// An option, flag or positional argument as it is declared.
struct OptionText {
    std::vector<std::string> names;  ///< "-d", "--database", the short ones first; empty: positional
    std::string word;                ///< "database": the long name without dashes, or that of the positional
    std::string value;               ///< "FILE"; "": a flag
    std::vector<std::string> choices;  ///< all values that it takes, where they are fixed
    std::string description;
    std::string group;
    bool required = false;
    bool repeated = false;  ///< may be given several times

    bool positional() const { return names.empty(); }
};

/// A command with all beneath it, as it is declared; what is hidden from --help is not there.
struct CommandText {
    std::vector<std::string> words;  ///< "datachange", "ledger", "merge"
    std::string description;
    std::string footer;
    std::vector<OptionText> options;
    std::vector<CommandText> commands;

    const CommandText* command(const std::string& word) const;  ///< nullptr: there is none
    const OptionText* option(const std::string& name) const;    ///< by "-d" or "--database"
    const OptionText* positional(std::size_t place) const;      ///< the last one where it may be repeated
};

/// Reads back what was declared; manual and completions are made from it.
CommandText command_text(const CLI::App& app);

}  // namespace datachange
