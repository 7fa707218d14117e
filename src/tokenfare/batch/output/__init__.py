"""Outputs of a plan: its folder and its table, or nothing."""
