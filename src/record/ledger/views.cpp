#include "record/ledger/schema.hpp"

namespace datachange {

namespace {

constexpr const char* v_runs = R"sql(
CREATE VIEW v_runs AS
SELECT r.run_id, r.ticket, r.operator, r.started_at, r.finished_at,
       round((julianday(r.finished_at) - julianday(r.started_at)) * 86400, 3) AS seconds, r.version, r.name,
       (SELECT group_concat(table_name, ', ')
        FROM (SELECT DISTINCT table_name FROM steps AS s WHERE s.run_id = r.run_id ORDER BY step)) AS tables,
       r.state, r.mode, r.rows_changed, r.updated, r.inserted, r.deleted, r.unchanged, r.missing,
       (SELECT count(*) FROM failures AS f WHERE f.run_id = r.run_id AND f.resolved_at IS NULL) AS failures,
       (SELECT coalesce(sum(inserted + updated + deleted), 0) FROM collateral AS c
        WHERE c.run_id = r.run_id) AS collateral_rows,
       (SELECT group_concat(DISTINCT evidence) FROM steps AS s WHERE s.run_id = r.run_id) AS evidence,
       (SELECT o.run_id FROM runs AS o WHERE o.uuid = r.reverses) AS reverses_run,
       (SELECT group_concat(o.run_id, ', ') FROM runs AS o WHERE o.reverses = r.uuid AND NOT o.dry_run
          AND NOT (o.state = 'failed' AND o.rows_changed = 0))
           AS reversed_by,
       r.pruned_at, r.target, r.engine, r.host, r.author, r.git_commit, r.error, r.uuid
FROM runs AS r
WHERE NOT r.dry_run;
)sql";

constexpr const char* v_row_history = R"sql(
CREATE VIEW v_row_history AS
SELECT c.run_id, r.ticket, r.operator, b.started_at AS at, s.table_name, c.identifier, c.new_identifier,
       c.action, c.before, c.after, r.version, r.name, s.evidence, s.redacted,
       (SELECT o.run_id FROM runs AS o WHERE o.uuid = r.reverses) AS reverses_run,
       (SELECT group_concat(o.run_id, ', ') FROM runs AS o WHERE o.reverses = r.uuid AND NOT o.dry_run
          AND NOT (o.state = 'failed' AND o.rows_changed = 0))
           AS reversed_by,
       c.step, c.batch, c.change_id, c.lowest, c.highest
FROM changes AS c
JOIN runs AS r ON r.run_id = c.run_id
JOIN steps AS s ON s.run_id = c.run_id AND s.step = c.step
JOIN batch AS b ON b.run_id = c.run_id AND b.step = c.step AND b.batch = c.batch;
)sql";

// In the innermost query i is a row of the block, n a column of its image (before for a deleted row, else
// after), m the same column in `before`. One path leads to a value, rather than two arrows: SQLite remembers
// the last four texts of JSON that it has taken apart, and the arrays of rows would push out the block's. See
// views `change` and `changes` for the rest.
constexpr const char* v_changes = R"sql(
CREATE VIEW v_changes AS
SELECT run_id, ticket, operator, at, table_name, identifier, new_identifier, action, "column",
       CASE substr(before_json, 1, 1)
           WHEN '"' THEN iif(instr(before_json, '\'), before_json ->> '$',
                             substr(before_json, 2, length(before_json) - 2))
           WHEN 'n' THEN NULL
           WHEN '{' THEN coalesce('x''' || (before_json ->> '$."$blob"') || '''',
                                  '\x' || (before_json ->> '$."$text"'),
                                  'hmac:' || (before_json ->> '$."$hmac"'), before_json ->> '$."$real"')
           ELSE before_json END AS before,
       CASE substr(after_json, 1, 1)
           WHEN '"' THEN iif(instr(after_json, '\'), after_json ->> '$',
                             substr(after_json, 2, length(after_json) - 2))
           WHEN 'n' THEN NULL
           WHEN '{' THEN coalesce('x''' || (after_json ->> '$."$blob"') || '''',
                                  '\x' || (after_json ->> '$."$text"'),
                                  'hmac:' || (after_json ->> '$."$hmac"'), after_json ->> '$."$real"')
           ELSE after_json END AS after,
       before_json, after_json, step, batch, change_id, lowest, highest
FROM (SELECT run_id, ticket, operator, at, table_name, identifier, new_identifier, code,
             CASE code WHEN 0 THEN 'updated' WHEN 1 THEN 'inserted' ELSE 'deleted' END AS action, "column",
             CASE was WHEN '[]' THEN identifier WHEN '{}' THEN '"' || identifier || '"' ELSE was END
                 AS before_json,
             after_json, step, batch, change_id, lowest, highest
      FROM (SELECT b.run_id, r.ticket, r.operator, b.started_at AS at, s.table_name, i.value AS identifier,
                   k.new_identifiers ->> i.key AS new_identifier,
                   CAST(iif(substr(k.actions, 1, 1) = '[', k.actions ->> i.key, k.actions) AS INTEGER) AS code,
                   n.value AS "column",
                   k.before -> ('$[' || i.key || '][' || m.key || ']') AS was,
                   k.after -> ('$[' || i.key || '][' || n.key || ']') AS after_json,
                   s.step, b.batch, k.id + i.key AS change_id, k.lowest, k.highest
            FROM block AS k
            JOIN batch AS b ON b.id = k.batch_id AND k.id BETWEEN b.first_change AND b.last_change
            JOIN steps AS s ON s.run_id = b.run_id AND s.step = b.step
            JOIN runs AS r ON r.run_id = b.run_id
            JOIN json_each(k.identifiers) AS i
            JOIN json_each(iif(CAST(iif(substr(k.actions, 1, 1) = '[', k.actions ->> i.key, k.actions)
                                    AS INTEGER) = 2, s.before_columns, s.after_columns)) AS n
            LEFT JOIN json_each(s.before_columns) AS m
                ON m.value = n.value COLLATE NOCASE
                   AND (m.value = n.value
                        OR NOT EXISTS (SELECT 1 FROM json_each(s.before_columns) AS e
                                       WHERE e.value = n.value))
            WHERE b.state = 'committed' AND i.value >= k.lowest AND i.value <= k.highest)
      WHERE code <= 2)
WHERE code > 0 OR (before_json IS NOT NULL AND after_json <> '[]' AND before_json <> after_json);
)sql";

}  // namespace

std::string ledger_views() {
    return std::string{v_runs} + v_row_history + v_changes;
}

}  // namespace datachange
