"""A plan's folder at work: submitted, watched, collected, sent live, planned once more."""
