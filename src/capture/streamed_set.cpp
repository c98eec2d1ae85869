#include "capture/streamed_set.hpp"

#include <optional>

#include "capture/capturing.hpp"
#include "core/located.hpp"

namespace datachange {

namespace {

StreamedPre read_once(Target& target, const CaptureSpec& spec, std::uint64_t piece) {
    StreamedPre pre;
    std::optional<KeySequence> keys;
    located(spec.path, spec.pre.at, [&] {
        target.stream(in_key_order(spec.pre, spec.identifier), piece, [&](RowSet&& found) {
            if (!keys) keys.emplace(identifier_columns(found.columns(), spec.identifier, "pre"));
            keys->see(found);
            pre.rows.append(found);
        });
        return 0;
    });
    pre.ascends = keys->ascends();
    return pre;
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

StreamedPre streamed_pre(Target& target, const CaptureSpec& spec, std::uint64_t piece, bool lock_first) {
    StreamedPre set = read_once(target, spec, piece);
    for (int round = 0; lock_first; ++round) {
        if (round == most_locking_rounds) refuse_growing_set();
        lock(target, spec, set.rows, piece);
        StreamedPre now = read_once(target, spec, piece);
        const bool done = all_locked(set.rows, now.rows, spec);
        set = std::move(now);
        if (done) break;
    }
    return set;
}

std::unique_ptr<ReturnedRows> streamed_change(Target& target, const CaptureSpec& spec, std::uint64_t piece,
                                              const StreamedPre& pre) {
    const SqlTemplate& sql = spec.change.front().sql;
    RowFile rows;
    std::vector<std::size_t> columns;
    std::optional<KeySequence> keys;
    located(spec.path, sql.at, [&] {
        target.stream_change(sql, piece, [&](RowSet&& found) {
            if (!keys) {
                columns = identifier_columns(found.columns(), spec.identifier, "RETURNING");
                keys.emplace(columns);
            }
            keys->see(found);
            rows.append(found);
        });
        return 0;
    });
    return std::make_unique<ReturnedRows>(std::move(rows), std::move(columns),
                                          pre.ascends && keys->ascends());
}

}  // namespace datachange
