#include "approve/allowed_signers.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "approve/ssh_keygen.hpp"
#include "core/text.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr const char* how_to_make =
    "Each line of it is a person and a public key: `anna@example.com ssh-ed25519 AAAA...`; see ALLOWED "
    "SIGNERS in "
    "ssh-keygen(1). Nothing was changed.";

std::string read(const std::string& path) {
    if (path.empty()) {
        throw Error(ExitCode::failed, "no file of allowed signers is given, by which approvals are checked",
                    std::string{"Set allowed-signers in datachange.toml. "} + how_to_make);
    }
    if (!std::filesystem::exists(path))
        throw Error(ExitCode::failed, fmt::format("no such file of allowed signers: {}", path), how_to_make);
    return read_text_file(path);
}

/// A pattern names no person, whom the operator could be told from.
std::vector<std::string> persons(const std::string& printed) {
    std::vector<std::string> names;
    for (const std::string& line : split(printed, '\n')) {
        const std::string name{trim(line)};
        if (!name.empty() && name.find_first_of("*?!") == std::string::npos) names.push_back(name);
    }
    return names;
}

/// "Good "datachange" signature for anna@example.com with ED25519 key SHA256:..."
std::string key_of(const std::string& printed) {
    const std::size_t at = printed.find("SHA256:");
    if (at == std::string::npos) return {};
    return printed.substr(at, printed.find_first_of(" \n", at) - at);
}

std::string first_line(const std::string& text) {
    const std::string said{trim(text)};
    return said.substr(0, said.find('\n'));
}

}  // namespace

AllowedSigners::AllowedSigners(const std::string& path) : m_path(path) {
    const std::string text = read(path);
    for (const std::string& line : split(text, '\n')) {
        const std::string_view content = trim(line);
        if (!content.empty() && content.front() != '#') m_lines.emplace_back(content);
    }
    if (m_lines.empty())
        throw Error(ExitCode::failed, fmt::format("{} allows nobody to sign", path), how_to_make);
    m_file = m_folder.write("allowed_signers", text);
}

/// What ssh-keygen says of the copy is said of the file itself.
std::string AllowedSigners::by_its_own_name(std::string said) const {
    const std::size_t at = said.find(m_file);
    return at == std::string::npos ? said : said.replace(at, m_file.size(), m_path);
}

/// ssh-keygen tells who may have signed, but not by which line: the line is what goes with the evidence.
SignatureCheck AllowedSigners::check(const std::string& text, const std::string& signature) const {
    const std::string file = m_folder.write("signature", signature);
    SignatureCheck check;
    const SubprocessResult found = ssh_keygen({"find-principals", "-f", m_file, "-s", file}, "");
    if (!found.succeeded()) {
        const std::string said = by_its_own_name(first_line(found.err));
        const bool unknown = said.empty() || said.find("No principal matched") != std::string::npos;
        check.obstacle = unknown ? fmt::format("its key is not in {}", m_path)
                                 : fmt::format("ssh-keygen finds nobody for it in {}: {}", m_path, said);
        return check;
    }
    check.obstacle = fmt::format("its key is not in {}", m_path);
    for (const std::string& line : m_lines) {
        const auto by_line = check_by(line, text, file);
        if (!by_line) continue;
        check = *by_line;
        if (check.obstacle.empty()) break;
    }
    return check;
}

std::optional<SignatureCheck> AllowedSigners::check_by(const std::string& line, const std::string& text,
                                                       const std::string& signature_file) const {
    const std::string file = m_folder.write("allowed_signer", line + "\n");
    const SubprocessResult found = ssh_keygen({"find-principals", "-f", file, "-s", signature_file}, "");
    if (!found.succeeded()) return std::nullopt;
    SignatureCheck check;
    check.principals = persons(found.out);
    check.obstacle = fmt::format("{} allows its key to a pattern of names, which is no person", m_path);
    if (check.principals.empty()) return check;
    const SubprocessResult verified = ssh_keygen({"verify", "-f", file, "-I", check.principals.front(), "-n",
                                                  signature_namespace, "-s", signature_file},
                                                 text);
    check.obstacle = fmt::format("its signature is not valid ({})",
                                 verified.err.empty() ? "ssh-keygen refuses it" : first_line(verified.err));
    if (!verified.succeeded()) return check;
    check.key = key_of(verified.out);
    check.allowed_signer = line;
    check.obstacle.clear();
    return check;
}

}  // namespace datachange
