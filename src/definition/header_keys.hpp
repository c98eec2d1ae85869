#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "definition/header.hpp"

namespace datachange {

/// What one header line sets: of the file, and of a step (in the file's header: of the defaults of all).
struct HeaderSettings {
    Definition* file;
    Step& step;
    Engine engine;
};

/// A key that a header may hold.
struct HeaderKey {
    enum class Level { file, step };

    const char* name;
    Level level;  ///< step: a file's header gives the default for its steps
    /// @throws Mistake for a value that the key does not take. `file` must be there for keys of the file.
    void (*apply)(const HeaderLine& line, const HeaderSettings& settings);
};

/// nullptr if there is no such key.
const HeaderKey* find_header_key(std::string_view name);

std::vector<std::string> header_key_names();

}  // namespace datachange
