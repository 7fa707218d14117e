"""The report of a plan: a page for people."""
