#include "cli/queue_output.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "core/value_json.hpp"
#include "migrate/worker.hpp"
#include "report/json.hpp"
#include "report/table.hpp"

namespace datachange {

namespace {

std::string item_json(const QueueItem& item) {
    const bool processing = item.state == "processing";
    std::vector<std::string> errors;
    for (const std::string& error : item.errors) errors.push_back(json_string(error));
    return JsonObject{}
        .add("position", item.position)
        .add("id", item.id)
        .add("version", item.version)
        .add("name", item.name)
        .add("definition_sha256", item.definition_sha256)
        .add("state", item.state)
        .add("attempts", item.attempts)
        .add_or_null("not_before", item.not_before)
        .add("claim", item.claim)
        .add_or_null("worker", item.worker)
        .raw("worker_gone", !processing         ? "null"
                            : worker_gone(item) ? "true"
                                                : "false")
        .add_or_null("claimed_at", item.claimed_at)
        .add_or_null("heartbeat_at", item.heartbeat_at)
        .add("enqueued_by", item.enqueued_by)
        .add("enqueued_at", item.enqueued_at)
        .add_or_null("finished_at", item.finished_at)
        .add_or_null("run_uuid", item.run_uuid)
        .add("batches", item.batches)
        .raw("errors", json_list(errors))
        .text();
}

std::string seconds(std::chrono::milliseconds duration) {
    return fmt::format("{:.0f} s", std::chrono::duration<double>(duration).count());
}

std::string what(const QueueItem& item) {
    const std::string run = item.run_uuid.empty() ? "" : "run " + item.run_uuid.substr(0, 8);
    if (item.state == "processing") {
        return fmt::format("{}{}by {}, heard {} ago{}", run,
                           run.empty() ? "" : fmt::format(", {}, ", counted(item.batches, "batch")),
                           item.worker, seconds(item.silent_for), worker_gone(item) ? ": gone" : "");
    }
    if (item.state == "pending") {
        return fmt::format("again {}: {}", item.due_in.count() > 0 ? "in " + seconds(item.due_in) : "now",
                           newest_error(item));
    }
    if (item.state == "failed") return newest_error(item);
    if (item.state == "created") return run.empty() ? "" : run + " goes on";
    return fmt::format("{}{}{}", item.finished_at, run.empty() ? "" : ", ", run);
}

}  // namespace

std::string queue_json(const std::string& target, const std::vector<QueueItem>& items) {
    std::vector<std::string> objects;
    for (const QueueItem& item : items) objects.push_back(item_json(item));
    return JsonObject{}.add("target", target).raw("items", json_list(objects)).text() + "\n";
}

std::string queue_text(const std::vector<QueueItem>& items, std::size_t widest) {
    using Align = Table::Align;
    Table table({"position", "version", "name", "state", "failed attempts", ""},
                {Align::right, Align::left, Align::left, Align::left, Align::right, Align::left});
    for (const QueueItem& item : items) {
        table.add({std::to_string(item.position), item.version, item.name, item.state,
                   item.attempts == 0 ? "" : std::to_string(item.attempts), what(item)});
    }
    return table.empty() ? "the queue is empty\n" : table.text(0, widest);
}

}  // namespace datachange
