-- The tables of the shop for SQLite, and the two helpers that data.sql counts and dates with.
PRAGMA application_id = 0x73686f70;  -- "shop": make-shop replaces no other file
PRAGMA encoding = 'UTF-8';

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  first_name TEXT,
  last_name TEXT,
  name TEXT,
  country TEXT,
  preferences TEXT,
  active BOOLEAN NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE products (
  sku TEXT PRIMARY KEY NOT NULL,
  title TEXT NOT NULL,
  unit_cents INTEGER NOT NULL,
  description TEXT
) WITHOUT ROWID;

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users,
  number TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  currency TEXT,
  note TEXT,
  ordered_at TEXT NOT NULL
);

CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
  line INTEGER NOT NULL,
  sku TEXT NOT NULL REFERENCES products,
  quantity INTEGER NOT NULL,
  unit_cents INTEGER,
  PRIMARY KEY (order_id, line)
) WITHOUT ROWID;

CREATE TABLE subscribers (
  id INTEGER PRIMARY KEY,
  email TEXT NOT NULL,
  confirmed BOOLEAN NOT NULL,
  source TEXT,
  subscribed_at TEXT NOT NULL
);

CREATE TABLE visits (
  id INTEGER PRIMARY KEY,
  user_id INTEGER REFERENCES users,
  page TEXT NOT NULL,
  referrer TEXT,
  visited_at TEXT NOT NULL
);

CREATE TABLE loyalty_accounts (
  user_id INTEGER PRIMARY KEY REFERENCES users,
  level TEXT NOT NULL,
  points INTEGER NOT NULL
);

CREATE TEMP TABLE numbers AS
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 360000)
SELECT n FROM counted;

CREATE TEMP TABLE moments (i INTEGER PRIMARY KEY, at TEXT NOT NULL);
INSERT INTO moments SELECT n - 1, datetime('2023-01-01', (n * 9257) || ' seconds') FROM numbers WHERE n <= 10007;
