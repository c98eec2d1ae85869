#pragma once

#include <functional>
#include <string>

#include "core/sql_template.hpp"
#include "target/target.hpp"

namespace datachange {

/// How a driver writes what stands in place of the macros.
struct MacroWriter {
    /// The SQL of one bound value of a range, by column of the key, with its cast.
    std::function<std::string(const Value& value, std::size_t column)> bound;
    /// The SQL condition that is true for the affected keys, which are there and not empty.
    std::function<std::string(const std::vector<std::string>& arguments)> affected;
    /// Writes a comparison of a range as the engine's planner needs it. @param alone the range has one bound
    std::function<std::string(const std::string& comparison, bool alone)> comparison;
};

/// The statement with its macros written out; each in parentheses of its own.
/// @throws Error (usage) without a place if a macro names another number of columns than the key has.
std::string write_macros(const SqlTemplate& sql, const Scope& scope, const MacroWriter& writer);

/// "(a, b)" for several, "(a)" for one: which both engines read as the bare column, so that its index is
/// used.
std::string row_of(const std::vector<std::string>& expressions);

}  // namespace datachange
