"""What the requests of a job begin with alike, and what a cache would save for it."""
