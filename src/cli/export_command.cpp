#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command_tree.hpp"
#include "report/export_bundle.hpp"
#include "report/export_csv.hpp"
#include "report/export_html.hpp"
#include "report/export_json.hpp"
#include "report/export_markdown.hpp"

namespace datachange {

namespace {

constexpr std::uint64_t summary_limit = 50;      // changed values
constexpr std::uint64_t report_limit = 200'000;  // rows

struct Options {
    std::string run, format, output, table, file, split;
    std::optional<std::uint64_t> limit;
    bool force = false;
    CsvForm csv;
};

/// What a file's name says of its format; "" if nothing.
std::string format_of(const std::string& path) {
    struct Ending {
        std::string_view ending, format;
    };
    static constexpr std::array<Ending, 8> endings{{{".csv", "csv"},
                                                    {".csv.gz", "csv"},
                                                    {".json", "json"},
                                                    {".ndjson", "ndjson"},
                                                    {".md", "markdown"},
                                                    {".html", "html"},
                                                    {".zip", "bundle"},
                                                    {".tar.gz", "bundle"}}};
    for (const Ending& one : endings) {
        if (path.ends_with(one.ending)) return std::string{one.format};
    }
    return {};
}

/// "10485760", "500KB", "10MB", "2GB"; K, M and G are 1024 times the one before.
std::uint64_t parse_size(const std::string& text) {
    static constexpr std::string_view units = "KMG";
    std::uint64_t size = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), size);
    std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
    if (unit.ends_with('B')) unit.remove_suffix(1);
    std::size_t power = 0;
    if (unit.size() == 1 && units.find(unit.front()) != std::string_view::npos) {
        power = 10 * (units.find(unit.front()) + 1);
        unit = {};
    }
    if (failure != std::errc{} || !unit.empty() || size == 0 || size > (UINT64_MAX >> power)) {
        throw Error(ExitCode::usage, fmt::format("--csv-split cannot be {}", text),
                    "Give bytes, or a size such as 500KB, 10MB or 2GB.");
    }
    return size << power;
}

void refuse(const char* option, const char* why) {
    throw Error(ExitCode::usage, fmt::format("{} {}", option, why), "see datachange export --help");
}

/// Options that would have no effect are mistakes.
void require_sense(const Options& options) {
    const bool csv = options.format == "csv", bundle = options.format == "bundle";
    const bool limited = options.format == "markdown" || options.format == "html" || bundle;
    if (!csv && !options.table.empty()) refuse("--table", "is for --format csv");
    if (!csv && !options.file.empty()) refuse("--file", "is for --format csv");
    if (!csv && !bundle && (options.csv.safe || options.csv.gzip || !options.split.empty()))
        refuse("--csv-safe, --csv-gzip and --csv-split", "are for --format csv and bundle");
    if (!limited && options.limit)
        refuse("--limit", "is for people to read: --format markdown, html or bundle");
    if (options.force && options.output.empty()) refuse("--force", "is for --output");
    if (csv && !options.split.empty() && options.output.empty())
        refuse("--csv-split", "needs --output, which names the files");
    const bool binary = bundle || options.csv.gzip;
    if (binary && options.output.empty() && ::isatty(STDOUT_FILENO) == 1)
        refuse("a compressed export", "is not for a terminal: give --output, or a pipe");
}

/// The parts of a split CSV, and a manifest that lists them; they get their names together.
void export_split(const ExportedRun& run, const LedgerStep& step, const Options& options) {
    std::vector<std::unique_ptr<FileOutput>> files;
    /// A part is complete when it is finished, and gets its name with all the others.
    class Part final : public Output {
    public:
        explicit Part(FileOutput& file) : m_file(file) {}
        void write(std::string_view bytes) override { m_file.write(bytes); }
        void finish() override { m_file.complete(); }

    private:
        FileOutput& m_file;
    };
    std::vector<std::unique_ptr<Part>> parts;
    export_csv(run, step, options.file, options.csv, [&](int number) -> Output& {
        const std::string path = part_name(options.output, number, options.csv);
        files.push_back(std::make_unique<FileOutput>(path, options.force));
        return *parts.emplace_back(std::make_unique<Part>(*files.back()));
    });
    Manifest manifest(run);
    for (const auto& file : files) {
        manifest.add(std::filesystem::path(file->file().path()).filename().string(), file->file().bytes(),
                     file->file().sha256());
    }
    FileOutput listing(options.output + ".manifest.json", options.force);
    listing.write(manifest.text());
    listing.complete();
    for (const auto& file : files) file->give_name();
    listing.give_name();
}

