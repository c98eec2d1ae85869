#include "report/summary_grid.hpp"

#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace datachange {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_rows = 20;

std::string cell(const Json& value) {
    if (value.is_null()) return "";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

SummaryGrid by_column(const Json& before, const Json& after) {
    SummaryGrid grid{{"summary", "before", "after"}, {}, 0};
    for (const auto& [name, value] : before.front().items()) {
        grid.rows.push_back(
            {name, cell(value), after.empty() ? "" : cell(after.front().value(name, Json()))});
    }
    return grid;
}

SummaryGrid by_label(const Json& before, const Json& after) {
    std::map<std::string, std::pair<Json, Json>> rows;
    std::vector<std::string> columns;
    const auto take = [&](const Json& summary, Json std::pair<Json, Json>::*moment) {
        for (const Json& row : summary) {
            if (row.empty()) continue;
            rows[cell(row.front())].*moment = row;
            if (columns.empty()) {
                for (const auto& [name, value] : row.items()) columns.push_back(name);
            }
        }
    };
    take(before, &std::pair<Json, Json>::first);
    take(after, &std::pair<Json, Json>::second);
    SummaryGrid grid{{columns.empty() ? "summary" : columns.front()}, {}, 0};
    for (std::size_t i = 1; i < columns.size(); ++i) {
        for (const char* moment : {" before", " after"}) grid.header.push_back(columns[i] + moment);
    }
    for (const auto& [label, row] : rows) {
        if (grid.rows.size() == most_rows) break;
        std::vector<std::string> cells{label};
        for (std::size_t i = 1; i < columns.size(); ++i) {
            for (const Json& moment : {row.first, row.second}) {
                cells.push_back(moment.is_null() ? "" : cell(moment.value(columns[i], Json())));
            }
        }
        grid.rows.push_back(std::move(cells));
    }
    grid.left_out = rows.size() - grid.rows.size();
    return grid;
}

}  // namespace

SummaryGrid summary_grid(const std::string& before, const std::string& after) {
    if (before.empty()) return {};
    const Json first = Json::parse(before);
    const Json second = after.empty() ? Json::array() : Json::parse(after);
    const bool one_row = first.size() == 1 && second.size() <= 1;
    return one_row ? by_column(first, second) : by_label(first, second);
}

}  // namespace datachange
