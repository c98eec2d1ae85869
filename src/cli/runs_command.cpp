#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

int command_runs(const Settings& settings, const RunsOptions& options, const OutputOptions& output) {
    std::vector<LedgerRun> runs = LedgerReader(settings.ledger).runs();
    if (!options.version.empty()) {
        std::erase_if(runs, [&](const LedgerRun& run) { return run.version != options.version; });
    }
    std::reverse(runs.begin(), runs.end());
    if (options.limit > 0 && runs.size() > options.limit) runs.resize(options.limit);
    fmt::print("{}", output.json ? runs_json(runs) : runs_text(runs));
    return 0;
}

}  // namespace datachange
