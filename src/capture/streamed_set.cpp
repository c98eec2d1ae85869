#include "capture/streamed_set.hpp"

#include "capture/capturing.hpp"
#include "core/located.hpp"

namespace datachange {

namespace {

RowFile read_once(Target& target, const CaptureSpec& spec, std::uint64_t piece) {
    RowFile rows;
    located(spec.path, spec.pre.at, [&] {
        target.stream(in_key_order(spec.pre, spec.identifier), piece,
                      [&](RowSet&& found) { rows.append(found); });
        return 0;
    });
    return rows;
}

void lock(Target& target, const CaptureSpec& spec, const RowFile& set, std::uint64_t piece) {
    const auto columns = identifier_columns(set.columns(), spec.identifier, "pre");
    for (RowFile::Reader reader(set); !reader.at_end();) {
        lock_rows(target, spec, keys_of(reader.next(piece), columns));
    }
}

/// True if every key of `now` is one of `locked`; both come in key order.
bool all_locked(const RowFile& locked, const RowFile& now, const CaptureSpec& spec) {
    const auto columns = identifier_columns(now.columns(), spec.identifier, "pre");
    RowFile::Reader of_locked(locked);
    for (RowFile::Reader of_now(now); !of_now.at_end();) {
        const Key key = of_now.next(1).key(0, columns);
        do {
            if (of_locked.at_end()) return false;
        } while (of_locked.next(1).key(0, columns) != key);
    }
    return true;
}

}  // namespace

RowFile streamed_pre(Target& target, const CaptureSpec& spec, std::uint64_t piece, bool lock_first) {
    RowFile set = read_once(target, spec, piece);
    for (int round = 0; lock_first; ++round) {
        if (round == most_locking_rounds) refuse_growing_set();
        lock(target, spec, set, piece);
        RowFile now = read_once(target, spec, piece);
        const bool done = all_locked(set, now, spec);
        set = std::move(now);
        if (done) break;
    }
    return set;
}

}  // namespace datachange
