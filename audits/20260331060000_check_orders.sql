-- An integrity check: verify alone. Every item has a price and a quantity, every order a currency and an item.
-- ticket: DATA-12
-- author: billing team
-- table: orders
-- identifier: id

-- audit:verify
SELECT o.id, 'currency' AS what FROM orders o WHERE o.currency IS NULL OR o.currency = ''
UNION ALL
SELECT o.id, 'items' FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.id)
UNION ALL
SELECT i.order_id, 'price' FROM order_items i WHERE i.unit_cents IS NULL OR i.unit_cents < 0 OR i.quantity < 1;
