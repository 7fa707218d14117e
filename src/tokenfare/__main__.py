"""`python -m tokenfare`, the command for where its script is not on the path."""

import tokenfare.cli.__main__  # noqa: F401 - it runs the command, and minds interrupts
