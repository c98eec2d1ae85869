#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/completion.hpp"
#include "cli/manual.hpp"

namespace datachange {

namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file)
        throw Error(ExitCode::failed, fmt::format("cannot write {}", path.string()),
                    "Is there room, and the right to?");
}

/// The date of the manual: that of SOURCE_DATE_EPOCH, so that two builds of one source are equal; else
/// today's. https://reproducible-builds.org/specs/source-date-epoch/
std::int64_t manual_date() {
    const char* const given = std::getenv("SOURCE_DATE_EPOCH");
    if (given == nullptr || *given == '\0') return std::time(nullptr);
    const std::string_view text{given};
    std::int64_t seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc{} || end != text.data() + text.size() || seconds < 0) {
        throw Error(ExitCode::usage, fmt::format("SOURCE_DATE_EPOCH is no time: {}", text),
                    "It is a number of seconds since 1970.");
    }
    return seconds;
}

int write_share_files(const CommandText& tool, const fs::path& share) {
    for (const ManualPage& page : manual(tool, manual_date()))
        write_file(share / "man" / fmt::format("man{}", page.chapter) / page.file(), page.text);
    write_file(share / "bash-completion/completions/datachange", completion_script("bash"));
    write_file(share / "zsh/site-functions/_datachange", completion_script("zsh"));
    write_file(share / "fish/vendor_completions.d/datachange.fish", completion_script("fish"));
    return 0;
}

}  // namespace

/// Hidden from --help: it is the installation that calls it.
void add_share_files(CommandTree& tree) {
    const auto share = std::make_shared<std::string>();
    CLI::App* command = tree.add_without_settings(
        "share-files", "Write manual and completions as they lie beneath /usr/share",
        "datachange share-files /usr/local/share",
        [&tree, share] { return write_share_files(command_text(tree.app()), *share); });
    command->group("");
    command->add_option("folder", *share, "The folder, such as /usr/local/share")->required();
}

}  // namespace datachange
