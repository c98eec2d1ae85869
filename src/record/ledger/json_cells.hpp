#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace datachange {

/// The elements of a JSON array as they stand in its text, without decoding or copying them: "[1,\"a\",[2]]"
/// gives 1, "a" (with quotes) and [2]. The text is one that the ledger stored: no white space between
/// elements.
/// @param cells is emptied first; its elements live as long as the text.
/// @throws std::invalid_argument if the text is no array.
void split_json_array(std::string_view json, std::vector<std::string_view>& cells);

/// The names, with their quotes, and values of a JSON object, in the same way: {"a":1,"b":[2]} gives "a" and
/// 1, "b" and [2]. @throws std::invalid_argument if the text is no object
void split_json_object(std::string_view json,
                       std::vector<std::pair<std::string_view, std::string_view>>& fields);

}  // namespace datachange
