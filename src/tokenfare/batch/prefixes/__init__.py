"""The prefixes that the requests of a job share, and what a cache would save for them."""
