-- A key that is text, in an order that is not that of the rows.
-- table: devices
-- identifier: serial

-- audit:pre
SELECT serial, label FROM devices WHERE label IS NULL AND :batch(serial);

-- audit:change
UPDATE devices SET label = model || ' ' || serial
WHERE label IS NULL AND :batch(serial)
RETURNING serial, label;
