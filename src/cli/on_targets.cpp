#include "cli/on_targets.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <regex>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "cli/readable_error.hpp"
#include "cli/signals.hpp"
#include "run/control.hpp"
#include "run/guards.hpp"

namespace datachange {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t milliseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

/// Commands that a hint names work on one database: they are told which.
std::string with_target(const std::string& hint, const std::string& target) {
    static const std::regex command("`datachange (resume|retry|undo|status|migrate|mark)( [^`]*)?`");
    return std::regex_replace(hint, command, "`datachange $1$2 --target " + target + "`");
}

void take_error(TargetOutcome& outcome, const std::exception_ptr& thrown) {
    outcome.error = readable_error(thrown);
    outcome.state = outcome.error->code() == ExitCode::pending ? "held" : "failed";
}

void work_on_one(const Settings& settings, const TargetConfig& target, const WorkOnTargets& work,
                 Listener& listener, StopRequest& stop, TargetOutcome& outcome) {
    const Clock::time_point start = Clock::now();
    outcome.state = "done";
    try {
        work.work(settings.for_target(target), listener, stop, outcome);
    } catch (const AlreadyDone& done) {
        outcome.state = "skipped";
        outcome.note = done.what();
    } catch (const Stopped&) {
        take_error(outcome, std::current_exception());
        outcome.state = "stopped";
    } catch (...) {
        take_error(outcome, std::current_exception());
    }
    if (outcome.error) outcome.error->set_hint(with_target(outcome.error->hint(), outcome.target));
    listener.run_ended();
    outcome.duration_ms = milliseconds_since(start);
}

std::vector<TargetOutcome> not_begun(const std::vector<TargetConfig>& targets) {
    std::vector<TargetOutcome> outcomes;
    for (const TargetConfig& target : targets) {
        TargetOutcome outcome;
        outcome.target = target.name;
        outcome.shard_of = target.shard_of;
        outcome.group = target.group;
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

}  // namespace

void in_parallel(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min<std::size_t>(count, std::max(1U, jobs)); ++i) {
        threads.emplace_back([&] {
            for (std::size_t mine = next++; mine < count; mine = next++) work(mine);
        });
    }
}

void require_no_timings(const WorkOptions& work) {
    if (!work.run.timings) return;
    throw Error(ExitCode::usage, "--timings tells of one run, and several targets were chosen",
                "Leave it out, or choose one with --target. Nothing was changed.");
}

int work_on_targets(const Settings& settings, const WorkOnTargets& work, const OutputOptions& output) {
    const Clock::time_point start = Clock::now();
    const TargetChoice& choice = settings.given.choice;
    std::vector<TargetOutcome> outcomes = not_begun(settings.chosen);
    StopRequest stop;
    {
        const SignalWatch signals(stop);
        TargetsProgress progress(targets_view(output), settings.chosen.size());
        in_parallel(outcomes.size(), choice.jobs, [&](std::size_t place) {
            if (stop.requested()) return;
            TargetOutcome& outcome = outcomes[place];
            const auto listener = progress.begin(outcome.target);
            work_on_one(settings, settings.chosen[place], work, *listener, stop, outcome);
            if (outcome.error && choice.fail_fast) stop.request_first();
            progress.end(outcome);
        });
    }
    const TargetsCommand command{work.title, work.dry_run, milliseconds_since(start)};
    fmt::print("{}", output.json ? targets_json(outcomes, command) : targets_text(outcomes, command));
    return exit_status_of(outcomes);
}

}  // namespace datachange
