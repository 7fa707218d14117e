"""The cheapest mix of models that promises a job in time: surveyed, solved, placed."""
