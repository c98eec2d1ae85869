#include <map>

#include <fmt/format.h>

#include "record/ledger/chain_format.hpp"
#include "record/ledger/verify_parts.hpp"

namespace datachange {

namespace {

std::string link_text(const ChainLink& link, const std::string& own) {
    return fmt::format("link {} of {}", link.link,
                       link.ledger == own ? "the chain" : "the chain of ledger " + link.ledger.substr(0, 8));
}

/// The link that must fit what the ledger has of each run: the newest of its own chain, else that of the
/// greatest epoch in another.
std::map<std::int64_t, const ChainLink*> current_links(const std::vector<ChainLink>& links,
                                                       const std::string& own) {
    std::map<std::int64_t, const ChainLink*> current;
    for (const ChainLink& link : links) {
        const ChainLink*& known = current[link.run];
        const bool follows = known == nullptr || known->ledger == link.ledger ||
                             (known->ledger != own && known->epoch <= link.epoch);
        if (follows) known = &link;
    }
    return current;
}

/// Each root follows from the one before.
void verify_roots(Ledger& ledger, const std::vector<ChainLink>& links, VerifyReport& report) {
    const ChainLink* before = nullptr;
    for (const ChainLink& link : links) {
        const bool first = before == nullptr || before->ledger != link.ledger;
        const auto wrong = [&](const std::string& what) {
            report.mismatches.push_back({link.run, 0, "", "", link_text(link, report.ledger) + what});
        };
        if (link.format < 1 || link.format > newest_chain_format) {
            wrong(fmt::format(" has the format {}, which there is not", link.format));
        } else if (link.previous != (first ? "" : before->root)) {
            wrong(" does not follow from the one before: a link was altered or taken away");
        } else if (link.format > 1 && root_of(ledger, link) != link.root) {
            wrong(" was altered: its root does not follow from its content");
        }
        ++(link.ledger == report.ledger ? report.links : report.merged_links);
        if (link.ledger == report.ledger) report.head = link.root;
        before = &link;
    }
}

bool content_fits(Ledger& ledger, const ChainLink& link) {
    if (link.format == 1) return root_of(ledger, link) == link.root;
    const RunContent content = content_of(ledger, link.run, link.format);
    return content.sha256 == link.content && content.leaves == link.leaves;
}

/// What is wrong with a run as its newest link sees it; "": nothing.
std::string run_problem(Ledger& ledger, const VerifiedRun& run, const ChainLink* link) {
    if (link == nullptr) {
        if (!run.root.empty()) return "it has a root, and the chain has no link of it";
        return run.dry_run || !run.ended() ? "" : "it has ended, and the chain has no link of it";
    }
    if (run.root != link->root) return "its root is not the one of its newest link";
    const bool gone_on = link->epoch == 0 ? !run.ended() : run.epoch > link->epoch;
    if (gone_on) return run.ended() ? "it went on and has ended, and the chain has no link of that" : "";
    if (link->format < 1 || link->format > newest_chain_format || content_fits(ledger, *link)) return "";
    return "what is recorded of it is not what the chain covers: a field of it, of its steps, batches, "
           "summaries,"
           " failures, collateral or elsewhere was altered";
}

void find_anchor(const std::vector<ChainLink>& links, const std::string& anchor, VerifyReport& report) {
    if (anchor.empty()) return;
    for (const ChainLink& link : links) {
        if (!link.root.starts_with(anchor)) continue;
        report.anchor = link.link;
        report.anchor_ledger = link.ledger;
        return;
    }
    report.mismatches.push_back(
        {0, 0, "", "", "the anchor is not in the chain: what it stands for was cut off or altered"});
}

}  // namespace

void verify_chain(Ledger& ledger, const std::vector<VerifiedRun>& runs, const VerifyOptions& options,
                  VerifyReport& report) {
    const std::vector<ChainLink> links = chain_links(ledger);
    verify_roots(ledger, links, report);
    const auto current = current_links(links, report.ledger);
    for (const VerifiedRun& run : runs) {
        const auto link = current.find(run.run);
        const std::string problem = run_problem(ledger, run, link == current.end() ? nullptr : link->second);
        if (!problem.empty()) report.mismatches.push_back({run.run, 0, "", "", problem});
    }
    find_anchor(links, options.anchor, report);
}

}  // namespace datachange
