#pragma once

#include <string>
#include <vector>

#include "record/ledger/ledger_reader.hpp"
#include "run/undo_source.hpp"

namespace datachange {

/// The images of a run in a ledger, for its undo.
class LedgerUndoSource final : public UndoSource {
public:
    /// @param which run: its number, or the beginning of its UUID
    /// @param partial although it changed rows beside those that there are images of
    /// @param from_ledger where the definition has a section `undo` as well
    /// @throws Error (failed) that says why the run cannot be taken back; (usage), (unreachable) as
    /// LedgerReader
    LedgerUndoSource(const std::string& ledger, const std::string& which, Engine engine, bool partial,
                     bool from_ledger);

    const UndoneRun& run() const override { return m_run; }
    const std::vector<UndoTable>& tables() const override { return m_tables; }
    void name_table(int number, const std::string& table) override;
    void read(const UndoTable& table, UndoKind kind, std::size_t rows,
              const std::function<void(const RowSet&)>& piece) override;

private:
    LedgerReader m_ledger;
    UndoneRun m_run;
    std::vector<UndoTable> m_tables;
};

}  // namespace datachange
