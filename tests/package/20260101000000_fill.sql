-- One change, to see that an installed tool works.
-- table: users
-- identifier: id

-- audit:pre
SELECT id, name FROM users WHERE name IS NULL AND :batch(id);

-- audit:change
UPDATE users SET name = 'somebody' WHERE name IS NULL AND :batch(id) RETURNING id, name;
