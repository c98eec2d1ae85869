#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/compose.hpp"
#include "core/sql_template.hpp"
#include "report/json.hpp"
#include "run/fence.hpp"

namespace datachange {

namespace {

struct Options {
    bool print_sql = false;
};

int print_sql(const Settings& settings, const OutputOptions& output) {
    // no connection: the statements are for somebody who has the rights that this user may lack
    const bool known = !settings.database.empty() || settings.database_from_pg;
    const Engine engine = known ? settings.engine() : Engine::postgresql;
    const bool schema = engine == Engine::postgresql && !settings.journal_schema.empty();
    const std::string sql = Fence::ddl(engine, schema ? quote_name(settings.journal_schema) + "." : "");
    if (output.json) {
        fmt::print("{}\n", JsonObject{}.add("engine", engine_name(engine)).add("sql", sql).text());
    } else {
        fmt::print("{}", sql);
    }
    return 0;
}

int init(const Settings& settings, const Options& options, const OutputOptions& output) {
    if (options.print_sql) return print_sql(settings, output);
    settings.require_database();
    const auto target = connect_target(settings.database, settings.engine(), settings.journal_schema);
    target->require_writable();
    Fence fence(*target);
    const bool there = fence.exists();
    if (!there) fence.create();
    if (output.json) {
        fmt::print("{}\n", JsonObject{}.add("target", target->name()).add("created", !there).text());
    } else {
        fmt::print("the journal (datachange_runs, datachange_batches, datachange_requests) {} in {}\n",
                   there ? "was there already" : "was created", target->name());
    }
    return 0;
}

}  // namespace

void add_init(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add("init", "Create the journal in the target, or print its SQL for a DBA",
                                 "datachange init --print-sql --database postgresql://host/shop",
                                 [options](const Settings& settings, const OutputOptions& output) {
                                     return init(settings, *options, output);
                                 });
    command->add_flag("--print-sql", options->print_sql, "Print the statements and change nothing");
    tree.add_target(command);
    tree.add_json(command);
}

}  // namespace datachange
