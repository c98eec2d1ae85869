#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/ledger/ledger.hpp"

namespace datachange {

/// A link of this ledger's chain, or of one that was merged into it.
struct ChainLink {
    std::string ledger;  ///< UUID of the ledger whose chain it is
    std::int64_t link = 0;
    std::int64_t run = 0;  ///< its number here
    std::string at;
    std::uint64_t leaves = 0;
    std::string previous, root;
    int format = 0;
    std::string content;     ///< "" in format 1
    std::int64_t epoch = 0;  ///< of the run, when it ended; 0 in formats 1 and 2, which do not tell
};

/// SHA-256 over all that the ledger has of a run, as a link covers it.
struct RunContent {
    std::string sha256;
    std::uint64_t leaves = 0;  ///< of committed batches
};

/// Counts anew what a link of a format covers. README.md has the formats.
/// @param format 2 or 3
RunContent content_of(Ledger& ledger, std::int64_t run_id, int format);
/// The root that a link must have. One of format 1 is made of the run itself, and can only be recounted as
/// long as that has not gone on.
std::string root_of(Ledger& ledger, const ChainLink& link);

/// Hashes what the run has recorded up to now and appends it to the chain.
/// @return the run's root.
std::string append_to_chain(Ledger& ledger, std::int64_t run_id);

/// All links of this ledger's own chain, then those of others, each chain in its order.
std::vector<ChainLink> chain_links(Ledger& ledger);
/// The newest root of the ledger's own chain; "" if there is none.
std::string chain_head(Ledger& ledger);

}  // namespace datachange
