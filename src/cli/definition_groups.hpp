#pragma once

#include <string>
#include <vector>

#include "cli/settings.hpp"
#include "definition/definition.hpp"

namespace datachange {

/// The groups of targets that a definition's header names (`targets: prod`), asked before anything is opened.
class DefinitionGroups {
public:
    explicit DefinitionGroups(const DefinitionFile& file);

    /// It is not meant for targets of that group. @param group "": not known, then it is not excluded
    bool exclude(const std::string& group) const;
    /// "the definition is meant for: prod"
    std::string text() const;

    /// @throws Error (usage) if it names groups, and that of the target is not known.
    void require_known(const Settings& settings) const;
    /// @throws Error (usage) the same, or if the target is in another group.
    void require_meant_for(const Settings& settings) const;

private:
    std::string m_path;
    std::vector<std::string> m_groups;  ///< none: all
};

}  // namespace datachange
