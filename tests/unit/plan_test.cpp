#include "plan/plan.hpp"

#include "support/catch.hpp"

using namespace datachange;

namespace {

Definition definition(const std::string& header, const std::string& pre, const std::string& change,
                      Engine engine = Engine::postgresql) {
    const std::string text = "-- table: t\n-- identifier: id\n" + header + "-- audit:pre\n" + pre +
                             ";\n-- audit:change\n" + change + ";\n";
    return parse_definition({"audits/20260101000000_x.sql", "20260101000000", "x"}, text, engine);
}

Plan plan_of(const Definition& parsed, RunOptions options = {}) {
    return make_plan(parsed, options);
}

std::string refusal(const Plan& plan, std::uint64_t rows) {
    try {
        choose_mode(plan, {rows});
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

constexpr const char* pre_all = "SELECT id, v FROM t";
constexpr const char* pre_batch = "SELECT id, v FROM t WHERE :batch(id)";
constexpr const char* change_all = "UPDATE t SET v = 1 RETURNING id, v";
constexpr const char* change_batch = "UPDATE t SET v = 1 WHERE :batch(id) RETURNING id, v";
constexpr const char* change_affected = "UPDATE t SET v = 1 WHERE :affected(id) RETURNING id, v";

}  // namespace

TEST_CASE("a set up to the threshold is one transaction, a larger one goes in batches") {
    const Plan plan = plan_of(definition("", pre_batch, change_batch));
    CHECK(choose_mode(plan, {0}) == Mode::single);
    CHECK(choose_mode(plan, {10'000}) == Mode::single);
    CHECK(choose_mode(plan, {10'001}) == Mode::batched);
}

TEST_CASE("the way of batching follows from what pre and change say") {
    CHECK(plan_of(definition("", pre_batch, change_batch)).steps[0].batching == Batching::range);
    CHECK(plan_of(definition("", pre_all, change_affected)).steps[0].batching == Batching::key_list);
    CHECK(plan_of(definition("", pre_all, change_all)).steps[0].batching == Batching::none);
}

TEST_CASE("the batch size is the command's, else the definition's, else the default") {
    RunOptions options;
    CHECK(plan_of(definition("", pre_batch, change_batch), options).steps[0].batch_size ==
          default_batch_size);
    CHECK(plan_of(definition("-- batch-size: 70\n", pre_batch, change_batch), options).steps[0].batch_size ==
          70);
    options.batch_size = 7;
    CHECK(plan_of(definition("-- batch-size: 70\n", pre_batch, change_batch), options).steps[0].batch_size ==
          7);
}

TEST_CASE("a large set that cannot be batched is refused with what to add") {
    const Plan neither = plan_of(definition("", pre_all, change_all));
    CHECK(refusal(neither, 10'000).empty());
    CHECK(refusal(neither, 10'001) ==
          "the set has 10,001 rows, too many for one transaction (threshold 10,000), and cannot be batched: "
          "change says "
          "neither :batch nor :affected");
    CHECK(neither.steps[0].advice.find("AND :batch(id)") != std::string::npos);
    CHECK(refusal(plan_of(definition("", pre_all, change_batch)), 10'001).find("pre does not") !=
          std::string::npos);
}

TEST_CASE("one transaction is taken where the command or the definition asks for it") {
    RunOptions options;
    options.single_transaction = true;
    CHECK(choose_mode(plan_of(definition("", pre_all, change_all), options), {50'000}) == Mode::single);
    CHECK(choose_mode(plan_of(definition("-- transaction: single\n", pre_batch, change_batch)), {50'000}) ==
          Mode::single);
    CHECK(choose_mode(plan_of(definition("-- transaction: batched\n", pre_batch, change_batch)), {1}) ==
          Mode::batched);
}

TEST_CASE("ranges that would change the meaning are refused unless the header says why they are safe") {
    const char* window =
        "SELECT id, v FROM (SELECT id, v, row_number() OVER (PARTITION BY v ORDER BY id) AS n FROM t WHERE "
        ":batch(id)) d WHERE n > 1";
    for (const Engine engine : {Engine::postgresql, Engine::sqlite}) {
        const Plan plan = plan_of(definition("", window, change_batch, engine));
        CHECK(plan.steps[0].batching == Batching::none);
        CHECK(refusal(plan, 10'001).find("window") != std::string::npos);
        const Plan overruled =
            plan_of(definition("-- batch-safe: v never spans ranges\n", window, change_batch, engine));
        CHECK(overruled.steps[0].batching == Batching::range);
    }
}
