"""Which model a request goes to, asked for once a size, and what that adds up to."""
