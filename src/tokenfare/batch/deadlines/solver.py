"""HiGHS as it is used here: without a word, the same everywhere, and stopped by Ctrl-C.

What it solves may take it a quarter of a minute on a busy machine, and Python sees an interrupt
only when it has the thread to itself again. So the solver works beside, and is told to stop.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from tokenfare.batch.extra import required

WRONG = 1e-6
"""By which a solver may be wrong."""

_NODES = 2_000  # a number of steps and not of seconds: the same job is planned the same everywhere
_LOOK_SECONDS = 0.1


def solver() -> Any:
    """A solver that prints nothing: some versions greet before they can be told not to."""
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
        # Below that of the last check: else a solution on the edge is found and taken back.
        ("mip_feasibility_tolerance", WRONG / 4),
    ):
        found.setOptionValue(name, value)
    found.HandleUserInterrupt = True  # so that it looks whether it is told to stop
    return found


def solve(highs: Any) -> None:
    """Solve what was passed to a solver. What ends the waiting, as an interrupt, stops it first."""
    with ThreadPoolExecutor(1, "tokenfare-mix") as beside:
        solved = beside.submit(highs.run)
        try:
            # Not for all of it at once: an interrupt that comes before the wait is in neither.
            while not wait([solved], _LOOK_SECONDS).done:
                pass
        except BaseException:
            highs.cancelSolve()
            raise
    solved.result()
