#include "approve/ssh_keygen.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "approve/scratch_folder.hpp"
#include "datachange/error.hpp"

namespace datachange {

namespace {

constexpr std::chrono::seconds patience{60};

SubprocessResult run(Subprocess subprocess) {
    try {
        return run_subprocess(subprocess);
    } catch (Error& error) {
        error.set_hint(
            "Approvals are signed and checked by ssh-keygen of OpenSSH 8.2 or newer (Debian: "
            "openssh-client). "
            "Install it, or set PATH. Nothing was changed.");
        throw;
    }
}

}  // namespace

SubprocessResult ssh_keygen(const std::vector<std::string>& arguments, const std::string& input) {
    Subprocess subprocess;
    subprocess.command = {"ssh-keygen", "-Y"};
    subprocess.command.insert(subprocess.command.end(), arguments.begin(), arguments.end());
    subprocess.input = input;
    subprocess.timeout = patience;
    const SubprocessResult result = run(subprocess);
    if (!result.timed_out) return result;
    throw Error(ExitCode::failed,
                fmt::format("ssh-keygen -Y {} took longer than {} s", arguments.front(), patience.count()),
                "Look what keeps it, then try again. Nothing was changed.");
}

std::string ssh_sign(const std::string& text, const std::string& key) {
    if (!std::filesystem::exists(key)) {
        throw Error(ExitCode::usage, "no such key: " + key,
                    "Give with --key the file of a private key of yours (`ssh-keygen -t ed25519` makes one), "
                    "or that of "
                    "a public one whose private half the agent has.");
    }
    const ScratchFolder folder;
    const std::string file = folder.write("approval", text);
    Subprocess subprocess;
    subprocess.command = {"ssh-keygen", "-q", "-Y", "sign", "-n", signature_namespace, "-f", key, file};
    subprocess.terminal = true;
    const SubprocessResult result = run(subprocess);
    if (result.succeeded() && std::filesystem::exists(file + ".sig")) return read_text_file(file + ".sig");
    throw Error(
        ExitCode::failed, fmt::format("ssh-keygen could not sign with {}", key),
        "What it says stands above. Is it the right key, and the right passphrase? Nothing was approved.");
}

}  // namespace datachange
