#pragma once

#include <string>
#include <vector>

#include "core/subprocess.hpp"

namespace datachange {

/// What signatures are made for: `ssh-keygen -Y sign -n datachange`. One for another purpose does not count.
inline constexpr const char* signature_namespace = "datachange";

/// Runs `ssh-keygen -Y ...`. @throws Error (failed) if it is not there, or takes too long
SubprocessResult ssh_keygen(const std::vector<std::string>& arguments, const std::string& input);

/// Signs a text with a private key, or with the agent's where the public one is given. A passphrase is asked
/// for at the terminal.
/// @return the signature, armored @throws Error (failed)
std::string ssh_sign(const std::string& text, const std::string& key);

}  // namespace datachange
