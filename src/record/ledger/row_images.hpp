#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/ledger/block.hpp"

namespace datachange {

/// The images of one row, with what blocks leave out put in again.
class RowImages {
public:
    /// JSON of each value, in the order of the step's columns; empty: there was no such row.
    using Cells = std::vector<std::string_view>;

    /// @param row whose texts outlive the images
    void read(const BlockRow& row);

    const Cells& before() const { return m_before; }
    const Cells& after() const { return m_same ? m_before : m_after; }
    /// True if after and before are the same in all columns.
    bool same() const { return m_same; }

private:
    Cells m_before, m_after;
    bool m_same = false;
    std::string m_quoted;
};

}  // namespace datachange
