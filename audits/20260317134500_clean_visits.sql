-- The log of visits was imported twice in part. Two steps: the doubles go, then an empty referrer becomes NULL.
-- ticket: DATA-9
-- author: analytics team

-- audit:step doubles
-- table: visits
-- identifier: id

-- audit:pre
SELECT id, user_id, page, referrer, visited_at
FROM (
  SELECT id, user_id, page, referrer, visited_at,
         row_number() OVER (PARTITION BY user_id, page, referrer, visited_at ORDER BY id) AS place
  FROM visits
) ranked
WHERE place > 1;

-- audit:change
DELETE FROM visits WHERE :affected(id)
RETURNING id, user_id, page, referrer, visited_at;

-- audit:post
SELECT id, user_id, page, referrer, visited_at FROM visits WHERE :affected(id);

-- audit:step referrers
-- table: visits
-- identifier: id

-- audit:pre
SELECT id, referrer FROM visits WHERE referrer = '' AND :batch(id);

-- audit:change
UPDATE visits SET referrer = NULL WHERE referrer = '' AND :batch(id)
RETURNING id, referrer;

-- audit:post
SELECT id, referrer FROM visits WHERE :affected(id);

-- audit:summary
SELECT count(*) AS visits, count(referrer) AS with_referrer FROM visits;
