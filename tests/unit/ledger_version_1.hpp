#pragma once

namespace datachange::testing {

/// The schema of a ledger of version 1, as it was.
inline constexpr const char* ledger_version_1 = R"sql(
CREATE TABLE meta(
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs(
    run_id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    definition_sha256 TEXT NOT NULL,
    engine TEXT NOT NULL,
    target TEXT NOT NULL,
    operator TEXT NOT NULL,
    host TEXT NOT NULL,
    ticket TEXT,
    mode TEXT NOT NULL,
    state TEXT NOT NULL,
    rows_changed INTEGER NOT NULL DEFAULT 0,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    error TEXT,
    dry_run INTEGER NOT NULL DEFAULT 0,
    author TEXT,
    tool_version TEXT NOT NULL,
    server_version TEXT NOT NULL,
    definition_path TEXT NOT NULL,
    rows_pre INTEGER NOT NULL DEFAULT 0,
    rows_returned INTEGER NOT NULL DEFAULT 0,
    rows_post INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    inserted INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    unexpected INTEGER NOT NULL DEFAULT 0,
    csv_directory TEXT,
    root TEXT
);
CREATE INDEX runs_version ON runs(version);

CREATE TABLE steps(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    name TEXT,
    table_name TEXT,
    identifier TEXT NOT NULL,
    watch_of INTEGER,
    evidence TEXT NOT NULL,
    identifier_columns TEXT NOT NULL,
    before_columns TEXT,
    before_types TEXT,
    returned_columns TEXT,
    returned_types TEXT,
    after_columns TEXT,
    after_types TEXT,
    PRIMARY KEY(run_id, step)
) WITHOUT ROWID;

CREATE TABLE batch(
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    batch TEXT NOT NULL,
    state TEXT NOT NULL,
    lower_key TEXT,
    upper_key TEXT,
    rows INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    leaf TEXT,
    transaction_id TEXT,
    rows_pre INTEGER NOT NULL,
    rows_returned INTEGER NOT NULL,
    rows_post INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    inserted INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    unexpected INTEGER NOT NULL,
    first_change INTEGER,
    last_change INTEGER,
    UNIQUE(run_id, step, batch),
    FOREIGN KEY(run_id, step) REFERENCES steps(run_id, step)
);

CREATE TABLE change(
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL,
    action INTEGER NOT NULL,
    identifier TEXT NOT NULL,
    new_identifier TEXT,
    before TEXT,
    after TEXT,
    returned TEXT
);
CREATE INDEX change_identifier ON change(identifier);
CREATE INDEX change_new_identifier ON change(new_identifier) WHERE new_identifier IS NOT NULL;

CREATE TABLE summaries(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    moment TEXT NOT NULL,
    result TEXT NOT NULL,
    step INTEGER NOT NULL,
    PRIMARY KEY(run_id, step, moment)
) WITHOUT ROWID;

CREATE TABLE failures(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    batch TEXT NOT NULL,
    identifier TEXT,
    sqlstate TEXT,
    message TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX failures_run ON failures(run_id);

CREATE TABLE collateral(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    batch TEXT NOT NULL,
    table_name TEXT NOT NULL,
    inserted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY(run_id, step, batch, table_name)
) WITHOUT ROWID;

CREATE TABLE events(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    event_id INTEGER PRIMARY KEY
);
CREATE INDEX events_run ON events(run_id);

CREATE TABLE approvals(
    run_id INTEGER REFERENCES runs(run_id),
    version TEXT NOT NULL,
    signer TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE TABLE files(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY(run_id, name)
) WITHOUT ROWID;

CREATE TABLE chain(
    link INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    at TEXT NOT NULL,
    leaves INTEGER NOT NULL,
    previous TEXT NOT NULL,
    root TEXT NOT NULL
);

CREATE TABLE spool_columns(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    columns TEXT NOT NULL,
    PRIMARY KEY(run_id, step)
) WITHOUT ROWID;

CREATE TABLE spool(
    run_id INTEGER NOT NULL,
    step INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    image TEXT NOT NULL,
    PRIMARY KEY(run_id, step, seq)
) WITHOUT ROWID;

CREATE VIEW batches AS
SELECT run_id, step, batch, state, lower_key, upper_key, rows, attempts, started_at, duration_ms, leaf,
       transaction_id, rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing,
       unexpected
FROM batch;

CREATE VIEW changes AS
SELECT b.run_id, b.step, b.batch, c.identifier,
       CASE c.action WHEN 0 THEN 'updated' WHEN 1 THEN 'inserted' WHEN 2 THEN 'deleted' WHEN 3 THEN 'unchanged'
                     WHEN 4 THEN 'missing' ELSE 'unexpected' END AS action,
       (SELECT '{' || group_concat(cell, ',') || '}'
        FROM (SELECT (s.before_columns -> k.key) || ':' ||
                     CASE c.before -> k.key WHEN '[]' THEN c.identifier WHEN '{}' THEN '"' || c.identifier || '"'
                                            ELSE c.before -> k.key END AS cell
              FROM json_each(s.before_columns) AS k ORDER BY k.key)) AS before,
       (SELECT '{' || group_concat(cell, ',') || '}'
        FROM (SELECT (s.after_columns -> k.key) || ':' ||
                     CASE WHEN (c.after IS NULL AND c.action IN (3, 4)) OR (c.after -> k.key) = '[]'
                          THEN CASE c.before -> k.key WHEN '[]' THEN c.identifier
                                                      WHEN '{}' THEN '"' || c.identifier || '"'
                                                      ELSE c.before -> k.key END
                          ELSE c.after -> k.key END AS cell
              FROM json_each(s.after_columns) AS k ORDER BY k.key)) AS after,
       c.new_identifier,
       c.id AS change_id
FROM change AS c
JOIN batch AS b ON b.id = c.batch_id AND c.id BETWEEN b.first_change AND b.last_change
JOIN steps AS s ON s.run_id = b.run_id AND s.step = b.step
WHERE b.state = 'committed';
)sql";

}  // namespace datachange::testing
