#pragma once

#include <string>
#include <vector>

#include "datachange/run.hpp"

namespace datachange::test {

using Strings = std::vector<std::string>;

std::string one_of(const Strings& choices);
/// True in one case of four.
bool sometimes();

/// A table t with the key id, and what else it has.
struct RandomTable {
    Strings columns;  ///< besides id
    Strings types;
};

/// Statements that make the table with a few rows, and a table `log`.
Strings create(Engine engine, RandomTable& table);
/// A trigger that does something beside, or changes the row in hand, or nothing at all.
Strings trigger(Engine engine);
/// A condition on rows of t.
std::string some_rows();
/// An UPDATE, DELETE or INSERT with RETURNING.
/// @param condition added to that of an UPDATE or DELETE: " AND ..."
std::string change(Engine engine, const RandomTable& table, const std::string& condition = {});

}  // namespace datachange::test
