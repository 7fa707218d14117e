"""Planning on many machines: rows by record batches, and a folder out of rows."""
