#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/clock.hpp"
#include "core/process.hpp"
#include "core/text.hpp"
#include "migrate/adopt.hpp"
#include "migrate/schema_state.hpp"
#include "record/ledger/version_events.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

struct AdoptOptions {
    std::string tool, table, registry;
    bool dry_run = false;
};

/// What was found and done, to be told.
struct AdoptReport {
    std::string target;
    ToolRecord record;
    std::vector<Adoption> adopted, known;
    bool dry_run = false;
};

std::vector<AdoptableFile> files_here(const Settings& settings) {
    std::vector<AdoptableFile> files;
    // who adopts may have no definition yet
    if (settings.given.dir || std::filesystem::is_directory(settings.dir)) {
        for (const DefinitionFile& file : list_definitions(settings.dir))
            files.push_back({file.version, file.name, "data", file.path});
    }
    if (settings.schema_dir.empty()) return files;
    for (const SchemaFile& file : list_schema_files(settings.schema_dir))
        files.push_back({file.version, file.name, "schema", file.path});
    return files;
}

/// sqitch's own rule: sqitch.db beside shop.db, sqitch beside a file without a dot.
std::string registry_beside(const std::string& database) {
    const std::filesystem::path file{database};
    const std::string name = file.filename().string();
    const std::size_t dot = name.find('.');
    return (file.parent_path() / ("sqitch" + (dot == std::string::npos ? "" : name.substr(dot)))).string();
}

/// Reads the tool's table where it stands: in the target, or in sqitch's own SQLite file.
ToolRecord read_record(Target& target, const Settings& settings, const AdoptOptions& options,
                       const std::vector<AdoptableFile>& files) {
    const Engine engine = settings.engine();
    std::string table = options.table.empty() ? default_table(options.tool, engine) : options.table;
    if (options.tool != "sqitch" || engine == Engine::postgresql) {
        if (!options.registry.empty()) table = quote_name(options.registry) + ".changes";
        return read_tool(target, options.tool, table, files);
    }
    const std::string registry =
        options.registry.empty() ? registry_beside(sqlite_path(settings.database)) : options.registry;
    if (!std::filesystem::exists(registry)) {
        throw Error(ExitCode::usage, fmt::format("there is no registry of sqitch at {}", registry),
                    "Name its file with --registry. Nothing was changed.");
    }
    return read_tool(*connect_target("sqlite:" + registry, engine, ""), options.tool, table, files);
}

void require_sensible(const AdoptOptions& options) {
    if (options.registry.empty()) return;
    if (options.tool != "sqitch") {
        throw Error(ExitCode::usage, "--registry is for --from sqitch alone",
                    "Leave it out; --table names a table.");
    }
    if (options.table.empty()) return;
    throw Error(ExitCode::usage, "--registry and --table both say where sqitch's table is",
                "Leave one of them out.");
}

std::vector<VersionEvent> events_of(const AdoptReport& report, const std::string& operator_name) {
    std::vector<VersionEvent> events;
    const auto add = [&](const std::string& version, const std::string& detail) {
        events.push_back({utc_now(), version, report.target, "adopted", detail, operator_name, host_name()});
    };
    add("", fmt::format("{} from {} ({}), {} known already, {} left out",
                        counted(report.adopted.size(), "version"), report.record.tool, report.record.table,
                        report.known.size(), report.record.left_out.size()));
    for (const Adoption& adoption : report.adopted) {
        // versions without a file here were never this tool's: the event with their number tells of them
        if (!adoption.path.empty())
            add(adoption.version, fmt::format("{}: {}", report.record.tool, adoption.said));
    }
    return events;
}

void enter(Target& target, const Settings& settings, const AdoptReport& report) {
    const std::string operator_name = current_operator(settings.operator_name);
    std::vector<Mark> marks;
    for (const Adoption& adoption : report.adopted)
        marks.push_back({adoption.version, "done", adoption.said, report.record.tool, operator_name});
    target.require_writable();
    record_version_events(settings.ledger, events_of(report, operator_name),
                          [&] { Marks(target).add(marks); });
}

std::size_t with_file(const AdoptReport& report) {
    return static_cast<std::size_t>(std::count_if(report.adopted.begin(), report.adopted.end(),
                                                  [](const Adoption& each) { return !each.path.empty(); }));
}

