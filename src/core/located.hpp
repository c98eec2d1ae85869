#pragma once

#include <string>

#include "datachange/error.hpp"

namespace datachange {

/// "path:line:column", or the path alone where there is no place in it.
inline std::string place_text(const std::string& path, const SourcePosition& at) {
    if (at.line == 0) return path;
    return path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

/// Does some work for a statement of a definition; an error that comes without a place gets the statement's.
template <typename Work>
auto located(const std::string& path, const SourcePosition& at, Work&& work) {
    try {
        return work();
    } catch (Error& error) {
        error.at(place_text(path, at));
        throw;
    }
}

}  // namespace datachange
