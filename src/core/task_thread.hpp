#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace datachange {

/// A thread of its own that does tasks one after the other, in the order in which they come; several threads
/// may give them. No signal is delivered to it.
class TaskThread {
public:
    /// @param most_waiting tasks; who brings another one waits
    explicit TaskThread(std::size_t most_waiting);
    /// Does what is waiting.
    ~TaskThread();
    TaskThread(const TaskThread&) = delete;
    TaskThread& operator=(const TaskThread&) = delete;

    /// Leaves a task, which must not throw.
    void post(std::function<void()> task);
    /// Has work done, and waits for it. @return what it returns @throws what it throws
    template <typename Work>
    std::invoke_result_t<Work&> call(Work&& work);

private:
    void work(const std::stop_token& ended);

    const std::size_t m_most_waiting;
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<std::function<void()>> m_waiting;
    std::jthread m_thread;  ///< last: it uses all of the above
};

template <typename Work>
std::invoke_result_t<Work&> TaskThread::call(Work&& work) {
    using Result = std::invoke_result_t<Work&>;
    if (std::this_thread::get_id() == m_thread.get_id()) return work();
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    std::exception_ptr failure;
    std::conditional_t<std::is_void_v<Result>, bool, std::optional<Result>> result{};
    post([&] {
        try {
            if constexpr (std::is_void_v<Result>) {
                work();
            } else {
                result.emplace(work());
            }
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex);  // held until notified: the waiting one takes all this with it
        finished = true;
        done.notify_one();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return finished; });
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<Result>) return std::move(*result);
}

}  // namespace datachange
