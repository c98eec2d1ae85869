-- Fill users.name from first and last name, so that the two columns can go.
-- More than 10,000 rows: the run switches to batches by itself, and :batch(id) is the range of each.
-- ticket: SHOP-124
-- author: accounts team
-- table: users
-- identifier: id
-- requires: users.first_name, users.last_name, users.name

-- audit:pre
SELECT id, name FROM users
WHERE coalesce(name, '') = '' AND trim(coalesce(first_name, '') || coalesce(last_name, '')) <> '' AND :batch(id);

-- audit:change
UPDATE users SET name = trim(trim(coalesce(first_name, '')) || ' ' || trim(coalesce(last_name, '')))
WHERE coalesce(name, '') = '' AND trim(coalesce(first_name, '') || coalesce(last_name, '')) <> '' AND :batch(id)
RETURNING id, name;

-- audit:post
SELECT id, name FROM users WHERE :affected(id);

-- audit:summary
SELECT count(*) AS users, count(*) FILTER (WHERE name IS NULL) AS without_name, count(*) FILTER (WHERE name = '') AS empty_name FROM users;

-- audit:verify
SELECT id FROM users WHERE name IS NULL AND trim(coalesce(first_name, '') || coalesce(last_name, '')) <> '';
