-- Orders that the checkout's own tests left behind. Their items go with them, by a cascade: they are watched, so
-- that each deleted item stands in the evidence as well.
-- ticket: SHOP-166
-- author: billing team
-- table: orders
-- identifier: id
-- expect-rows: 1..1000

-- audit:pre
SELECT id, user_id, number, state, currency, note, ordered_at FROM orders WHERE note = 'TEST' AND :batch(id);

-- audit:change
DELETE FROM orders WHERE note = 'TEST' AND :batch(id)
RETURNING id, user_id, number, state, currency, note, ordered_at;

-- audit:post
SELECT id, user_id, number, state, currency, note, ordered_at FROM orders WHERE :affected(id);

-- audit:summary
SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM order_items) AS items;

-- audit:watch order_items
-- identifier: order_id, line
SELECT order_id, line, sku, quantity, unit_cents FROM order_items
WHERE order_id IN (SELECT o.id FROM orders o WHERE o.note = 'TEST' AND :batch(o.id));
