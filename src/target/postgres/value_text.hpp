#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace datachange::postgres {

/// A timestamp with time zone as PostgreSQL writes it with DateStyle ISO, in UTC: "2026-01-01 23:30:00.5+01"
/// is "2026-01-01 22:30:00.5+00". Digits of the fraction stay; BC, years above 9999 and "infinity" are right.
/// Text that is none (another DateStyle) stays as it is.
std::string utc_timestamp(std::string_view text);

/// A bytea in hexadecimal, "\x00ff", whatever bytea_output is.
std::string hex_bytea(std::string_view text);

/// What becomes of a single value inside a composed one.
using TextChange = std::function<std::string(std::string_view)>;

/// An array in output form with every element changed, at any depth; NULL stays.
std::string change_array(std::string_view text, const TextChange& change);
/// A range with its bounds changed.
std::string change_range(std::string_view text, const TextChange& change);
/// A multirange with every one of its ranges changed.
std::string change_multirange(std::string_view text, const TextChange& change_one_range);

/// Appends a text as an element of an array literal: always quoted, so that NULL, "" and braces are just
/// text.
void append_array_element(std::string& literal, std::string_view element);

}  // namespace datachange::postgres
