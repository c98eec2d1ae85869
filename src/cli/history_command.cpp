#include <fmt/format.h>

#include "cli/commands.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

int command_history(const Settings& settings, const HistoryOptions& options, const OutputOptions& output) {
    const std::vector<HistoryEntry> entries =
        LedgerReader(settings.ledger).history(options.table, options.identifier);
    fmt::print("{}", output.json ? history_json(entries) : history_text(entries));
    return 0;
}

}  // namespace datachange
