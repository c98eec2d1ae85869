-- Items that lost their price get the product's. The identifier is of two columns, and so are the ranges of the batches.
-- ticket: SHOP-140
-- author: billing team
-- table: order_items
-- identifier: order_id, line
-- batch-size: 2000

-- audit:pre
SELECT order_id, line, sku, unit_cents FROM order_items WHERE unit_cents IS NULL AND :batch(order_id, line);

-- audit:change
UPDATE order_items SET unit_cents = (SELECT p.unit_cents FROM products p WHERE p.sku = order_items.sku)
WHERE unit_cents IS NULL AND :batch(order_id, line)
RETURNING order_id, line, sku, unit_cents;

-- audit:post
SELECT order_id, line, sku, unit_cents FROM order_items WHERE :affected(order_id, line);

-- audit:summary
SELECT count(*) AS items, count(unit_cents) AS with_price, sum(quantity * unit_cents) AS cents FROM order_items;
