#include "datachange/run.hpp"

namespace datachange {

const char* engine_name(Engine engine) noexcept {
    return engine == Engine::postgresql ? "postgresql" : "sqlite";
}

RowCounts& RowCounts::operator+=(const RowCounts& other) {
    pre += other.pre;
    change += other.change;
    post += other.post;
    updated += other.updated;
    inserted += other.inserted;
    deleted += other.deleted;
    unchanged += other.unchanged;
    missing += other.missing;
    unexpected += other.unexpected;
    return *this;
}

}  // namespace datachange
