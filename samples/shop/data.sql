-- The rows of the shop, the same on SQLite and PostgreSQL: every value is arithmetic on a row's number, nothing is random.
-- `numbers` (n from 1) and `moments` (i from 0, at) are made beforehand, as the two databases do it.

CREATE TEMP TABLE first_names (i bigint PRIMARY KEY, v text);
INSERT INTO first_names VALUES
  (0, 'Ada'), (1, 'Zoë'), (2, 'José'), (3, 'Нина'), (4, 'محمد'), (5, '小芳'), (6, 'Siân'), (7, 'Jean-Luc'), (8, 'Mary Ann'), (9, ''),
  (10, NULL), (11, 'Günther'), (12, 'שרה'), (13, 'Renée'), (14, '👩🏽‍💻 Kim'), (15, 'Otto'), (16, 'Thu Thảo');

CREATE TEMP TABLE last_names (i bigint PRIMARY KEY, v text);
INSERT INTO last_names VALUES
  (0, 'O''Brien'), (1, 'Smith, Jr.'), (2, 'Müller'), (3, 'الفارسي'), (4, '王'), (5, 'van der "Berg"'), (6, NULL), (7, 'Null'), (8, ''), (9, 'Lindqvist'),
  (10, 'de la
Cruz'), (11, 'Ivanova'), (12, 'García;'), (13, 'Ng'), (14, 'Çelik'), (15, 'D\Arc'), (16, '  Kowalski '), (17, 'TRUE'), (18, '12345678901234567890');

CREATE TEMP TABLE preference_texts (i bigint PRIMARY KEY, v text);
INSERT INTO preference_texts VALUES
  (0, '{"theme":"dark","newsletter":"yes"}'), (1, '{"theme":"light","newsletter":true}'), (2, '{"newsletter":"yes","tags":["sale","vip"]}'),
  (3, '{"theme":"dark"}'), (4, '{}'), (5, NULL), (6, ''), (7, '{"newsletter":'), (8, '{"theme":"💡","note":"say \"yes\", please"}'),
  (9, '{"NEWSLETTER":"YES"}'), (10, '{"newsletter":"no","since":1.50}');

CREATE TEMP TABLE order_notes (i bigint PRIMARY KEY, v text);
INSERT INTO order_notes VALUES
  (0, NULL), (1, ''), (2, 'leave at the door, please'), (3, 'He said "ring twice"'), (4, 'line one
line two'), (5, 'für Oma 🎂'), (6, 'הדלת האחורית'), (7, 'NULL'), (8, '0'), (9, '=1+1'), (10, 'tab	here');

-- Emails are unique as they are written; every 1,000th differs from its neighbour's in case alone.
INSERT INTO users (id, email, first_name, last_name, name, country, preferences, active, created_at)
SELECT n,
  CASE
    WHEN n % 1000 = 1 AND n > 1 THEN 'USER' || CAST(n - 1 AS text) || '@example.com'
    WHEN n % 23 = 0 THEN 'User' || CAST(n AS text) || '@Example.com'
    ELSE 'user' || CAST(n AS text) || '@example.com'
  END,
  f.v, l.v,
  CASE WHEN n % 10 = 0 THEN coalesce(f.v, '') || ' ' || coalesce(l.v, '') WHEN n % 911 = 0 THEN '' END,
  CASE WHEN n % 29 = 0 THEN NULL WHEN n % 31 = 0 THEN '' WHEN n % 37 = 0 THEN 'de' WHEN n % 3 = 0 THEN 'DE' WHEN n % 3 = 1 THEN 'GB' ELSE 'US' END,
  p.v, n % 13 <> 0, m.at
FROM numbers
JOIN first_names f ON f.i = n % 17
JOIN last_names l ON l.i = n * 7 % 19
JOIN preference_texts p ON p.i = n * 3 % 11
JOIN moments m ON m.i = n * 41 % 10007
WHERE n <= 120000
ORDER BY n;

INSERT INTO products (sku, title, unit_cents, description)
SELECT CASE WHEN n % 5 = 0 THEN 'Ä-' ELSE 'SKU-' END || CAST(10000 + n AS text),
  CASE WHEN n % 11 = 0 THEN '  ' ELSE '' END
    || CASE n % 4 WHEN 0 THEN 'Mug' WHEN 1 THEN 'Poster 24"' WHEN 2 THEN 'T-shirt, blue' ELSE 'Sticker ☕️' END || ' ' || CAST(n AS text)
    || CASE WHEN n % 13 = 0 THEN ' ' ELSE '' END,
  199 + n * 37 % 9000,
  CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Made of "the best",
washed by hand' END
FROM numbers WHERE n <= 600
ORDER BY n;

INSERT INTO orders (id, user_id, number, state, currency, note, ordered_at)
SELECT n, 1 + n % 7919 * (n % 97 + 1) % 120000, 'SO-' || CAST(1000000 + n AS text),
  CASE n % 9 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'open' WHEN 2 THEN 'returned' ELSE 'paid' END,
  CASE WHEN n % 83 = 0 THEN NULL WHEN n % 3 = 0 THEN 'EUR' WHEN n % 3 = 1 THEN 'GBP' ELSE 'USD' END,
  CASE WHEN n % 797 = 0 THEN 'TEST' ELSE t.v END, m.at
FROM numbers
JOIN order_notes t ON t.i = n * 5 % 11
JOIN moments m ON m.i = n * 29 % 10007
ORDER BY n;

-- One to three lines an order; prices were lost for every 40th item.
INSERT INTO order_items (order_id, line, sku, quantity, unit_cents)
SELECT n, line, CASE WHEN (n + line) % 600 % 5 = 4 THEN 'Ä-' ELSE 'SKU-' END || CAST(10001 + (n + line) % 600 AS text),
  1 + n * line % 4, CASE WHEN (n * 3 + line) % 40 = 0 THEN NULL ELSE 199 + (1 + (n + line) % 600) * 37 % 9000 END
FROM numbers CROSS JOIN (SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) lines
WHERE line <= 1 + n % 3
ORDER BY n, line;

-- Every fifth address is on the list a second time: in other letters, or with a space.
INSERT INTO subscribers (id, email, confirmed, source, subscribed_at)
SELECT n,
  CASE
    WHEN n % 5 <> 0 THEN 'reader' || CAST(n AS text) || '@example.org'
    WHEN n % 2 = 0 THEN 'READER' || CAST(n - 1 AS text) || '@example.org'
    ELSE 'Reader' || CAST(n - 1 AS text) || '@Example.org '
  END,
  n % 7 < 4, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'fair, Berlin' ELSE 'shop "checkout"' END, m.at
FROM numbers
JOIN moments m ON m.i = n * 53 % 10007
WHERE n <= 80000
ORDER BY n;

-- A log that was imported twice in part: every 20th row is followed by its double under another id.
INSERT INTO visits (id, user_id, page, referrer, visited_at)
SELECT n, CASE WHEN k % 6 = 0 THEN NULL ELSE 1 + k * 104729 % 120000 END,
  '/p/' || CAST(k % 600 AS text) || CASE k % 4 WHEN 0 THEN '' WHEN 1 THEN '?q=caf%C3%A9' WHEN 2 THEN '?q=a,b' ELSE '?q="x"' END,
  CASE k % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'https://search.example/?q=' || CAST(k AS text) END, m.at
FROM (SELECT n, CASE WHEN n % 20 = 0 THEN n - 1 ELSE n END AS k FROM numbers WHERE n <= 100000) log
JOIN moments m ON m.i = k % 10007
ORDER BY n;

INSERT INTO loyalty_accounts (user_id, level, points)
SELECT n, 'gold', 1000 + n % 500 FROM numbers WHERE n <= 120000 AND n % 241 = 0 ORDER BY n;

CREATE INDEX users_email_lower ON users (lower(email));
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX visits_when ON visits (visited_at, page);
ANALYZE;
