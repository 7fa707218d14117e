"""A process that is killed with signal 9 at the n-th step of a plan's whole way, for every n.

Steps are: before and after each request to the provider, after each entry in the journal, before
and after each file gets its name. The children are forked from a process without threads.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenfare import batch
from tokenfare.database import Database
from tokenfare.dispatch import RetryPolicy
from tokenfare.dispatch.effect_handlers import EffectHandler


def die_at(step: int) -> None:
    """Patch the places where a step is, so that the `step`-th is the last."""
    left = [step]

    def tick() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(do: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*args: Any) -> Any:
            tick()
            done = do(*args)
            tick()
            return done

        return doing

    writing = Database.writing

    @contextmanager
    def entering(self: Database) -> Any:
        with writing(self) as connection:
            yield connection
        tick()

    EffectHandler._send = around(EffectHandler._send)
    Path.replace = around(Path.replace)
    Database.writing = entering


def whole_way(folder: Path, base_url: str) -> None:
    given: dict[str, Any] = {
        "base_url": base_url,
        "api_key": "sk-any",
        "retry_policy": RetryPolicy(attempts=1),
        "ledger": folder / ".." / f"{folder.name}.ledger",
    }
    batch.submit(folder, settle_seconds=0, **given)  # no two of the children work at once
    batch.wait(folder, sleep=lambda _: None, **given)
    batch.collect(folder, settle_seconds=0, **given)


def main(plan: Path, base_url: str) -> None:
    """Kill a child at each step of a copy of the plan; print how many steps there are."""
    step = 0
    while True:
        step += 1
        folder = plan.with_name(f"killed-{step}")
        shutil.copytree(plan, folder)
        said = json.loads((folder / "plan.json").read_text())
        (folder / "plan.json").write_text(json.dumps({**said, "copy": step}))
        child = os.fork()
        if child == 0:
            try:
                die_at(step)
                whole_way(folder, base_url)
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - a forked child must not go on
                sys.stderr.write(f"step {step}: {error!r}\n")
                os._exit(1)
        _, ended = os.waitpid(child, 0)
        if os.WIFSIGNALED(ended):
            continue
        print(json.dumps({"steps": step - 1, "code": os.waitstatus_to_exitcode(ended)}))  # noqa: T201
        return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
