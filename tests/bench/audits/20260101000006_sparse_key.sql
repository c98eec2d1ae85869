-- A key with large gaps, which grow.
-- table: visits
-- identifier: id

-- audit:pre
SELECT id, path FROM visits WHERE path LIKE '/old/%' AND :batch(id);

-- audit:change
UPDATE visits SET path = '/new/' || substr(path, 6)
WHERE path LIKE '/old/%' AND :batch(id)
RETURNING id, path;
