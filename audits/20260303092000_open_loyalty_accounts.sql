-- Active users with five paid orders or more get an account; who has one keeps it as it is.
-- The rows are new, so pre finds none of them: keys says which users the batches run over.
-- ticket: SHOP-152
-- author: marketing team
-- table: loyalty_accounts
-- identifier: user_id
-- repeatable: yes

-- audit:keys
SELECT u.id FROM users u
WHERE u.active AND (SELECT count(*) FROM orders o WHERE o.user_id = u.id AND o.state = 'paid') >= 5 AND :batch(u.id);

-- audit:pre
SELECT user_id, level, points FROM loyalty_accounts WHERE 1 = 0 AND :batch(user_id);

-- audit:change
INSERT INTO loyalty_accounts (user_id, level, points)
SELECT u.id, 'silver', 100 * (SELECT count(*) FROM orders o WHERE o.user_id = u.id AND o.state = 'paid')
FROM users u
WHERE u.active AND (SELECT count(*) FROM orders o WHERE o.user_id = u.id AND o.state = 'paid') >= 5 AND :batch(u.id)
ON CONFLICT (user_id) DO NOTHING
RETURNING user_id, level, points;

-- audit:post
SELECT user_id, level, points FROM loyalty_accounts WHERE :affected(user_id);

-- audit:summary
SELECT count(*) FILTER (WHERE level = 'gold') AS gold, count(*) FILTER (WHERE level = 'silver') AS silver, sum(points) AS points
FROM loyalty_accounts;
