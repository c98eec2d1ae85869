#pragma once

#include <mutex>

#include "run/listener.hpp"

namespace datachange {

/// Decoration must not end a run: what a listener throws is dropped. Several workers may tell; one is heard
/// at a time.
class GuardedListener : public Listener {
public:
    explicit GuardedListener(Listener& listener) : m_listener(listener) {}

    void run_started(const std::string& title, bool dry_run) override {
        guarded([&] { m_listener.run_started(title, dry_run); });
    }
    void step_started(int step, const std::string& name, std::uint64_t planned_rows, bool batched) override {
        guarded([&] { m_listener.step_started(step, name, planned_rows, batched); });
    }
    void step_resumed(int step, std::uint64_t done_rows, std::uint64_t done_batches) override {
        guarded([&] { m_listener.step_resumed(step, done_rows, done_batches); });
    }
    void batch_done(int step, const std::string& batch, std::uint64_t rows) override {
        guarded([&] { m_listener.batch_done(step, batch, rows); });
    }
    void rows_changed(std::uint64_t changed) override {
        guarded([&] { m_listener.rows_changed(changed); });
    }
    void run_taken(const RunNotice& notice) override {
        guarded([&] { m_listener.run_taken(notice); });
    }
    void run_paused(const std::string& why) override {
        guarded([&] { m_listener.run_paused(why); });
    }
    void run_concluded(const RunNotice& notice) override {
        guarded([&] { m_listener.run_concluded(notice); });
    }
    void throttled(const std::string& reason) override {
        guarded([&] { m_listener.throttled(reason); });
    }
    void waiting(const std::string& what) override {
        guarded([&] { m_listener.waiting(what); });
    }
    void warning(const std::string& text) override {
        guarded([&] { m_listener.warning(text); });
    }
    void run_ended() override {
        guarded([&] { m_listener.run_ended(); });
    }

private:
    template <typename Call>
    void guarded(Call&& call) noexcept {
        try {
            const std::lock_guard lock(m_mutex);
            call();
        } catch (...) {  // NOLINT(bugprone-empty-catch): see above
        }
    }

    Listener& m_listener;
    std::mutex m_mutex;
};

}  // namespace datachange
