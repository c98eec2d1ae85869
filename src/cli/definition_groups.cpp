#include "cli/definition_groups.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange {

DefinitionGroups::DefinitionGroups(const DefinitionFile& file) : m_path(file.path) {
    std::ifstream stream(file.path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    // its engine may not be known yet: the header reads the same in both dialects, save names of tables
    m_groups = targets_of(text, Engine::postgresql);
    if (m_groups.empty()) m_groups = targets_of(text, Engine::sqlite);
}

bool DefinitionGroups::exclude(const std::string& group) const {
    return !group.empty() && !m_groups.empty() &&
           std::find(m_groups.begin(), m_groups.end(), group) == m_groups.end();
}

std::string DefinitionGroups::text() const {
    return "the definition is meant for: " + join(m_groups, ", ");
}

void DefinitionGroups::require_known(const Settings& settings) const {
    if (m_groups.empty() || !settings.group.empty()) return;
    const std::string target = settings.target.empty() ? "this database" : "target " + settings.target;
    const std::string how =
        settings.target.empty()
            ? fmt::format("Set DATACHANGE_GROUP={0}, or write group = \"{0}\" into datachange.toml",
                          m_groups.front())
            : fmt::format("Write group = \"{}\" into [target.{}] of datachange.toml", m_groups.front(),
                          settings.target.substr(0, settings.target.find('.')));
    throw Error(ExitCode::usage, fmt::format("{}, and the group of {} is not known", text(), target),
                how + ", if that is what it is. Nothing was changed.")
        .at(m_path);
}

void DefinitionGroups::require_meant_for(const Settings& settings) const {
    require_known(settings);
    if (!exclude(settings.group)) return;
    throw Error(
        ExitCode::usage,
        fmt::format("{}, and {} is in group {}", text(),
                    settings.target.empty() ? "this database" : "target " + settings.target, settings.group),
        "Choose another target, or have `targets:` in the header name the group. Nothing was changed.")
        .at(m_path);
}

}  // namespace datachange
