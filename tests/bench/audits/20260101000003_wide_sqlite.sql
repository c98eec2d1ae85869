-- The same as wide, in SQLite's words.
-- table: orders
-- identifier: id

-- audit:pre
SELECT id, status, item_count, total_cents, discount, paid, changed_at, attributes, weight
FROM orders WHERE status = 'open' AND :batch(id);

-- audit:change
UPDATE orders SET
    status = 'closed',
    item_count = item_count + 1,
    total_cents = total_cents * 10 + 7,
    discount = discount * 1.19,
    paid = NOT paid,
    changed_at = datetime(changed_at, '+90 minutes'),
    attributes = json_set(attributes, '$.checked', json('true')),
    weight = weight / 3
WHERE status = 'open' AND :batch(id)
RETURNING id, status, item_count, total_cents, discount, paid, changed_at, attributes, weight;
