#include <fmt/format.h>

#include "cli/commands.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

int command_runs(const Settings& settings, const RunsOptions& options, const OutputOptions& output) {
    const std::vector<LedgerRun> runs = LedgerReader(settings.ledger).runs(options.version, options.limit);
    fmt::print("{}", output.json ? runs_json(runs) : runs_text(runs));
    return 0;
}

}  // namespace datachange
