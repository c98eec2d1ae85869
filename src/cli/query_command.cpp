#include <iostream>
#include <iterator>
#include <memory>

#include <unistd.h>

#include "cli/command_tree.hpp"
#include "cli/result_output.hpp"
#include "record/ledger/ledger_query.hpp"
#include "report/query_output.hpp"

namespace datachange {

namespace {

struct Options {
    std::string sql = "-";
    std::string format = "table";
    ShowOptions show;
};

std::string query_text(const std::string& given) {
    if (given != "-") return given;
    if (::isatty(STDIN_FILENO) == 1)
        throw Error(ExitCode::usage, "no query", "Give a SELECT, or write it to stdin.");
    return {std::istreambuf_iterator<char>{std::cin}, {}};
}

int show_query(const Settings& settings, const Options& options, const OutputOptions& output) {
    const std::string format = output.json ? "json" : options.format;
    const std::string sql = query_text(options.sql);
    return show_results(options.show, [&](ResultOutput& out) {
        ResultOutput::watch_interrupts();
        LedgerQuery query(settings.ledger, sql, &ResultOutput::interrupted);
        const TableStyle style{0, options.show.full ? 0 : TableStyle{}.widest, out.color()};
        const auto writer = make_query_output(format, query.columns(), style, [&](std::string_view text) {
            return format == "table" ? out.write(text) : out.write_data(text);
        });
        while (query.next()) writer->row(query.row());
        writer->end();
    });
}

}  // namespace

void add_query(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        tree.add("query", "Asks the ledger in SQL; reads and nothing else",
                 "datachange query \"SELECT run_id, ticket, operator, rows_changed FROM v_runs\"",
                 [options](const Settings& settings, const OutputOptions& output) {
                     return show_query(settings, *options, output);
                 });
    command->add_option("sql", options->sql, "One SELECT; - or nothing: it is read from stdin");
    command->add_option("--format", options->format, "table (default), csv, json, ndjson or markdown")
        ->check(CLI::IsMember({"table", "csv", "json", "ndjson", "markdown"}))
        ->type_name("FORMAT");
    add_show_options(command, options->show);
    tree.add_ledger(command);
    tree.add_json(command);
}

}  // namespace datachange
