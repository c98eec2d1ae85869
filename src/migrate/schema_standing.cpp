#include "migrate/schema_standing.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "migrate/schema_state.hpp"

namespace datachange {

namespace {

[[noreturn]] void refuse_edited(const SchemaFile& file, const SchemaRow& row, const std::string& what,
                                const std::string& hint) {
    throw Error(ExitCode::failed,
                fmt::format("schema migration {} {}: then SHA-256 {}, now {}", file.version, what, row.sha256,
                            file.sha256),
                hint + " Nothing was changed.")
        .at(file.path);
}

void require_same_text(const SchemaFile& file, const SchemaRow& row, const std::string& state) {
    if (state == "edited") {
        refuse_edited(file, row, "was applied with another text",
                      "Put the file back as it was, and make the new change in a new file.");
    }
    if (state == "pending" || row.statements_done == 0 || row.sha256 == file.sha256) return;
    refuse_edited(
        file, row,
        fmt::format("was edited after {} of it had been executed", counted(row.statements_done, "statement")),
        fmt::format(
            "Put the file back as it was, and it goes on. If a statement of it is itself wrong, do by hand "
            "what is left, say so with `datachange mark {} done --reason ...`, and make further changes in a "
            "new file.",
            file.version));
}

}  // namespace

SchemaStanding standing_of(Target& target, const SchemaFile& file, const SchemaAttempt& attempt) {
    SchemaStanding standing;
    standing.row = SchemaJournal(target).row(file.version);
    const std::vector<Mark> marks = Marks(target).all();
    if (!standing.row && marks.empty()) return standing;
    const SchemaRow* const row = standing.row ? &*standing.row : nullptr;
    standing.ours = row != nullptr && row->attempt_uuid == attempt.uuid && row->state == "done";
    const VersionState now = schema_state(target, &file, row, marks);
    standing.to_do = !standing.ours && now.pending();
    standing.by = now.operator_name;
    if (standing.ours || now.state == "marked" || row == nullptr) return standing;
    require_same_text(file, *row, now.state);
    if (now.state == "processing") {
        throw Error(ExitCode::pending,
                    fmt::format("schema migration {} is being applied by {} since {}", file.version,
                                row->owner(), row->started_at),
                    "Wait for the other. Nothing was changed.");
    }
    if (now.state != "pending") standing.done = static_cast<std::size_t>(row->statements_done);
    standing.interrupted = now.state == "stalled";
    return standing;
}

}  // namespace datachange
