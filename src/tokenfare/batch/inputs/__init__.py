"""Inputs: files as blocks of lines and as records, and the request in a record."""
