-- Emails of users in small letters. Addresses that another user has in other letters stay: support merges those by hand.
-- ticket: SHOP-131
-- author: accounts team
-- table: users
-- identifier: id
-- expect-rows: 1..10000

-- audit:pre
SELECT id, email FROM users
WHERE email <> lower(email)
  AND NOT EXISTS (SELECT 1 FROM users twin WHERE lower(twin.email) = lower(users.email) AND twin.id <> users.id)
  AND :batch(id);

-- audit:change
UPDATE users SET email = lower(email)
WHERE email <> lower(email)
  AND NOT EXISTS (SELECT 1 FROM users twin WHERE lower(twin.email) = lower(users.email) AND twin.id <> users.id)
  AND :batch(id)
RETURNING id, email;

-- audit:post
SELECT id, email FROM users WHERE :affected(id);

-- audit:summary
SELECT count(*) AS users, count(*) FILTER (WHERE email <> lower(email)) AS with_capitals FROM users;
