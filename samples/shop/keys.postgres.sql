-- Added when the rows are there: that takes a fraction of the time of checking them one by one.
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users;
ALTER TABLE order_items ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE, ADD FOREIGN KEY (sku) REFERENCES products;
ALTER TABLE visits ADD FOREIGN KEY (user_id) REFERENCES users;
ALTER TABLE loyalty_accounts ADD FOREIGN KEY (user_id) REFERENCES users;
