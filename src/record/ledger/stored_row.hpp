#pragma once

#include <string>
#include <vector>

#include "capture/batch_capture.hpp"

namespace datachange {

/// A row as the table `change` keeps it; `before`, `after` and `returned` are JSON arrays.
struct StoredRow {
    int action = 0;  ///< Action, as a number
    std::string identifier;
    std::string new_identifier;           ///< "": the change has not altered it
    std::string before, after, returned;  ///< "": NULL
};

/// Turns the rows of one batch into what is stored of them.
///
/// What can be told from the rest is left out. No value is an empty array or object, so these stand for
/// others:
///   before    [] for a value whose JSON is the text of `identifier`, {} where it is that text in quotes.
///   after     [] for the value that `before` has in the same place, where both have the same columns. NULL
///   for an
///             unchanged or missing row with the same values as before; "[]" if there is none.
///   returned  NULL: given once, by the first statement, with the values that the same-named columns of
///   `after` have
///             (of `before`, if the row was deleted); missing rows were not returned. Else a list, one entry
///             for each time it was returned: [statement, [values]], statements counted from 1; [statement]
///             where the values are those.
class RowEncoder {
public:
    /// @param keys_only keeps the identifier's columns alone, under their names and as was_<name>.
    RowEncoder(const BatchCapture& capture, const std::vector<std::string>& identifier, bool keys_only);

    const std::vector<Column>& before_columns() const { return m_before.columns; }
    const std::vector<Column>& after_columns() const { return m_after.columns; }
    /// One list a statement.
    std::vector<std::vector<Column>> returned_columns() const;

    /// The result is good until the next call.
    const StoredRow& encode(const AuditedRow& row);

private:
    /// What is kept of a set: columns, and where they stand in it.
    struct Kept {
        std::vector<Column> columns;
        std::vector<std::size_t> places;
    };
    /// Where the columns of a statement's RETURNING stand in the images, by name; npos: one of them is not
    /// there.
    struct Derivation {
        std::vector<std::size_t> from_before, from_after;  ///< empty: it cannot be derived
    };

    static Kept keep(const RowSet& rows, const std::vector<std::string>& identifier, bool keys_only);
    static std::vector<std::size_t> derive(const Kept& returned, const Kept& image);
    static void append_values(std::string& out, const RowSet& rows, std::size_t row, const Kept& kept);

    void encode_before(const AuditedRow& row);
    void encode_after(const AuditedRow& row);
    void encode_returned(const AuditedRow& row);
    bool derivable(const AuditedRow& row, const AuditedRow::Returned& returned) const;

    const BatchCapture& m_capture;
    Kept m_before, m_after;
    std::vector<Kept> m_returned;
    std::vector<Derivation> m_derivations;
    bool m_same_columns = false;
    std::size_t m_identifier;  ///< where the identifier, if it is one column, stands in `before`; else npos
    StoredRow m_row;
    std::string m_value;  ///< kept for its memory
};

}  // namespace datachange