void print_json(const AdoptReport& report) {
    std::vector<std::string> adopted, known, left_out;
    for (const Adoption& each : report.adopted) {
        adopted.push_back(JsonObject{}
                              .add("version", each.version)
                              .add_or_null("name", each.name)
                              .add_or_null("kind", each.kind)
                              .add_or_null("path", each.path)
                              .add("reason", each.said)
                              .text());
    }
    for (const Adoption& each : report.known)
        known.push_back(JsonObject{}.add("version", each.version).add("reason", each.known).text());
    for (const ToolRecord::LeftOut& each : report.record.left_out)
        left_out.push_back(JsonObject{}.add("version", each.what).add("reason", each.reason).text());
    fmt::print("{}\n", JsonObject{}
                           .add("target", report.target)
                           .add("from", report.record.tool)
                           .add("table", report.record.table)
                           .add("dry_run", report.dry_run)
                           .add("with_file", static_cast<std::uint64_t>(with_file(report)))
                           .raw("adopted", json_list(adopted))
                           .raw("known", json_list(known))
                           .raw("left_out", json_list(left_out))
                           .text());
}

/// Rows of a table of two or three columns, some of which are shown.
class Listing {
public:
    explicit Listing(std::vector<std::string> header) : m_table(std::move(header)) {}

    void add(std::vector<std::string> cells) {
        for (std::string& cell : cells) cell = printable(cell);
        if (++m_rows <= shown) m_table.add(std::move(cells));
    }
    void print() const {
        if (m_rows == 0) return;
        fmt::print("\n{}", m_table.text(2));
        if (m_rows > shown)
            fmt::print("  ... and {} more (--json has all)\n", with_thousands(m_rows - shown));
    }

private:
    static constexpr std::size_t shown = 50;
    Table m_table;
    std::size_t m_rows = 0;
};

void print_text(const AdoptReport& report) {
    fmt::print("{} {} from {} ({}) on {}: {} with a file here, {} known already, {} left out\n",
               report.dry_run ? "would adopt" : "adopted", counted(report.adopted.size(), "version"),
               report.record.tool, report.record.table, report.target, with_file(report), report.known.size(),
               report.record.left_out.size());
    Listing adopted({"version", "file", "what the table says"});
    for (const Adoption& each : report.adopted)
        adopted.add({each.version, each.path.empty() ? "-" : each.path, each.said});
    adopted.print();
    Listing others({"left out", "why"});
    for (const ToolRecord::LeftOut& each : report.record.left_out) others.add({each.what, each.reason});
    for (const Adoption& each : report.known) {
        if (each.known != "is marked already") others.add({each.version, each.known});
    }
    others.print();
}

int adopt(const Settings& settings, const AdoptOptions& options, const OutputOptions& output) {
    require_sensible(options);
    settings.require_database();
    const std::vector<AdoptableFile> files = files_here(settings);
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    AdoptReport report{
        target->name(), read_record(*target, settings, options, files), {}, {}, options.dry_run};
    const JournalState journal = journal_state(*target);
    const std::vector<VersionState> schema = schema_states(*target, {}, journal.marks);
    for (Adoption& each : plan_adoption(report.record, files, journal, schema))
        (each.known.empty() ? report.adopted : report.known).push_back(std::move(each));
    if (!options.dry_run && !report.adopted.empty()) enter(*target, settings, report);
    output.json ? print_json(report) : print_text(report);
    return 0;
}

}  // namespace

void add_adopt(CommandTree& tree) {
    const auto options = std::make_shared<AdoptOptions>();
    CLI::App* command = tree.add("adopt", "Take over what another tool has run on the target, as marked done",
                                 "datachange adopt --from flyway --dry-run",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return adopt(settings, *options, output);
                                 });
    command->add_option("--from", options->tool, "data_migrate, monarch, rails-async, flyway or sqitch")
        ->required()
        ->check(CLI::IsMember(adoptable_tools()))
        ->type_name("TOOL");
    command
        ->add_option("--table", options->table, "The tool's table in the target, where it has another name")
        ->type_name("NAME");
    command
        ->add_option("--registry", options->registry,
                     "Of sqitch: its schema (default sqitch); on SQLite its file (default sqitch.db beside "
                     "the target)")
        ->type_name("NAME");
    command->add_flag("--dry-run", options->dry_run, "Tell what would be adopted, and change nothing");
    tree.add_target(command);
    tree.add_dir(command);
    tree.add_schema_dir(command);
    tree.add_ledger(command);
    tree.add_operator(command);
    tree.add_json(command);
}

}  // namespace datachange
