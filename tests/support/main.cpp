#define CATCH_CONFIG_MAIN
#include "support/catch.hpp"

/// Asked by LeakSanitizer: libpqxx 6 loses the answer of the statement in which a connection breaks.
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libpqxx";
}
