-- One subscription an address: the confirmed one, else the oldest. Addresses that differ in case or in spaces around them are one.
-- Which row is a double depends on all of them, so :batch would be wrong within pre. It is evaluated once instead, and
-- the deletion goes through the list of its keys with :affected, in batches where they are many.
-- ticket: NEWS-42
-- author: newsletter team
-- table: subscribers
-- identifier: id

-- audit:pre
SELECT id, email, confirmed, source, subscribed_at
FROM (
  SELECT id, email, confirmed, source, subscribed_at,
         row_number() OVER (PARTITION BY lower(trim(email)) ORDER BY confirmed DESC, id) AS place
  FROM subscribers
) ranked
WHERE place > 1;

-- audit:change
DELETE FROM subscribers WHERE :affected(id)
RETURNING id, email, confirmed, source, subscribed_at;

-- audit:post
SELECT id, email, confirmed, source, subscribed_at FROM subscribers WHERE :affected(id);

-- audit:summary
SELECT count(*) AS subscriptions, count(DISTINCT lower(trim(email))) AS addresses FROM subscribers;

-- audit:verify
SELECT lower(trim(email)) AS address FROM subscribers GROUP BY lower(trim(email)) HAVING count(*) > 1;
