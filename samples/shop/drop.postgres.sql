-- Removes a shop made earlier, and the journal that datachange kept of it: the runs are none of the new one's.
DROP TABLE IF EXISTS loyalty_accounts, visits, subscribers, order_items, orders, products, users;
DO $$
DECLARE journal text;
BEGIN
  FOR journal IN
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname = current_schema() AND tablename LIKE 'datachange\_%'
  LOOP
    EXECUTE 'DROP TABLE ' || journal || ' CASCADE';
  END LOOP;
END $$;
