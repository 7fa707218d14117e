"""The command line: reads text from files or standard input, prints tables or JSON.

Messages go to standard error. Each command is a module of this package that is loaded only when it
is called, so that counting need not import HTTP. Exit codes are in `exit_codes`.
"""

from __future__ import annotations

import sys

try:
    from .main import main as main
except KeyboardInterrupt:  # in the first tenth of a second, when `main` cannot catch it yet
    sys.stderr.write("tokenfare: interrupted\n")
    exec("")  # noqa: S102 - as in `tokenfare.__main__`
    raise SystemExit(130) from None
