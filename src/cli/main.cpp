#include <cstdlib>  // says whose library it is

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "cli/command_line.hpp"

namespace {

/// The rows of each batch take some megabytes, which glibc would give back to the system and fetch anew, page
/// by page: 50,000 page faults for a million rows.
void keep_memory_of_batches() {
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 128 << 20);
    mallopt(M_TOP_PAD, 4 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
    keep_memory_of_batches();
    return datachange::run_command_line(argc, argv);
}
