"""A plan as a page for people."""
