#include "record/csv/conflicts_csv.hpp"

#include <array>
#include <string_view>

#include "record/csv/csv_value.hpp"

namespace datachange {

namespace {

/// A line of conflicts.csv, from columns 1 to 5 of a query.
void write_conflict(SQLite::Statement& query, CsvFile& file) {
    std::array<std::string, 5> texts, memory;
    std::array<std::string_view, 5> fields;
    for (int i = 0; i < 5; ++i) {
        const auto place = static_cast<std::size_t>(i);
        texts[place] = query.getColumn(i + 1).getString();
        const bool missing = texts[place].empty();
        fields[place] = i < 2     ? csv_text(texts[place], memory[place])
                        : missing ? std::string_view{}
                                  : csv_value(texts[place], memory[place]);
    }
    file.write_line(fields);
}

}  // namespace

std::map<int, std::unique_ptr<CsvFile>> render_conflicts(Ledger& ledger, std::int64_t run_id,
                                                         const RunFolder& folder,
                                                         const std::function<std::string(int)>& prefix) {
    std::map<int, std::unique_ptr<CsvFile>> files;
    SQLite::Statement& query = ledger.bound(
        "SELECT c.step, c.identifier, c.column_name, c.before, c.after, c.live FROM conflicts AS c"
        " LEFT JOIN batch AS b USING (run_id, step, batch)"
        " WHERE c.run_id = ? AND (c.batch IS NULL OR b.state = 'committed') ORDER BY c.step, c.rowid",
        run_id);
    while (query.executeStep()) {
        const int step = query.getColumn(0).getInt();
        std::unique_ptr<CsvFile>& file = files[step];
        if (!file) {
            file = std::make_unique<CsvFile>(folder.file(prefix(step) + "conflicts.csv"), folder.partial());
            file->write("identifier,column,before,after,live\n");
        }
        write_conflict(query, *file);
    }
    query.reset();
    for (auto& [step, file] : files) file->complete();
    return files;
}

}  // namespace datachange
