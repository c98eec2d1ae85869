#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datachange/run.hpp"

namespace datachange {

/// One step as the rehearsal that was approved had it.
struct ApprovedStep {
    int step = 1;
    std::string name, table;
    std::uint64_t planned = 0;       ///< rows of its set
    RowCounts rows;                  ///< what became of them
    std::string identifiers_sha256;  ///< of its rows; "": they are not kept
};

/// A target that an approval is for, with what the rehearsal there gave.
struct ApprovedTarget {
    std::string target;    ///< name in the config file; "": it has none
    std::string group;     ///< "": none
    std::string database;  ///< without password
    std::vector<ApprovedStep> steps;
};

/// What somebody signs: that this definition may be run once on each of these targets.
struct Approval {
    std::string version, name, definition_sha256;
    std::vector<ApprovedTarget> scope;
    std::string approved_by;              ///< who says so; who it was, the signature tells
    std::string approved_at, expires_at;  ///< as utc_now() gives it
    std::string nonce;                    ///< a UUID
};

/// The text that is signed: JSON, one field a line, always the same for the same approval.
std::string approval_text(const Approval& approval);

/// Reads it back. @throws Error (failed) that says what is wrong with the text, a clause
Approval parse_approval(const std::string& text);

}  // namespace datachange
