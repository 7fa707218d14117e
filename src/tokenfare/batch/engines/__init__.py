"""Planning on many machines: workers plan record batches, and one process assembles the plan."""
