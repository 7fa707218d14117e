"""`python -m tokenfare`, the command for where its script is not on the path.

An interrupt that passes through text being executed (a dataclass that is just imported, say) is
remembered by Python, which ends `-m` by that signal although it was caught, and not with the code
that it was given. The next text that is executed makes it forget (`run_eval_code_obj` in CPython).
"""

from tokenfare.cli import main

try:
    main()
finally:
    exec("")  # noqa: S102 - as above
