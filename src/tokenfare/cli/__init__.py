"""The command line: text in by files or standard input, a table out for people, JSON for programs.

Messages go to standard error. Each command is a module of this package that is loaded when it is
called, so that counting does not pay for HTTP. Exit codes are in `exits`.
"""

from __future__ import annotations

from .main import main as main
