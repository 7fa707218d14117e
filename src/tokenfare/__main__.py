"""`python -m tokenfare`: the command, for when its script is not on the path.

CPython remembers a `KeyboardInterrupt` that passes through `exec` (while a dataclass is being
defined, say), and then ends `python -m` by the signal, although the interrupt was caught and an
exit code given. The next `exec` makes it forget (`run_eval_code_obj` in CPython).
"""

from tokenfare.cli import main

try:
    main()
finally:
    exec("")  # noqa: S102 - as above
