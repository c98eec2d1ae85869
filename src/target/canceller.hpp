#pragma once

#include <functional>
#include <mutex>

namespace datachange {

/// Ends the statement in hand from another thread, and never the one after it: a statement does not end while
/// a request is on its way.
class Canceller {
public:
    /// How a session is asked, from whatever thread; nothing while there is no session. Waits for a request
    /// that is on its way.
    void ask_by(std::function<void()> request);

    /// Asks, if a statement is in hand. From any thread, but not from a signal handler.
    void cancel() noexcept;

    /// A statement that may be cancelled is in hand for the life of the object.
    class Statement {
    public:
        explicit Statement(Canceller& canceller) : m_canceller(canceller) { m_canceller.set_running(true); }
        ~Statement() { m_canceller.set_running(false); }
        Statement(const Statement&) = delete;
        Statement& operator=(const Statement&) = delete;

    private:
        Canceller& m_canceller;
    };

private:
    void set_running(bool running);

    std::mutex m_mutex;
    std::function<void()> m_request;
    bool m_running = false;
};

}  // namespace datachange
