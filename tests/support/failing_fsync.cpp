// Loaded before the tool by LD_PRELOAD: fsync and fdatasync of files whose path contains $FAILING_FSYNC_FILE
// fail with EIO while the file $FAILING_FSYNC_WHEN exists.
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace {

bool fails(int descriptor) {
    const char* const when = std::getenv("FAILING_FSYNC_WHEN");
    const char* const part = std::getenv("FAILING_FSYNC_FILE");
    if (when == nullptr || part == nullptr || ::access(when, F_OK) != 0) return false;
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    char path[4096];
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    if (size < 0) return false;
    return std::string(path, static_cast<std::size_t>(size)).find(part) != std::string::npos;
}

int pass_on(const char* name, int descriptor) {
    if (fails(descriptor)) {
        errno = EIO;
        return -1;
    }
    using Sync = int (*)(int);
    return reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name))(descriptor);
}

}  // namespace

extern "C" int fsync(int descriptor) {
    return pass_on("fsync", descriptor);
}

extern "C" int fdatasync(int descriptor) {
    return pass_on("fdatasync", descriptor);
}
