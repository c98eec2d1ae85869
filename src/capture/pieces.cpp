#include "capture/pieces.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

#include "capture/capturing.hpp"
#include "capture/returned_rows.hpp"
#include "capture/row_file.hpp"
#include "capture/streamed_set.hpp"
#include "capture/surroundings.hpp"
#include "core/text.hpp"

namespace datachange {

namespace {

/// Pieces do not come to what one change would, or it cannot be told that they do.
struct NotInPieces {};

/// True if the error may be the pieces' own doing: a constraint that holds when all rows are changed.
bool may_be_of_pieces(const DatabaseError& error) {
    const std::string& state = error.sqlstate();
    return state.starts_with("21") || state.starts_with("22") || state.starts_with("23") ||
           state.starts_with("P0") || state.starts_with("SQLITE_CONSTRAINT");
}

/// One change of one step; an object of this goes through it once.
class Pieces {
public:
    Pieces(Target& target, const CaptureSpec& spec, const WholeStep& step, RowTaker& taker)
        : m_target(target),
          m_spec(spec),
          m_step(step),
          m_taker(taker),
          m_around(target, spec),
          m_accounted(m_around.account()),
          m_touched(m_around.touched_before()) {}

    StepCapture run() {
        tried([&] { m_around.read_watches(&BatchCapture::pre, Scope{}); });
        if (m_step.cut == Cut::none) {
            run_streamed();
            tried([&] { conclude(); });
        } else {
            if (m_touched.trust != TouchedTables::Trust::complete) throw NotInPieces{};
            m_step.cut == Cut::ranges ? run_ranges() : run_slices();
            tried([&] { conclude(); });
            require_apart();
        }
        m_capture.rows.counts = m_accounted.counts;
        return std::move(m_capture);
    }

private:
    /// Whatever is found wrong is to be said of the whole step, not of a piece.
    template <class Work>
    void tried(Work&& work) {
        try {
            work();
        } catch (const DatabaseError& error) {
            if (!may_be_of_pieces(error)) throw;
            throw NotInPieces{};
        } catch (const Error& error) {
            if (error.code() == ExitCode::unreachable) throw;  // a temporary file has no room
            throw NotInPieces{};
        }
    }

    /// The first range and the last one have no bound on their outer side: together they are everything.
    void run_ranges() {
        const SetSize size = measure(m_target, m_step.source, true);
        if (!size.greatest) throw NotInPieces{};
        KeyRange range;
        do {
            const auto next = next_range(m_target, m_step.source, range.upto, *size.greatest, m_step.piece);
            range.after = range.upto;
            range.upto = next ? next->range.upto : std::nullopt;
            if (range.upto == size.greatest) range.upto = std::nullopt;
            run_range(range);
        } while (range.upto);
        // where others may write, rows come and go
        if (!m_step.lock_first && m_accounted.counts.pre != size.keys) throw NotInPieces{};
    }

    void run_range(const KeyRange& range) {
        Capturing piece(m_target, m_spec, range, m_touched);
        tried([&] {
            m_step.lock_first ? piece.read_pre_locked() : piece.read_pre();
            change(piece);
        });
        hand_on(piece);
    }

    /// One change of everything; it waits in a file until the pieces of pre ask for it.
    void run_streamed() {
        StreamedPre set;
        std::unique_ptr<ReturnedRows> returned;
        tried([&] {
            set = streamed_pre(m_target, m_spec, m_step.piece, m_step.lock_first);
            returned = streamed_change(m_target, m_spec, m_step.piece, set);
            m_target.settle();
        });
        if (!returned->distinct()) throw NotInPieces{};
        const bool posts = m_spec.returned_post && returned_is_post(*returned);
        RowFile::Reader reader(set.rows);
        do {
            Capturing piece(m_target, m_spec, {}, m_touched);
            piece.take_pre(reader.next(m_step.piece));
            require_next(piece.pre());
            tried([&] { capture_returned(piece, *returned, posts); });
            hand_on(piece);
        } while (!reader.at_end());
        if (returned->taken() != returned->size()) throw NotInPieces{};  // some are not of pre
    }

    /// As Capturing::derive_post(), over everything.
    bool returned_is_post(const ReturnedRows& returned) {
        const TouchedTables touched = difference(m_touched, m_target.touched());
        return touched_only(m_touched, touched, m_spec.table_id, m_spec.change.front().traits.verb,
                            returned.size());
    }

    void capture_returned(Capturing& piece, ReturnedRows& returned, bool is_post) {
        const auto columns = identifier_columns(piece.pre().columns(), m_spec.identifier, "pre");
        RowSet rows(returned.columns());
        for (std::size_t row = 0; row < piece.pre().size(); ++row) {
            returned.take({&piece.pre(), row, &columns}, rows);
        }
        piece.take_returned(std::move(rows));
        if (!is_post || !piece.take_returned_for_post()) piece.query_post();
        piece.compare_rows();
        piece.refuse_unexpected();
    }

    void run_slices() {
        StreamedPre set;
        tried([&] { set = streamed_pre(m_target, m_spec, m_step.piece, m_step.lock_first); });
        RowFile::Reader reader(set.rows);
        do {
            Capturing piece(m_target, m_spec, {}, m_touched);
            piece.take_pre(reader.next(m_step.piece));
            require_next(piece.pre());
            tried([&] { change(piece); });
            hand_on(piece);
        } while (!reader.at_end());
    }

