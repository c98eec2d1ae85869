#pragma once

#include <string_view>

#include "definition/definition.hpp"
#include "definition/outline.hpp"

namespace datachange {

/// Reads the SQL of a step's sections into the step, whose header has been applied.
/// @param text the whole file.
/// @throws Mistake for statements and macros that have no place in their section.
void read_sections(const StepOutline& outline, std::string_view text, Engine engine, Step& step);

/// @throws Mistake for a step that lacks something, or whose parts do not fit each other.
void check_step(const StepOutline& outline, Engine engine, const Step& step);

}  // namespace datachange
