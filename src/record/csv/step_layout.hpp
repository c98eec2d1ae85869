#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"
#include "record/ledger/ledger_reader.hpp"

namespace datachange {

/// Which columns the rows of a step have, and how those of one set are found in another; places count from 0.
struct StepLayout {
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    using Names = std::vector<std::string>;

    /// A column that before and after share by name.
    struct Shared {
        std::string name;
        std::size_t before, after;
        bool identifier;

        bool operator==(const Shared&) const = default;
    };
    /// A statement's RETURNING.
    struct Returned {
        Names columns;
        std::vector<std::size_t> in_before, in_after;  ///< for each column: where the image has it, or npos
        std::vector<std::size_t> of_union;  ///< for each column of change.csv: its place here, or npos

        bool operator==(const Returned&) const = default;
    };

    bool watch = false;
    bool counts_only = false;
    Names identifier, before, after;
    std::vector<Returned> returned;
    Names change;  ///< columns of change.csv: those of all statements by name, in order of first appearance
    std::vector<Shared> shared;

    bool operator==(const StepLayout&) const = default;
};

/// @param step as a reader of the ledger gives it
StepLayout layout_of(const LedgerStep& step);
StepLayout read_layout(Ledger& ledger, std::int64_t run_id, int step);

}  // namespace datachange
