#include "target/postgres/sessions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.hpp"

namespace datachange::postgres {

void ask_for_keepalives(Connection& connection) {
    // 0: there is no TCP to this session
    connection.execute_script(R"(
SELECT pg_catalog.set_config(name, wanted, false)
FROM (VALUES ('tcp_keepalives_idle', '60'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '6'))
     AS wish (name, wanted)
WHERE pg_catalog.current_setting(name)::pg_catalog.int4 > wanted::pg_catalog.int4)");
}

namespace {

constexpr int version_with_hexadecimal_names = 160000;

}  // namespace

std::string shown_application_name(const std::string& name, int server_version) {
    std::string shown;
    for (const char c : cut_identifier(name)) {
        if (c >= ' ' && c <= '~') {
            shown += c;
        } else if (server_version < version_with_hexadecimal_names) {
            shown += '?';
        } else {
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return cut_identifier(shown);
}

std::vector<std::string> other_sessions(Connection& connection, const std::string& application_name) {
    // of others' sessions a role without pg_read_all_stats sees no kind, address or state
    const Result found = connection.execute(
        R"(
SELECT pid, usename, pg_catalog.host(client_addr),
       state || coalesce(' for ' || greatest(0, pg_catalog.floor(
           extract(epoch FROM pg_catalog.clock_timestamp() - state_change)))::pg_catalog.int8 || ' s', '')
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND application_name = $1 AND pid <> pg_catalog.pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY backend_start, pid)",
        {shown_application_name(application_name, connection.server_version())});
    std::vector<std::string> sessions;
    for (std::size_t row = 0; row < found.size(); ++row) {
        std::vector<std::string> known;
        for (std::size_t column = 1; column < 4; ++column) {
            if (!found.is_null(row, column)) known.push_back(found.text(row, column));
        }
        sessions.push_back(fmt::format("session {} ({})", found.text(row, 0), join(known, ", ")));
    }
    return sessions;
}

namespace {

/// One row a replica: process, the server's measure in seconds, the WAL there is now, the server's clock, and
/// whether the WAL of the goals ($1: processes, $2: positions) is still not replayed. What does not replay
/// (pg_receivewal) counts by what it has written; base backups are no replicas. The server's measure stays
/// for a while when a replica has caught up, and says nothing then.
const char* const lag_query = R"(
WITH now AS MATERIALIZED (
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
                ELSE pg_catalog.pg_current_wal_flush_lsn() END AS position,
           extract(epoch FROM pg_catalog.clock_timestamp()) AS seconds),
replica AS (
    SELECT pid, coalesce(replay_lsn, flush_lsn, '0/0') AS done, coalesce(replay_lag, flush_lag, write_lag) AS lag,
           state
    FROM pg_catalog.pg_stat_replication)
SELECT r.pid, CASE WHEN r.done < now.position THEN coalesce(extract(epoch FROM r.lag), 0) ELSE 0 END,
       now.position, now.seconds, coalesce(r.done < goal.position::pg_catalog.pg_lsn, false), r.state IS NULL
FROM replica r CROSS JOIN now
LEFT JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.text[]))
     AS goal (pid, position) ON goal.pid = r.pid
WHERE r.state IS DISTINCT FROM 'backup')";

}  // namespace

std::optional<double> ReplicationLag::read(Connection& connection) {
    std::vector<std::string> pids;
    std::vector<std::string> positions;
    for (const auto& [pid, goal] : m_goals) {
        pids.push_back(pid);
        positions.push_back(goal.position);
    }
    const Result found =
        connection.execute(lag_query, {"{" + join(pids, ",") + "}", "{" + join(positions, ",") + "}"});
    std::map<std::string, Goal> goals;
    std::optional<double> lag;
    for (std::size_t row = 0; row < found.size(); ++row) {
        if (found.text(row, 5) == "t") {
            throw Error(ExitCode::usage, "this role may not see how far replicas lag",
                        "Grant pg_monitor to it, or leave the limit on lag out.");
        }
        const std::string pid = found.text(row, 0);
        const double seconds = std::stod(found.text(row, 3));
        const bool same_goal = found.text(row, 4) == "t";
        goals[pid] = same_goal ? m_goals.at(pid) : Goal{found.text(row, 2), seconds};
        lag = std::max({lag.value_or(0), std::stod(found.text(row, 1)), seconds - goals[pid].seen});
    }
    m_goals = std::move(goals);
    return lag;
}

}  // namespace datachange::postgres
