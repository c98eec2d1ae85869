-- The tables of the shop for PostgreSQL, and the two helpers that data.sql counts and dates with.
-- The comment on users is how make-shop knows a shop that it may drop.
CREATE TABLE users (
  id bigint PRIMARY KEY,
  email text NOT NULL UNIQUE,
  first_name text,
  last_name text,
  name text,
  country text,
  preferences text,
  active boolean NOT NULL,
  created_at timestamp NOT NULL
);
COMMENT ON TABLE users IS 'sample shop of datachange';

CREATE TABLE products (
  sku text PRIMARY KEY,
  title text NOT NULL,
  unit_cents bigint NOT NULL,
  description text
);

CREATE TABLE orders (
  id bigint PRIMARY KEY,
  user_id bigint NOT NULL,
  number text NOT NULL UNIQUE,
  state text NOT NULL,
  currency text,
  note text,
  ordered_at timestamp NOT NULL
);

CREATE TABLE order_items (
  order_id bigint NOT NULL,
  line integer NOT NULL,
  sku text NOT NULL,
  quantity integer NOT NULL,
  unit_cents bigint,
  PRIMARY KEY (order_id, line)
);

CREATE TABLE subscribers (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  confirmed boolean NOT NULL,
  source text,
  subscribed_at timestamp NOT NULL
);

CREATE TABLE visits (
  id bigint PRIMARY KEY,
  user_id bigint,
  page text NOT NULL,
  referrer text,
  visited_at timestamp NOT NULL
);

CREATE TABLE loyalty_accounts (
  user_id bigint PRIMARY KEY,
  level text NOT NULL,
  points bigint NOT NULL
);

CREATE TEMP TABLE numbers AS SELECT n FROM generate_series(1::bigint, 360000) AS n;

CREATE TEMP TABLE moments (i bigint PRIMARY KEY, at timestamp NOT NULL);
INSERT INTO moments SELECT n - 1, timestamp '2023-01-01' + n * 9257 * interval '1 second' FROM numbers WHERE n <= 10007;
ANALYZE numbers;
ANALYZE moments;
