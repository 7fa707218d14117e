"""`python -m tokenfare.cli`, for where the script is not on the path."""

from .main import main

main()
