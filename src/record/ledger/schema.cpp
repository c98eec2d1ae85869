#include "record/ledger/schema.hpp"

namespace datachange {

namespace {

// Columns of later versions stand last, as in a ledger that was brought up to date.
//
// Small tables stand as users see them. Of `batch` and `block`, which hold most of the bytes, users see
// views.
constexpr const char* tables = R"sql(
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
    root TEXT,
    epoch INTEGER NOT NULL DEFAULT 1,
    process INTEGER,
    process_host TEXT,
    owned_since TEXT
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
    witness TEXT,
    leaf_format INTEGER NOT NULL DEFAULT 1,
    UNIQUE(run_id, step, batch),
    FOREIGN KEY(run_id, step) REFERENCES steps(run_id, step)
);

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
    at TEXT NOT NULL,
    resolved_at TEXT
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
    truncated INTEGER NOT NULL DEFAULT 0,
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
    root TEXT NOT NULL,
    format INTEGER NOT NULL DEFAULT 1,
    content TEXT
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
)sql";

// What version 2 has besides.
constexpr const char* since_2 = R"sql(
CREATE UNIQUE INDEX failures_row ON failures(run_id, step, identifier) WHERE identifier IS NOT NULL;

CREATE TABLE elsewhere(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    batch TEXT NOT NULL,
    lower_key TEXT,
    upper_key TEXT,
    rows_changed INTEGER NOT NULL,
    leaf TEXT NOT NULL,
    ledger_uuid TEXT NOT NULL,
    PRIMARY KEY(run_id, step, batch)
) WITHOUT ROWID;

CREATE VIEW batches AS
SELECT run_id, step, batch, state, lower_key, upper_key, rows, attempts, started_at, duration_ms, leaf,
       transaction_id, rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing,
       unexpected, witness
FROM batch;
)sql";

// What version 3 has besides.
//
// In the views i is a row of a block. That its identifier lies within the block's bounds tells SQLite nothing
// new, but where a query gives the identifier, it finds the blocks by index. (Constants are put in place of
// i.value only left of a comparison.) A batch and its rows are joined by number and by span, so that SQLite
// can go either way. Objects are put together from the raw JSON of each value: json_extract and json_object
// would print numbers anew, and lose digits. SQLite keeps ORDER BY in a sub-query under group_concat.
constexpr const char* since_3 = R"sql(
CREATE TABLE block(
    id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    lowest TEXT NOT NULL,
    highest TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    actions TEXT NOT NULL,
    before TEXT,
    after TEXT,
    returned TEXT,
    new_identifiers TEXT
);
CREATE INDEX block_identifiers ON block(lowest, highest);

CREATE VIEW change AS
SELECT k.id + i.key AS id, k.batch_id,
       CAST(iif(substr(k.actions, 1, 1) = '[', k.actions ->> i.key, k.actions) AS INTEGER) AS action,
       i.value AS identifier, k.new_identifiers ->> i.key AS new_identifier,
       nullif(k.before -> i.key, 'null') AS before, nullif(k.after -> i.key, 'null') AS after,
       nullif(k.returned -> i.key, 'null') AS returned
FROM block AS k JOIN json_each(k.identifiers) AS i
WHERE i.value >= k.lowest AND i.value <= k.highest;

CREATE VIEW changes AS
SELECT b.run_id, b.step, b.batch, i.value AS identifier,
       CASE CAST(iif(substr(k.actions, 1, 1) = '[', k.actions ->> i.key, k.actions) AS INTEGER)
           WHEN 0 THEN 'updated' WHEN 1 THEN 'inserted' WHEN 2 THEN 'deleted' WHEN 3 THEN 'unchanged'
           WHEN 4 THEN 'missing' ELSE 'unexpected' END AS action,
       (SELECT '{' || group_concat(cell, ',') || '}'
        FROM (SELECT (s.before_columns -> n.key) || ':' ||
                     CASE k.before -> i.key -> n.key WHEN '[]' THEN i.value WHEN '{}' THEN '"' || i.value || '"'
                                                     ELSE k.before -> i.key -> n.key END AS cell
              FROM json_each(s.before_columns) AS n ORDER BY n.key)) AS before,
       (SELECT '{' || group_concat(cell, ',') || '}'
        FROM (SELECT (s.after_columns -> n.key) || ':' ||
                     CASE WHEN (k.after -> i.key -> n.key) = '[]'
                               OR (coalesce(k.after -> i.key, 'null') = 'null'
                                   AND CAST(iif(substr(k.actions, 1, 1) = '[', k.actions ->> i.key, k.actions)
                                            AS INTEGER) IN (3, 4))
                          THEN CASE k.before -> i.key -> n.key WHEN '[]' THEN i.value
                                                               WHEN '{}' THEN '"' || i.value || '"'
                                                               ELSE k.before -> i.key -> n.key END
                          ELSE k.after -> i.key -> n.key END AS cell
              FROM json_each(s.after_columns) AS n ORDER BY n.key)) AS after,
       k.new_identifiers ->> i.key AS new_identifier,
       k.id + i.key AS change_id,
       k.lowest, k.highest
