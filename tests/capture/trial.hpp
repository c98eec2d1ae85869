#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "capture/whole_step.hpp"
#include "run/preflight.hpp"
#include "target/test_database.hpp"

namespace datachange::test {

/// What one batch over everything gave, without and with its rows locked first; by key list where change says
/// :affected.
struct TrialResult {
    bool read_post = false;  ///< post was read from the table, where it might have been taken from RETURNING
    std::string kept;  ///< all that was captured with RETURNING for post where that is possible, or the error
    std::string read;  ///< the same with post read
};

/// What a whole step gave, at once and in pieces, and how its table was left: without and with its rows
/// locked first; or the error.
struct WholeTrial {
    std::string at_once, in_pieces;
    int pieces = 0;  ///< that the rows came in, in the end
};

/// A table and what hangs on it in a database of its own, on which definitions are captured and rolled back.
class Trial {
public:
    Trial(Engine engine, const std::vector<std::string>& setup);

    /// @param parts of the definition behind its title: header lines and sections.
    TrialResult capture(const std::string& definition);
    /// @param piece rows of a piece
    WholeTrial capture_whole(const std::string& definition, std::uint64_t piece);
    Target& target() { return *m_target; }

private:
    std::string rolled_back(Isolation isolation, const std::function<std::string()>& batch);
    std::string capture_once(const CaptureSpec& spec);
    using CaptureStep =
        std::function<StepCapture(const ReadyStep&, bool lock_first, bool at_once, RowTaker&)>;
    WholeTrial compare_pieces(const std::string& definition, const CaptureStep& capture_step);

    TestDatabase m_database;
    std::unique_ptr<Target> m_target;
};

/// "-- table: t\n-- identifier: id" and the sections.
std::string definition_of(const std::string& pre, const std::string& change, const std::string& post = "");

}  // namespace datachange::test
