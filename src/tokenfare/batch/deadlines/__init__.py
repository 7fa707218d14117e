"""Deadlines: survey a job, find the cheapest mix of models that is in time, assign requests."""
