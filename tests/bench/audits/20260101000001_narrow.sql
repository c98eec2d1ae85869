-- One text column from two others.
-- table: users
-- identifier: id

-- audit:pre
SELECT id, name FROM users WHERE name IS NULL AND :batch(id);

-- audit:change
UPDATE users SET name = first_name || ' ' || last_name
WHERE name IS NULL AND :batch(id)
RETURNING id, name;
