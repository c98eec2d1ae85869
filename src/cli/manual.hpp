#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command_text.hpp"

namespace datachange {

/// A page of the manual.
struct ManualPage {
    std::string name;  ///< "datachange-run"
    int chapter = 1;
    std::string text;  ///< mdoc

    std::string file() const { return name + "." + std::to_string(chapter); }
};

/// datachange(1), one page for each command, and datachange.toml(5), made from what the commands declare.
/// @param date that the pages carry, in seconds since 1970
std::vector<ManualPage> manual(const CommandText& tool, std::int64_t date);

}  // namespace datachange
