#include "report/export_html.hpp"

#include <functional>
#include <map>

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value.hpp"
#include "datachange/version.hpp"
#include "report/html_data.hpp"
#include "report/html_page.hpp"
#include "report/html_plot.hpp"
#include "report/html_sections.hpp"
#include "report/html_sql.hpp"
#include "report/ledger_report.hpp"
#include "report/visible_text.hpp"

namespace datachange {

namespace {

/// What is allowed is named by its hash, so that nothing else in the page can run.
std::string hash_source(std::string_view text) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::string bytes = from_hex(sha256(text));
    std::string base64;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = i; j < i + 3; ++j)
            group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            base64 += i + j > bytes.size() ? '=' : digits[group >> (18 - 6 * j) & 0x3F];
    }
    return "'sha256-" + base64 + "'";
}

std::string policy() {
    return fmt::format("default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
                       hash_source(page_js), hash_source(page_css));
}

std::string left_out(const HtmlRows& rows) {
    if (rows.written >= rows.all) return {};
    return fmt::format(
        "<p class=\"warnings\">Of {} rows {} are here; {} are left out, since {}. The CSV files have "
        "all of them.</p>",
        with_thousands(rows.all), with_thousands(rows.written), with_thousands(rows.all - rows.written),
        rows.too_many_bytes ? "they would make the report too large" : "the report has a limit");
}

/// Writes the template with what stands for each {{name}}. What is put in is not looked at again.
void fill(std::string_view text, const std::map<std::string_view, std::function<void()>>& parts, Output& to) {
    for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
        const std::size_t close = text.find("}}", open);
        to.write(text.substr(0, open));
        parts.at(text.substr(open + 2, close - open - 2))();
        text.remove_prefix(close + 2);
    }
    to.write(text);
}

}  // namespace

void export_html(const ExportedRun& run, std::uint64_t limit, Output& to) {
    SpoolOutput data;  // how much of it there is stands before it in the page
    const HtmlRows rows = write_html_data(run, limit, data);
    const auto text = [&to](std::string written) {
        return [&to, written = std::move(written)] { to.write(written); };
    };
    const LedgerRun& one = run.run;
    const Engine engine = one.engine == engine_name(Engine::postgresql) ? Engine::postgresql : Engine::sqlite;
    fill(page_html,
         {
             {"policy", text(policy())},
             {"generator", text(html_attribute(fmt::format("datachange {}", version())))},
             {"title", text(html_attribute(fmt::format("{} {}", one.name, one.ticket)))},
             {"style", text(std::string{page_css})},
             {"kicker", text(html_text(one.version))},
             {"name", text(html_text(one.name))},
             {"badges", text(html_badges(run))},
             {"warnings", text(html_warnings(run))},
             {"cards", text(html_cards(run))},
             {"facts", text(html_facts(run))},
             {"summaries", text(html_summaries(run))},
             {"steps", text(html_steps(run))},
             {"besides", text(html_besides(run))},
             {"failures", text(html_failures(run))},
             {"events", text(html_approvals(run) + html_events(run))},
             {"left_out", text(left_out(rows))},
             {"static_changes", text(html_first_changes(run, rows.all))},
             {"plots", text(html_plots(run.batches))},
             {"definition_note", text(html_text(one.definition_path))},
             {"sql", text(html_sql(run.definition, engine))},
             {"footer", text(html_footer(run))},
             {"data",
              [&] {
                  for (std::string_view piece = data.read(); !piece.empty(); piece = data.read())
                      to.write(piece);
              }},
             {"script", text(std::string{page_js})},
         },
         to);
    to.finish();
}

}  // namespace datachange
