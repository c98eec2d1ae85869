#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/row_set.hpp"
#include "datachange/run.hpp"

namespace datachange {

/// What happened to one row.
enum class Action : std::uint8_t { updated, inserted, deleted, unchanged, missing, unexpected };

/// "updated", "inserted", ...
const char* action_name(Action action) noexcept;

/// Where a row of RETURNING stands: which statement of `change` (from 0), which of its rows.
struct ReturnedAt {
    std::size_t statement;
    std::size_t row;
};

/// The rows of RETURNING that tell of one audited row. Nearly always one, which takes no memory of its own.
class ReturnedList {
public:
    ReturnedList() = default;
    ReturnedList(const std::vector<ReturnedAt>& list) {  // NOLINT(google-explicit-constructor)
        for (const ReturnedAt& returned : list) push_back(returned);
    }

    void push_back(ReturnedAt returned) {
        if (++m_size == 1) {
            m_first = returned;
            return;
        }
        if (m_all.empty()) m_all.push_back(m_first);
        m_all.push_back(returned);
    }
    void clear() {
        m_size = 0;
        m_all.clear();
    }
    bool empty() const { return m_size == 0; }
    std::size_t size() const { return m_size; }
    const ReturnedAt* begin() const { return m_size > 1 ? m_all.data() : &m_first; }
    const ReturnedAt* end() const { return begin() + m_size; }
    const ReturnedAt& operator[](std::size_t i) const { return begin()[i]; }
    const ReturnedAt& front() const { return m_first; }
    const ReturnedAt& back() const { return begin()[m_size - 1]; }

private:
    ReturnedAt m_first{0, 0};
    std::vector<ReturnedAt> m_all;  ///< only where there are several
    std::size_t m_size = 0;
};

/// One audited row: where its images stand in the captured sets. npos: there is none.
struct AuditedRow {
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    using Returned = ReturnedAt;

    std::string identifier;  ///< key_text of the key it has in pre, else of the one RETURNING gave
    std::string
        new_identifier;  ///< key_text after the change, only where the change altered the key; else ""
    Action action = Action::unchanged;
    std::size_t pre = npos;
    std::size_t post = npos;
    ReturnedList returned;  ///< in the order of the statements
};

/// Everything one batch of one step gave. Rows are in key order; so are the sets.
struct BatchCapture {
    RowSet pre;
    std::vector<RowSet> returned;  ///< one a statement of change that has RETURNING
    RowSet post;
    std::vector<AuditedRow> rows;
    RowCounts counts;
};

}  // namespace datachange
