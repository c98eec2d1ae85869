#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/schema_file.hpp"
#include "run/marks.hpp"
#include "run/version_state.hpp"
#include "target/target.hpp"

namespace datachange {

/// A file that a version may have here.
struct AdoptableFile {
    std::string version, name, kind, path;  ///< kind: data | schema
};

/// What another tool's table says has been done, and what of it can be taken over.
struct ToolRecord {
    struct Done {
        std::string version;  ///< 14 digits
        std::string said;     ///< "success, SQL V1__a.sql, installed by app on 2025-01-01 10:00:00"
    };
    struct LeftOut {
        std::string what;  ///< the version or name, as the table has it
        std::string reason;
    };
    std::string tool, table;
    std::vector<Done> done;         ///< each version once
    std::vector<LeftOut> left_out;  ///< in the table's order
};

/// The tools of which the tables are known, as --from names them.
const std::vector<std::string>& adoptable_tools();

/// The table that a tool has by itself, in SQL notation.
std::string default_table(const std::string& tool, Engine engine);

/// Reads a tool's table; nothing is changed.
/// @param target that holds the table (of sqitch on SQLite: its registry file)
/// @throws Error (usage) if the table is not there, or lacks a column that the tool's has
ToolRecord read_tool(Target& target, const std::string& tool, const std::string& table,
                     const std::vector<AdoptableFile>& files);

/// One version and what is to become of it.
struct Adoption {
    std::string version, said;
    std::string name, kind, path;  ///< of its file here; "": there is none
    std::string known;  ///< why it is left alone: "has run here", "is marked already"; "": it is adopted
};

/// Versions that have run here, were applied here, or are marked are left alone.
std::vector<Adoption> plan_adoption(const ToolRecord& record, const std::vector<AdoptableFile>& files,
                                    const JournalState& journal, const std::vector<VersionState>& schema);

}  // namespace datachange
