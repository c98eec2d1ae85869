#include "core/batch_path.hpp"

#include <algorithm>

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

}  // namespace datachange
