#include <memory>

#include <fmt/format.h>

#include "cli/command_tree.hpp"
#include "cli/completion.hpp"

namespace datachange {

void add_completion(CommandTree& tree) {
    const auto shell = std::make_shared<std::string>();
    CLI::App* command =
        tree.add_without_settings("completion", "Print the script that completes datachange in a shell",
                                  "source <(datachange completion bash)", [shell] {
                                      fmt::print("{}", completion_script(*shell));
                                      return 0;
                                  });
    command->add_option("shell", *shell, "The shell")->required()->check(CLI::IsMember(completion_shells));
}

}  // namespace datachange