FROM block AS k
JOIN batch AS b ON b.id = k.batch_id AND k.id BETWEEN b.first_change AND b.last_change
JOIN steps AS s ON s.run_id = b.run_id AND s.step = b.step
JOIN json_each(k.identifiers) AS i
WHERE b.state = 'committed' AND i.value >= k.lowest AND i.value <= k.highest;
)sql";

// What version 4 has besides.
constexpr const char* since_4 = R"sql(
ALTER TABLE runs ADD COLUMN reverses TEXT;
ALTER TABLE runs ADD COLUMN git_commit TEXT;
ALTER TABLE runs ADD COLUMN pruned_at TEXT;
ALTER TABLE runs ADD COLUMN redaction_key TEXT;
ALTER TABLE steps ADD COLUMN redacted TEXT;
CREATE INDEX runs_reverses ON runs(reverses) WHERE reverses IS NOT NULL;
ALTER TABLE runs ADD COLUMN error_sha256 TEXT;
ALTER TABLE summaries ADD COLUMN result_sha256 TEXT;
ALTER TABLE failures ADD COLUMN identifier_sha256 TEXT;
ALTER TABLE failures ADD COLUMN message_sha256 TEXT;
ALTER TABLE elsewhere ADD COLUMN lower_key_sha256 TEXT;
ALTER TABLE elsewhere ADD COLUMN upper_key_sha256 TEXT;
ALTER TABLE chain ADD COLUMN epoch INTEGER;

CREATE TABLE merged_chain(
    ledger_uuid TEXT NOT NULL,
    link INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    at TEXT NOT NULL,
    leaves INTEGER NOT NULL,
    previous TEXT NOT NULL,
    root TEXT NOT NULL,
    format INTEGER NOT NULL,
    content TEXT,
    epoch INTEGER,
    PRIMARY KEY(ledger_uuid, link)
) WITHOUT ROWID;

CREATE TABLE conflicts(
    run_id INTEGER NOT NULL REFERENCES runs(run_id),
    step INTEGER NOT NULL,
    batch TEXT,
    identifier TEXT NOT NULL,
    column_name TEXT NOT NULL,
    before TEXT,
    after TEXT,
    live TEXT,
    values_sha256 TEXT
);
CREATE INDEX conflicts_batch ON conflicts(run_id, step, batch);
)sql";

// What version 5 has besides.
constexpr const char* since_5 = R"sql(
ALTER TABLE approvals ADD COLUMN nonce TEXT;
ALTER TABLE approvals ADD COLUMN signature TEXT;
ALTER TABLE approvals ADD COLUMN allowed_signer TEXT;
CREATE INDEX approvals_run ON approvals(run_id);

CREATE TABLE version_events(
    event_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    version TEXT NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    operator TEXT NOT NULL,
    host TEXT NOT NULL
);
CREATE INDEX version_events_version ON version_events(version);
)sql";

constexpr const char* from_1 = R"sql(
ALTER TABLE runs ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN process INTEGER;
ALTER TABLE runs ADD COLUMN process_host TEXT;
ALTER TABLE runs ADD COLUMN owned_since TEXT;
ALTER TABLE batch ADD COLUMN witness TEXT;
ALTER TABLE failures ADD COLUMN resolved_at TEXT;
ALTER TABLE collateral ADD COLUMN truncated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chain ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
ALTER TABLE chain ADD COLUMN content TEXT;
DROP VIEW batches;
)sql";

constexpr const char* from_2_before = R"sql(
DROP VIEW changes;
DROP INDEX change_identifier;
DROP INDEX change_new_identifier;
ALTER TABLE change RENAME TO old_change;
ALTER TABLE batch ADD COLUMN leaf_format INTEGER NOT NULL DEFAULT 1;
)sql";

}  // namespace

std::string ledger_schema() {
    return std::string{tables} + since_2 + since_3 + since_4 + since_5 + ledger_views();
}

std::string ledger_upgrade_from_2_before() {
    return std::string{from_2_before} + since_3;
}

std::string ledger_upgrade_from_2_after() {
    return "DROP TABLE old_change";
}

std::string ledger_upgrade_from_3() {
    return since_4 + ledger_views();
}

std::string ledger_upgrade_from_4() {
    return since_5;
}

std::string ledger_upgrade_from_1() {
    return std::string{from_1} + since_2;
}

}  // namespace datachange
