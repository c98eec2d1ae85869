#include "run/backoff.hpp"

#include <algorithm>

namespace datachange {

std::chrono::milliseconds Backoff::before_retry(unsigned n, std::chrono::milliseconds base,
                                                std::chrono::milliseconds cap) {
    using Count = std::chrono::milliseconds::rep;
    const Count most = std::max<Count>(cap.count(), 0);
    Count longest = std::clamp<Count>(base.count(), 0, most);
    // stops at the cap: 2^(n-1) itself would overflow
    for (unsigned retry = 1; retry < n && longest > 0 && longest < most; ++retry)
        longest = longest > most / 2 ? most : longest * 2;
    return std::chrono::milliseconds{std::uniform_int_distribution<Count>{0, longest}(m_random)};
}

}  // namespace datachange
