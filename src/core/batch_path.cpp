#include "core/batch_path.hpp"

#include <algorithm>
#include <cstdint>

#include "core/text.hpp"

namespace datachange {

bool batch_path_less(const std::string& a, const std::string& b) {
    const auto parts_a = split(a, '.');
    const auto parts_b = split(b, '.');
    // numbers without leading zeros: the longer is the greater
    const auto less = [](const std::string& x, const std::string& y) {
        return x.size() != y.size() ? x.size() < y.size() : x < y;
    };
    return std::lexicographical_compare(parts_a.begin(), parts_a.end(), parts_b.begin(), parts_b.end(), less);
}

std::string batch_path_between(const std::string& after, const std::string& before,
                               const std::set<std::string>& taken) {
    const std::vector<std::string> parts = split(after.empty() ? "0" : after, '.');
    std::string prefix;
    // a sibling of the batch or of one that it lies in: the shortest that fits
    for (const std::string& part : parts) {
        for (std::uint64_t number = std::stoull(part) + 1;; ++number) {
            std::string path = prefix + std::to_string(number);
            if (!before.empty() && !batch_path_less(path, before)) break;
            if (!taken.contains(path)) return path;
        }
        prefix += part + ".";
    }
    // else below it, as deep as it takes
    for (;;) {
        std::uint64_t number = 0;
        for (;;) {
            std::string path = prefix + std::to_string(++number);
            if (!before.empty() && !batch_path_less(path, before)) break;
            if (!taken.contains(path)) return path;
        }
        prefix += std::to_string(number - 1) + ".";
    }
}

}  // namespace datachange
