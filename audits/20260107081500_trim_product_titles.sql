-- Titles of products without spaces around them: the search sorts them first.
-- A small set under a text key. Without a post section the rows are read again from the table.
-- ticket: SHOP-101
-- author: catalogue team
-- table: products
-- identifier: sku
-- expect-rows: 1..200

-- audit:pre
SELECT sku, title FROM products WHERE title <> trim(title) AND :batch(sku);

-- audit:change
UPDATE products SET title = trim(title)
WHERE title <> trim(title) AND :batch(sku)
RETURNING sku, title;

-- audit:verify
SELECT sku, title FROM products WHERE title <> trim(title);
