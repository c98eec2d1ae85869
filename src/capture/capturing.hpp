#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "capture/capture.hpp"
#include "capture/witness.hpp"

namespace datachange {

/// Keys that are named where something is wrong with more of them.
inline constexpr std::size_t most_examples = 5;

/// The keys of all rows, in order.
std::vector<Key> keys_of(const RowSet& rows, const std::vector<std::size_t>& columns);

/// SELECT what FROM table WHERE the row has one of the keys, in key order.
SqlTemplate rows_by_key(const std::string& what, const std::string& table,
                        const std::vector<std::string>& key_names, const std::string& lock_clause);

/// Locks rows of the step's table by key, in key order. Needs spec.table_key.
void lock_rows(Target& target, const CaptureSpec& spec, const std::vector<Key>& keys);

/// How often pre is read and locked, before its rows stay the same.
inline constexpr int most_locking_rounds = 5;
/// @throws DatabaseError (40001)
[[noreturn]] void refuse_growing_set();

/// pre, change, post and compare for one batch, or for one piece of a step; its members hold what the steps
/// hand on.
class Capturing {
public:
    /// @param touched_before the witness, as it was read last
    Capturing(Target& target, const CaptureSpec& spec, const KeyRange& range, TouchedTables touched_before);

    const Scope& scope() const { return m_scope; }
    void read_pre();
    /// Until every row of pre was locked before it was read: what is read then cannot change any more.
    void read_pre_locked();
    void take_pre(RowSet rows) { m_rows.pre = std::move(rows); }
    const RowSet& pre() const { return m_rows.pre; }
    void take_returned(RowSet rows) { m_rows.returned.push_back(std::move(rows)); }
    /// Says :affected of these rows, whatever pre gives.
    void affect(std::vector<Key> keys);
    /// Says :affected of the rows of pre, where change or a watched table needs it.
    void affect_pre();
    void change();
    /// Takes RETURNING for post where that is allowed and the witness saw nothing but the rows returned.
    /// @return false: post is to be read
    bool derive_post();
    /// The same where the witness has been asked already.
    bool take_returned_for_post();
    void query_post();
    /// Last of all, so that it has seen what reading did as well; derive_post() has done it where it may be
    /// that RETURNING is post, as reading plain columns touches nothing.
    void read_witness() { m_touched_now = m_target.touched(); }
    void compare_rows();
    /// @throws UnexpectedRows
    void refuse_unexpected();

    /// Since touched_before.
    TouchedTables touched() const { return difference(m_touched_before, m_touched_now); }
    const TouchedTables& touched_now() const { return m_touched_now; }
    const BatchCapture& rows() const { return m_rows; }
    BatchCapture take_rows() { return std::move(m_rows); }

private:
    RowSet query(const SqlTemplate& sql);
    void require_whole_table();
    std::string outside_range();

    Target& m_target;
    const CaptureSpec& m_spec;
    Scope m_scope;
    std::vector<Key> m_keys;
    bool m_keys_given = false;
    TouchedTables m_touched_before, m_touched_now;
    BatchCapture m_rows;
};

}  // namespace datachange
