-- A key of two columns.
-- table: entries
-- identifier: tenant, id

-- audit:pre
SELECT tenant, id, total FROM entries WHERE total IS NULL AND :batch(tenant, id);

-- audit:change
UPDATE entries SET total = quantity * price
WHERE total IS NULL AND :batch(tenant, id)
RETURNING tenant, id, total;
