#include "target/canceller.hpp"

#include <exception>
#include <utility>

namespace datachange {

void Canceller::ask_by(std::function<void()> request) {
    const std::lock_guard lock(m_mutex);
    m_request = std::move(request);
}

void Canceller::cancel() noexcept {
    try {
        const std::lock_guard lock(m_mutex);
        if (m_running && m_request) m_request();
    } catch (const std::exception&) {
        // a session that cannot be asked goes on
    }
}

void Canceller::set_running(bool running) {
    const std::lock_guard lock(m_mutex);
    m_running = running;
}

}  // namespace datachange
