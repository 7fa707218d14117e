"""Know what a prompt costs before it is sent, and send it to the cheapest model that takes it."""
