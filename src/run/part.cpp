#include "run/part.hpp"

#include <tuple>

#include <fmt/format.h>

namespace datachange {

namespace {

Halves halve_slice(const ReadyStep& step, const Part& part) {
    const RowSet& slice = *part.slice;
    const auto places = step.slice_key(slice);
    Halves result;
    if (slice.size() == 1) {
        result.identifier = step.slice_identifier(slice, 0);
        return result;
    }
    const std::size_t middle = slice.size() / 2;
    for (const auto& [number, from, to] :
         {std::tuple{1, std::size_t{0}, middle}, {2, middle, slice.size()}}) {
        auto half = std::make_shared<const RowSet>(slice.part(from, to));
        const KeyRange range{half->key(0, places), half->key(half->size() - 1, places)};
        result.halves.push_back({fmt::format("{}.{}", part.path, number), range, to - from, std::move(half)});
    }
    return result;
}

Halves halve_range(BatchRunner& runner, const ReadyStep& step, const Part& part) {
    Halves result;
    runner.read_only([&] {
        result = {};
        const Key& end = *part.range.upto;
        const std::uint64_t keys = count_keys(runner.target(), step.source, part.range);
        if (keys == 0) return;
        const auto half = next_range(runner.target(), step.source, part.range.after, end, (keys + 1) / 2);
        const Key middle = *half->range.upto;
        if (keys == 1) {
            result.identifier = key_text(middle);
            return;
        }
        result.halves.push_back({part.path + ".1", {part.range.after, middle}, half->keys});
        result.halves.push_back({part.path + ".2", {middle, end}, keys - half->keys});
    });
    return result;
}

}  // namespace

Halves halve(BatchRunner& runner, const ReadyStep& step, const Part& part) {
    return part.slice ? halve_slice(step, part) : halve_range(runner, step, part);
}

}  // namespace datachange
