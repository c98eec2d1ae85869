#pragma once

namespace datachange {

#ifdef DATACHANGE_FAILPOINTS

/// A place where a test may have the process die or stop: the environment's DATACHANGE_FAILPOINT is
/// "name:number:signal", and at that pass through the place (from 1) the process sends itself the signal,
/// KILL or STOP. Only in builds with the CMake option DATACHANGE_FAILPOINTS; elsewhere nothing of it is
/// compiled.
void failpoint(const char* name);

#else

inline void failpoint(const char*) {
}

#endif

}  // namespace datachange
