#include <fmt/format.h>

#include "cli/commands.hpp"
#include "report/ledger_report.hpp"

namespace datachange {

int command_show(const Settings& settings, const std::string& run, const OutputOptions& output) {
    const LedgerReader ledger(settings.ledger);
    const LedgerRun found = ledger.run(run);
    fmt::print("{}", output.json ? show_json(ledger, found) : show_text(ledger, found));
    return 0;
}

}  // namespace datachange
