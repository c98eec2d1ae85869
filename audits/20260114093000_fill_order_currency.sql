-- Orders without a currency get that of their user's country; the euro where the country is not known.
-- ticket: SHOP-117
-- author: billing team
-- table: orders
-- identifier: id
-- requires: orders.currency, users.country
-- expect-rows: 1..10000

-- audit:pre
SELECT id, user_id, currency FROM orders WHERE currency IS NULL AND :batch(id);

-- audit:change
UPDATE orders
SET currency = (SELECT CASE upper(u.country) WHEN 'GB' THEN 'GBP' WHEN 'US' THEN 'USD' ELSE 'EUR' END
                FROM users u WHERE u.id = orders.user_id)
WHERE currency IS NULL AND :batch(id)
RETURNING id, user_id, currency;

-- audit:post
SELECT id, user_id, currency FROM orders WHERE :affected(id);

-- audit:summary
SELECT count(*) FILTER (WHERE currency IS NULL) AS without_currency, count(*) FILTER (WHERE currency = 'EUR') AS eur,
       count(*) FILTER (WHERE currency = 'GBP') AS gbp, count(*) FILTER (WHERE currency = 'USD') AS usd
FROM orders;

-- audit:verify
SELECT id FROM orders WHERE currency IS NULL;
