"""HiGHS as it is used here: silent, deterministic, and interruptible by Ctrl-C.

Solving may take a quarter of a minute on a busy machine, and Python handles an interrupt only when
the main thread runs Python code again. So the solver runs in another thread, and is told to stop.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from tokenfare.batch.extra import required

WRONG = 1e-6
"""The tolerance by which a solution may violate a constraint."""

_NODES = 2_000  # a limit in steps and not in seconds, so that results are the same everywhere
_LOOK_SECONDS = 0.1


def solver() -> Any:
    """A solver that prints nothing; some versions print before options can be set."""
    highspy = required("highspy")

    class Quiet(highspy.Highs):  # type: ignore[misc, name-defined]  # known when it is imported
        def enableCallbacks(self) -> None:  # noqa: N802 - the solver's name
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    found = Quiet()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_max_nodes", _NODES),
        ("mip_rel_gap", WRONG),
        # Below the tolerance of the final check, which would else reject a solution on the edge.
        ("mip_feasibility_tolerance", WRONG / 4),
    ):
        found.setOptionValue(name, value)
    found.HandleUserInterrupt = True  # so that it looks whether it is told to stop
    return found


def solve(highs: Any) -> None:
    """Solve the solver's model. An exception while waiting, such as an interrupt, stops it."""
    with ThreadPoolExecutor(1, "tokenfare-mix") as beside:
        solved = beside.submit(highs.run)
        try:
            # With a timeout, since an interrupt just before an endless wait would not be seen.
            while not wait([solved], _LOOK_SECONDS).done:
                pass
        except BaseException:
            highs.cancelSolve()
            raise
    solved.result()
