#include "migrate/adopt.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace datachange {

namespace {

std::string known_here(const std::string& version, const JournalState& journal,
                       const std::vector<VersionState>& schema) {
    const auto of_version = [&](const auto& each) { return each.version == version; };
    const auto run = std::find_if(journal.runs.begin(), journal.runs.end(), of_version);
    if (run != journal.runs.end()) return "has a run here";
    const auto applied = std::find_if(schema.begin(), schema.end(), of_version);
    if (applied != schema.end() && applied->runs > 0) return "was applied here";
    const auto mark = std::find_if(journal.marks.rbegin(), journal.marks.rend(), of_version);
    if (mark == journal.marks.rend()) return "";
    return mark->state == "done" ? "is marked already" : "is marked as pending here";
}

}  // namespace

std::vector<Adoption> plan_adoption(const ToolRecord& record, const std::vector<AdoptableFile>& files,
                                    const JournalState& journal, const std::vector<VersionState>& schema) {
    std::map<std::string, const AdoptableFile*> by_version;
    for (const AdoptableFile& file : files) by_version[file.version] = &file;
    std::vector<Adoption> adoptions;
    for (const ToolRecord::Done& done : record.done) {
        Adoption adoption{done.version, done.said, "", "", "", known_here(done.version, journal, schema)};
        if (const auto file = by_version.find(done.version); file != by_version.end()) {
            adoption.name = file->second->name;
            adoption.kind = file->second->kind;
            adoption.path = file->second->path;
        }
        adoptions.push_back(std::move(adoption));
    }
    std::stable_sort(adoptions.begin(), adoptions.end(),
                     [](const Adoption& a, const Adoption& b) { return a.version < b.version; });
    return adoptions;
}

}  // namespace datachange
