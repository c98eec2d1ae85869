#pragma once

namespace datachange {

// What tests do to the tool from within. Nothing, in the tool and the library that are installed: core/failpoint.cpp is
// empty. The tests link a tool of their own from the same objects, with tests/support/failpoint.cpp in its place.

/// A place where a test may have the process die or stop.
void failpoint(const char* name);

/// Whether a test wants something done in another way. @param variable of the environment, to be set
bool asked_by_test(const char* variable);

}  // namespace datachange
