#pragma once

#include <string>

#include "run/fence.hpp"
#include "target/target.hpp"

namespace datachange {

/// The application name that the sessions of a version's run carry on the server: how they are found there.
std::string session_name(const std::string& version);

/// Nobody works any more on a run that says it is going on: its process on this host is gone, or it is on
/// another host and the server has no session of it.
bool stalled(const JournalRun& run, Target& target);

}  // namespace datachange
