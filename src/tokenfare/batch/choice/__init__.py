"""Which model a request goes to, decided once for each size, and the sums of a job."""
