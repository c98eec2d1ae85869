#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/value.hpp"
#include "report/streamed_table.hpp"

namespace datachange {

/// Writes the rows of a result, each as it comes (a table: a page at a time).
class QueryOutput {
public:
    virtual ~QueryOutput() = default;
    virtual void row(const std::vector<ValueView>& values) = 0;
    /// Behind the last row.
    virtual void end() = 0;
};

/// @param format table | csv | json | ndjson | markdown
/// @throws Error (usage) if JSON objects would lose a column, since two have the same name
std::unique_ptr<QueryOutput> make_query_output(const std::string& format, std::vector<std::string> columns,
                                               const TableStyle& style, Write write);

}  // namespace datachange
