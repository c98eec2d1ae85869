-- "newsletter":"yes" in the preferences becomes "newsletter":true, as the settings page has written it since spring.
-- The column is JSON in text. PostgreSQL and SQLite have no JSON function in common, so the text is replaced: the key
-- is written without spaces everywhere, and where nothing is replaced (other keys, broken JSON, NULL) nothing is touched.
-- ticket: NEWS-57
-- author: newsletter team
-- table: users
-- identifier: id

-- audit:pre
SELECT id, preferences FROM users
WHERE preferences <> replace(preferences, '"newsletter":"yes"', '"newsletter":true') AND :batch(id);

-- audit:change
UPDATE users SET preferences = replace(preferences, '"newsletter":"yes"', '"newsletter":true')
WHERE preferences <> replace(preferences, '"newsletter":"yes"', '"newsletter":true') AND :batch(id)
RETURNING id, preferences;

-- audit:post
SELECT id, preferences FROM users WHERE :affected(id);

-- audit:summary
SELECT count(*) FILTER (WHERE preferences <> replace(preferences, '"newsletter":"yes"', '')) AS written_as_text,
       count(*) FILTER (WHERE preferences <> replace(preferences, '"newsletter":true', '')) AS written_as_boolean
FROM users;

-- audit:verify
SELECT id FROM users WHERE preferences <> replace(preferences, '"newsletter":"yes"', '');
