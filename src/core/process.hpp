#pragma once

#include <cstdint>
#include <string>

namespace datachange {

/// The name of this host, as it stands in what is recorded of a run; "unknown" if it has none.
std::string host_name();

/// Whether a process that was at work on some host is certainly not any more.
///
/// True only if `host` is this host, and there is no process `pid`, or it has ended and only waits to be
/// collected, or it began later than `since`, so that the number was given to another one. On any other host
/// nothing is known: false.
/// @param since when the process was seen at work, as utc_now() gives it; two seconds of difference are let
/// pass, for the start of a process is known to hundredths of a second, and that of the system to seconds.
/// "": not compared.
bool process_gone(const std::string& host, std::int64_t pid, const std::string& since);

}  // namespace datachange
