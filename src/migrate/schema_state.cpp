#include "migrate/schema_state.hpp"

#include <algorithm>
#include <map>

#include "run/owner.hpp"

namespace datachange {

namespace {

/// The newest mark, unless the schema migration was applied after it.
const Mark* deciding_schema_mark(const std::string& version, const SchemaRow* row,
                                 const std::vector<Mark>& marks) {
    const Mark* newest = nullptr;
    for (const Mark& mark : marks) {
        if (mark.version == version) newest = &mark;
    }
    const bool holds = newest != nullptr && newest->after_run == (row != nullptr ? row->attempt_uuid : "");
    return holds ? newest : nullptr;
}

}  // namespace

VersionState schema_state(Target& target, const SchemaFile* file, const SchemaRow* row,
                          const std::vector<Mark>& marks) {
    VersionState state;
    state.kind = "schema";
    state.version = file != nullptr ? file->version : row->version;
    state.name = file != nullptr ? file->name : row->name;
    state.path = file != nullptr ? file->path : "";
    if (row != nullptr) {
        state.state = row->state == "processing" && stalled(row->as_run(), target) ? "stalled" : row->state;
        if (row->state == "done" && file != nullptr && row->sha256 != file->sha256) state.state = "edited";
        state.operator_name = row->applied_by;
        state.finished_at = row->finished_at;
        state.runs = 1;
    }
    if (const Mark* mark = deciding_schema_mark(state.version, row, marks)) {
        state.state = mark->state == "done" ? "marked" : "pending";
        state.operator_name = mark->marked_by;
        state.finished_at = mark->marked_at;
        state.reason = mark->reason;
        state.origin = mark->origin;
    }
    return state;
}

std::vector<VersionState> schema_states(Target& target, const std::vector<SchemaFile>& files,
                                        const std::vector<Mark>& marks) {
    const std::vector<SchemaRow> rows = SchemaJournal(target).rows();
    std::map<std::string, std::pair<const SchemaFile*, const SchemaRow*>> versions;
    for (const SchemaFile& file : files) versions[file.version].first = &file;
    for (const SchemaRow& row : rows) versions[row.version].second = &row;
    std::vector<VersionState> states;
    for (const auto& [version, known] : versions)
        states.push_back(schema_state(target, known.first, known.second, marks));
    return states;
}

std::vector<VersionState> in_one_order(std::vector<VersionState> data,
                                       const std::vector<VersionState>& schema, bool with_schema) {
    const auto is_schema = [&](const VersionState& state) {
        return state.path.empty() && state.runs == 0 &&
               std::any_of(schema.begin(), schema.end(),
                           [&](const VersionState& other) { return other.version == state.version; });
    };
    std::erase_if(data, is_schema);
    if (with_schema) data.insert(data.end(), schema.begin(), schema.end());
    std::stable_sort(data.begin(), data.end(),
                     [](const VersionState& a, const VersionState& b) { return a.version < b.version; });
    return data;
}

}  // namespace datachange
