"""The command line: text in by files or standard input, a table out for people, JSON for programs.

Messages go to standard error. Each command is a module of this package that is loaded when it is
called, so that counting does not pay for HTTP. Exit codes are in `exit_codes`.
"""

from __future__ import annotations

import sys

try:
    from .main import main as main
except KeyboardInterrupt:  # in the tenth of a second in which `main` cannot catch it yet
    sys.stderr.write("tokenfare: interrupted\n")
    exec("")  # noqa: S102 - as in `tokenfare.__main__`
    raise SystemExit(130) from None
