#include "run/admission.hpp"

#include <fmt/format.h>

#include "core/clock.hpp"
#include "datachange/error.hpp"
#include "run/error_class.hpp"

namespace datachange {

bool UsedApprovals::exists() const {
    return m_target.has_table(table());
}

std::vector<UsedNonce> UsedApprovals::all(const std::string& version) const {
    if (!exists()) return {};
    const RowSet rows = m_target.query(fmt::format("SELECT nonce, run_uuid, version, signer, used_at FROM {} "
                                                   "WHERE version = $1 OR $1 = '' ORDER BY used_at, nonce",
                                                   table()),
                                       {Value::text(version)});
    std::vector<UsedNonce> used;
    for (std::size_t i = 0; i < rows.size(); ++i)
        used.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4)});
    return used;
}

void UsedApprovals::use(const std::vector<UsedApproval>& approvals, const std::string& run_uuid) {
    for (const UsedApproval& approval : approvals) {
        try {
            m_target.query(fmt::format("INSERT INTO {} (nonce, run_uuid, version, signer, used_at) "
                                       "VALUES ($1, $2, $3, $4, $5)",
                                       table()),
                           {Value::text(approval.nonce), Value::text(run_uuid), Value::text(approval.version),
                            Value::text(approval.signer), Value::text(utc_now())});
        } catch (const DatabaseError& error) {
            if (!is_duplicate_key(error.sqlstate())) throw;
            throw Error(
                ExitCode::failed,
                fmt::format("the approval of {} was used up by another run just now", approval.signer),
                "An approval lets one run through: ask for another one. Nothing was changed.");
        }
    }
}

void UsedApprovals::give_back(const std::string& run_uuid) {
    if (!exists()) return;
    m_target.query(
        fmt::format(
            "DELETE FROM {} WHERE run_uuid = $1 AND NOT EXISTS (SELECT 1 FROM {} b WHERE b.run_uuid = $1)",
            table(), m_target.journal_prefix() + "datachange_batches"),
        {Value::text(run_uuid)});
}

}  // namespace datachange
