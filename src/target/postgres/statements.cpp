#include "target/postgres/statements.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"

namespace datachange::postgres {

namespace {

constexpr std::size_t capacity = 64;
constexpr unsigned most_stale = 3;  // then it is not the schema that changes
constexpr std::size_t digits = 16;

}  // namespace

template <typename Call>
auto Statements::noting_stale(Call&& call) {
    try {
        return call();
    } catch (const StalePreparation&) {
        ++m_stale;
        renew();
        throw;
    }
}

void Statements::begin(int process) {
    m_usable = m_stale < most_stale && process == m_connection.server_process();
}

void Statements::forget() {
    renew();
    m_stale = 0;
    m_usable = false;
}

void Statements::renew() {
    m_known.clear();
    ++m_generation;
}

bool Statements::distrust() {
    const bool trusted = m_stale < most_stale;
    forget();
    m_stale = most_stale;
    return trusted;
}

Statements::Answer Statements::execute(const std::string& sql, const Parameters& parameters) {
    if (!m_usable) return {m_connection.execute(sql, parameters)};
    Known& known = count(sql);
    if (known.name.empty()) return {m_connection.execute(sql, parameters)};
    return noting_stale([&] {
        return Answer{m_connection.execute_prepared(known.name, sql, parameters), &known.layout};
    });
}

std::string Statements::in_script(const std::string& sql) const {
    const auto known = m_known.find(sql);
    return known == m_known.end() || known->second.name.empty() ? sql : "EXECUTE " + known->second.name;
}

void Statements::note(const std::string& sql) {
    if (m_usable) count(sql);
}

/// Counts a use, and prepares at the second: what comes once is not worth it.
Statements::Known& Statements::count(const std::string& sql) {
    auto found = m_known.find(sql);
    if (found == m_known.end()) {
        make_room();
        found = m_known.try_emplace(sql).first;
    }
    Known& known = found->second;
    known.last_used = ++m_clock;
    if (++known.uses < 2 || !known.name.empty()) return known;
    const std::string name = fmt::format("datachange_{}_{}", sha256(sql).substr(0, digits), m_generation);
    noting_stale([&] { m_connection.prepare(name, sql); });
    known.name = name;
    return known;
}

void Statements::make_room() {
    if (m_known.size() < capacity) return;
    const auto oldest = std::min_element(m_known.begin(), m_known.end(), [](const auto& a, const auto& b) {
        return a.second.last_used < b.second.last_used;
    });
    const std::string name = oldest->second.name;
    m_known.erase(oldest);
    if (!name.empty()) m_connection.execute_script("DEALLOCATE " + name);
}

}  // namespace datachange::postgres
