#include "run/continuation.hpp"

#include <rapidcheck.h>

#include "core/batch_path.hpp"
#include "support/catch.hpp"

using namespace datachange;

namespace {

Key key(int number) {
    return {Value::integer(number)};
}

/// The batch `path` over after < key <= upto; 0 is no bound.
CommittedBatch batch(const std::string& path, int after, int upto) {
    return {1, path, {after == 0 ? std::nullopt : std::optional{key(after)}, key(upto)}, 1, "leaf", "ledger"};
}

std::string text(const std::optional<Key>& bound) {
    return bound ? key_text(*bound) : "-";
}

/// "after..upto between path and path", one a gap.
std::vector<std::string> found(const std::vector<CommittedBatch>& batches, int greatest) {
    JournalBatches journal;
    journal.batches = batches;
    std::vector<std::string> texts;
    for (const Gap& gap : gaps(continue_step(1, journal, {}), key(greatest))) {
        texts.push_back(text(gap.range.after) + ".." + text(gap.range.upto) + " between " + gap.after + " and " +
                        gap.before);
    }
    return texts;
}

}  // namespace

TEST_CASE("what is left of a step is what no committed batch covers") {
    using Texts = std::vector<std::string>;
    CHECK(found({}, 100) == Texts{"-..100 between  and "});
    CHECK(found({batch("1", 0, 10), batch("2", 10, 20)}, 100) == Texts{"20..100 between 2 and "});
    CHECK(found({batch("1", 0, 10), batch("2", 10, 100)}, 100).empty());
    CHECK(found({batch("2", 10, 20), batch("4", 30, 100)}, 100) ==
          Texts{"-..10 between  and 2", "20..30 between 2 and 4"});
    CHECK(found({batch("1", 0, 10), batch("2.1", 10, 15), batch("3", 20, 30)}, 100) ==
          Texts{"15..20 between 2.1 and 3", "30..100 between 3 and "});
}

TEST_CASE("batches and sets of other steps are left alone") {
    JournalBatches journal;
    journal.batches = {batch("1", 0, 10)};
    journal.batches.front().step = 2;
    journal.sets = {{2, 50, 0, key(50)}};
    const StepContinuation first = continue_step(1, journal, {});
    CHECK(first.batches.empty());
    CHECK_FALSE(first.set);
    CHECK(continue_step(2, journal, {}).set->keys == 50);
}

TEST_CASE("one batch over everything is a step that is done") {
    JournalBatches journal;
    CHECK_FALSE(continue_step(1, journal, {}).whole());
    journal.batches = {{1, "1", {}, 3, "leaf", "ledger"}};
    CHECK(continue_step(1, journal, {}).whole());
}

TEST_CASE("a path between two batches is short and new") {
    CHECK(batch_path_between("", "") == "1");
    CHECK(batch_path_between("7", "") == "8");
    CHECK(batch_path_between("7.2.1", "") == "8");
    CHECK(batch_path_between("6", "8") == "7");
    CHECK(batch_path_between("6", "7") == "6.1");
    CHECK(batch_path_between("7.1", "8") == "7.2");
    CHECK(batch_path_between("7.1", "7.2") == "7.1.1");
    CHECK(batch_path_between("", "1") == "0.1");
    CHECK(batch_path_between("6", "8", {"7"}) == "6.1");
    CHECK(batch_path_between("6", "8", {"7", "6.1"}) == "6.2");
    CHECK(batch_path_between("6", "6.2", {"6.1"}) == "6.1.1");
    CHECK(batch_path_between("6", "6.1") == "6.0.1");
    CHECK(batch_path_between("9", "") == "10");
}

TEST_CASE("however a run stops and goes on, paths stay in the order of ranges and none comes twice") {
    rc::check([] {
        // a run of 100 keys, of which some batches are lost again and again: what is left is done in other cuts
        std::vector<CommittedBatch> committed;
        std::set<std::string> taken;
        const auto rounds = *rc::gen::inRange(1, 6);
        for (int round = 0; round < rounds; ++round) {
            JournalBatches journal;
            journal.batches = committed;
            StepContinuation step = continue_step(1, journal, {});
            for (const Gap& gap : gaps(step, key(100))) {
                int at = gap.range.after ? std::stoi(key_text(*gap.range.after)) : 0;
                const int end = std::stoi(key_text(*gap.range.upto));
                std::string path = gap.after;
                while (at < end) {
                    const int next = std::min(end, at + *rc::gen::inRange(1, 40));
                    path = batch_path_between(path, gap.before, taken);
                    RC_ASSERT(taken.insert(path).second);
                    RC_ASSERT(gap.before.empty() || batch_path_less(path, gap.before));
                    if (*rc::gen::inRange(0, 3) > 0) committed.push_back(batch(path, at, next));
                    at = next;
                }
            }
            std::sort(committed.begin(), committed.end(), [](const CommittedBatch& a, const CommittedBatch& b) {
                return batch_path_less(a.batch, b.batch);
            });
            int last = 0;
            for (const CommittedBatch& done : committed) {
                const int after = done.range.after ? std::stoi(key_text(*done.range.after)) : 0;
                RC_ASSERT(after >= last);
                last = std::stoi(key_text(*done.range.upto));
            }
        }
    });
}