void export_to(const ExportedRun& run, const Options& options, Output& to) {
    if (options.format == "csv") {
        export_csv(run, choose_step(run, options.table), options.file, options.csv,
                   [&](int) -> Output& { return to; });
    } else if (options.format == "json") {
        export_json(run, to);
    } else if (options.format == "ndjson") {
        export_ndjson(run, to);
    } else if (options.format == "markdown") {
        export_markdown(run, options.limit.value_or(summary_limit), to);
    } else if (options.format == "html") {
        export_html(run, options.limit.value_or(report_limit), to);
    } else {
        const ArchiveKind kind = options.output.ends_with(".tar.gz") || options.output.ends_with(".tgz")
                                     ? ArchiveKind::tar_gz
                                     : ArchiveKind::zip;
        export_bundle(run, {kind, options.csv, summary_limit, options.limit.value_or(report_limit)}, to);
    }
}

int export_run(const Settings& settings, Options options) {
    if (options.format.empty()) options.format = format_of(options.output);
    if (options.format.empty()) refuse("--format", "is missing, and --output does not tell it");
    if (options.format == "csv" && options.output.ends_with(".gz")) options.csv.gzip = true;
    require_sense(options);
    if (!options.split.empty()) options.csv.split = parse_size(options.split);
    if (options.file.empty()) options.file = "diff";
    LedgerReader ledger(settings.ledger);
    const ExportedRun run(ledger, options.run);
    if (options.output.empty()) {
        StandardOutput out;
        export_to(run, options, out);
    } else if (options.format == "csv" && options.csv.split > 0) {
        export_split(run, choose_step(run, options.table), options);
    } else {
        FileOutput file(options.output, options.force);
        export_to(run, options, file);
    }
    return 0;
}

void add_csv_options(CLI::App* command, Options& options) {
    command->add_option("--table", options.table, "CSV: rows of this table or step, where there are several")
        ->type_name("NAME");
    command->add_option("--file", options.file, "CSV: pre, change, post or diff (default diff)")
        ->check(CLI::IsMember({"pre", "change", "post", "diff"}))
        ->type_name("FILE");
    command->add_flag("--csv-safe", options.csv.safe, "For spreadsheets: no field is taken for a formula");
    command->add_flag("--csv-gzip", options.csv.gzip, "Compress CSV files");
    command
        ->add_option(
            "--csv-split", options.split,
            "CSV files of at most that many bytes (10MB) before compression: NAME.001.csv and so on, "
            "each with the header")
        ->type_name("SIZE");
}

}  // namespace

void add_export(CommandTree& tree) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = tree.add(
        "export", "One run as a file for people or machines",
        "datachange export 3 --format bundle --output OPS-1234.zip",
        [options](const Settings& settings, const OutputOptions&) { return export_run(settings, *options); });
    command->add_option("run", options->run, "Number in the ledger, or a UUID's beginning")->required();
    command
        ->add_option("--format", options->format,
                     "csv, json, ndjson, markdown, html or bundle (default by the name of --output)")
        ->check(CLI::IsMember({"csv", "json", "ndjson", "markdown", "html", "bundle"}))
        ->type_name("FORMAT");
    command
        ->add_option("-o,--output", options->output,
                     "The file to write (default stdout); a bundle is .zip or .tar.gz by this name")
        ->type_name("PATH");
    command->add_flag("--force", options->force, "Replace a file that is there");
    command
        ->add_option(
            "--limit", options->limit,
            fmt::format("Rows in the HTML report (default {}), changed values in Markdown (default {})",
                        report_limit, summary_limit))
        ->type_name("ROWS");
    add_csv_options(command, *options);
    tree.add_ledger(command);
}

}  // namespace datachange
