#include "core/timings.hpp"

namespace datachange {

std::atomic<Timings*> Timings::s_active{nullptr};

Timings::Timings() {
    s_active = this;
}

Timings::~Timings() {
    s_active = nullptr;
}

const char* phase_name(Phase phase) noexcept {
    switch (phase) {
        case Phase::server:
            return "server";
        case Phase::decode:
            return "decode";
        case Phase::compare:
            return "compare";
        case Phase::encode:
            return "encode";
        case Phase::durable:
            return "durable";
        case Phase::ledger:
            return "ledger";
        case Phase::csv:
            return "csv";
    }
    return "";
}

}  // namespace datachange
