"""What comes in: files as blocks of lines and as records, and what a record asks."""