    /// A key that comes twice, and on both sides of a cut, would be changed twice.
    void require_next(const RowSet& slice) {
        if (slice.empty()) return;
        const auto columns = identifier_columns(slice.columns(), m_spec.identifier, "pre");
        if (m_last == slice.key(0, columns)) throw NotInPieces{};
        m_last = slice.key(slice.size() - 1, columns);
    }

    void change(Capturing& piece) {
        piece.affect_pre();
        piece.change();
        if (!piece.derive_post()) piece.query_post();
        piece.compare_rows();
        piece.refuse_unexpected();
    }

    void hand_on(Capturing& piece) {
        m_touched = piece.touched_now();
        m_accounted.add(piece.rows());
        if (m_capture.missing_example.empty()) m_capture.missing_example = first_missing(piece.rows());
        m_taker.take(piece.take_rows());
    }

    void conclude() {
        m_around.read_watches(&BatchCapture::post, Scope{});
        m_around.conclude(m_capture, difference(m_around.touched_before(), m_target.touched()), m_accounted);
    }

    /// Who touched other rows than those of its piece may have touched rows of a piece that is on record.
    void require_apart() const {
        const bool reads_own_table = m_spec.returned_post.has_value();
        for (const Collateral& table : m_capture.collateral) {
            if (!reads_own_table || table.table == m_spec.table_id) throw NotInPieces{};
        }
    }

    Target& m_target;
    const CaptureSpec& m_spec;
    const WholeStep& m_step;
    RowTaker& m_taker;
    Surroundings m_around;
    AccountedRows m_accounted;
    TouchedTables m_touched;  ///< as read last
    Key m_last;               ///< of the slice in hand
    StepCapture m_capture;
};

/// A row that gets another key could come again in a later piece.
bool may_rename(const ChangeSpec& statement, const std::vector<std::string>& identifier) {
    const std::string text = lower(statement.sql.text());
    return std::any_of(identifier.begin(), identifier.end(), [&](const std::string& name) {
        return text.find("was_" + lower(name)) != std::string::npos;
    });
}

/// True if a statement names the table more than once, so that it may look at rows beyond its piece, which an
/// earlier piece has changed. `users.name` names a column.
bool may_read_other_pieces(const SqlTemplate& sql, const std::string& table_id) {
    const std::string text = lower(sql.text());
    const std::string name = lower(table_id.substr(table_id.rfind('.') + 1));
    const auto in_name = [&](std::size_t at) {
        return at < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
    };
    int times = 0;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        const bool whole = (at == 0 || !in_name(at - 1)) && !in_name(end);
        const bool of_column = end < text.size() && text[end] == '.';
        times += whole && !of_column ? 1 : 0;
    }
    return times > 1;
}

bool watches_everything(const CaptureSpec& spec) {
    return std::none_of(spec.watches.begin(), spec.watches.end(), [](const WatchSpec& watch) {
        return watch.query.uses(SqlPiece::Kind::batch) || watch.query.uses(SqlPiece::Kind::affected);
    });
}

}  // namespace

/// New rows would come in the order of the pieces, and not in their own.
bool changes_rows_of_pre(const CaptureSpec& spec) {
    return std::all_of(spec.change.begin(), spec.change.end(), [&](const ChangeSpec& statement) {
        const std::string& verb = statement.traits.verb;
        return statement.returns && (verb == "UPDATE" || verb == "DELETE") &&
               !may_rename(statement, spec.identifier);
    });
}

bool may_be_cut(const CaptureSpec& spec, Cut cut) {
    if (cut == Cut::none || spec.table_id.empty() || spec.returning_none) return false;
    const bool looks_elsewhere =
        may_read_other_pieces(spec.pre, spec.table_id) ||
        std::any_of(spec.change.begin(), spec.change.end(), [&](const ChangeSpec& statement) {
            return may_read_other_pieces(statement.sql, spec.table_id);
        });
    const bool post_of_piece = spec.post.uses(SqlPiece::Kind::affected) ||
                               (cut == Cut::ranges && spec.post.uses(SqlPiece::Kind::batch));
    return post_of_piece && !looks_elsewhere && changes_rows_of_pre(spec) && watches_everything(spec);
}

bool may_be_streamed(const CaptureSpec& spec) {
    if (spec.returning_none || spec.change.size() != 1) return false;
    const bool affected = spec.change.front().sql.uses(SqlPiece::Kind::affected);
    return !affected && spec.post.uses(SqlPiece::Kind::affected) && changes_rows_of_pre(spec) &&
           watches_everything(spec);
}

std::optional<StepCapture> capture_in_pieces(Target& target, const CaptureSpec& spec, const WholeStep& step,
                                             RowTaker& taker) {
    std::optional<StepCapture> capture;
    target.attempt([&] {
        try {
            capture = Pieces(target, spec, step, taker).run();
        } catch (const NotInPieces&) {
            taker.restart();
        }
        return capture.has_value();
    });
    return capture;
}

}  // namespace datachange
