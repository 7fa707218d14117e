"""Which model a request goes to, decided once per size, and the totals."""
