"""A script of faults: rules that say which calls meet what, from a file, in code, or by a seed.

```toml
seed = 7

[[fault]]
name = "throttled-tokens"
on = [1, 2]                  # the first and the second call that the rule looks at
retry_after_seconds = 1

[[fault]]
name = "cut"
share = 0.02                 # of those calls, drawn by the seed
after_events = 3
model = "qwen-long*"
```

A rule looks at chats (at uploads or downloads, if it is about parsing files or cutting them), of
the models that match. The same seed draws the same calls in every run: the n-th call that a rule
looks at meets the fault or not, whatever other rules say.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.reading import toml_of

from .fault_names import named, split
from .faults import Attempt, Break, Fault, Parse


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault, and the calls that meet it.

    Of the calls of a `model` (a pattern, all by default): those in `on`, counted from 1; every n-th
    (`every`); or a `share` of them.
    """

    fault: Fault
    on: tuple[int, ...] = ()
    every: int | None = None
    share: float = 1.0
    model: str = "*"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InvalidRequestError(f"share is between 0 and 1, not {self.share}")
        every = () if self.every is None else (self.every,)
        if any(number < 1 for number in (*self.on, *every)):
            raise InvalidRequestError("calls are counted from 1")

    def looks_at(self, attempt: Attempt) -> bool:
        """Whether a call is one of those that this rule counts."""
        if isinstance(self.fault, Parse):
            return attempt.method == "POST" and attempt.path.endswith("/files")
        if isinstance(self.fault, Break):
            return attempt.method == "GET" and attempt.path.endswith("/content")
        return attempt.is_chat and fnmatchcase(attempt.model or "", self.model)

    def strikes(self, number: int, chance: float) -> bool:
        """Whether the call with this number meets the fault; `chance` was drawn for it."""
        if self.on or self.every:
            return number in self.on or (self.every is not None and number % self.every == 0)
        return chance < self.share


class FaultScript:
    """A hook for `Emulator(faults=…)` that follows rules."""

    def __init__(self, rules: Iterable[Rule], seed: int | str = 0) -> None:
        """Begin to count."""
        self.rules: tuple[Rule, ...] = tuple(rules)
        self.seed = seed
        self._seen = [0] * len(self.rules)
        self._lock = threading.Lock()

    def __call__(self, attempt: Attempt) -> tuple[Fault, ...]:
        """The faults of the rules that strike, in the order of the rules."""
        return tuple(
            rule.fault
            for index, rule in enumerate(self.rules)
            if rule.looks_at(attempt) and self._strikes(index)
        )

    def _strikes(self, index: int) -> bool:
        with self._lock:
            self._seen[index] += 1
            number = self._seen[index]
        chance = random.Random(f"{self.seed}/{index}/{number}").random()  # noqa: S311 - a script
        return self.rules[index].strikes(number, chance)

    @classmethod
    def load(cls, path: str | Path) -> FaultScript:
        """A script from a file. Raises `InputError`, which names the rule that is wrong."""
        return cls.read(toml_of(path), str(path))

    @classmethod
    def read(cls, content: Mapping[str, Any], name: str = "the script") -> FaultScript:
        """A script from the content of a file. Raises `InputError`."""
        tables = content.get("fault", [])
        unknown = sorted(set(content) - {"fault", "seed"})
        if unknown or not isinstance(tables, list):
            raise InputError(name, f"holds `seed` and [[fault]] tables, not {unknown or 'fault'}")
        rules = []
        for number, table in enumerate(tables, start=1):
            try:
                rules.append(_rule(table))
            except (InvalidRequestError, TypeError) as error:
                raise InputError(name, f"[[fault]] number {number}: {error}") from None
        return cls(rules, content.get("seed", 0))


def rule(text: str) -> Rule:
    """A rule in one line: `cut;share=0.02;after_events=3`. Raises `InvalidRequestError`."""
    name, values = split(text)
    return _rule({"name": name, **values})


def worst_day(seed: int | str = 0, share: float = 0.3, pause_seconds: float = 0.05) -> FaultScript:
    """Everything at once: about `share` of all chats meet one of two dozen faults."""
    pause = {"seconds": pause_seconds}
    each = share / len(_WORST)
    made = (named(name, pause if name in {"delay", "stall"} else values) for name, values in _WORST)
    return FaultScript((Rule(fault, share=each) for fault in made), seed)


_WORST: tuple[tuple[str, dict[str, object]], ...] = (
    ("throttled-requests", {"retry_after_seconds": 0.01}),
    ("throttled-tokens", {}),
    ("throttled-burst", {}),
    ("allowance-spent", {}),
    ("arrears", {}),
    ("retired", {}),
    ("no-access", {}),
    ("filtered-input", {}),
    ("filtered-output", {}),
    ("too-long", {}),
    ("server-error", {}),
    ("serving-error", {}),
    ("unavailable", {}),
    ("timed-out", {}),
    ("bad-gateway", {}),
    ("gateway-timeout", {}),
    ("cut", {}),
    ("cut", {"after_events": 1}),
    ("cut", {"after_events": 4}),
    ("interrupted", {}),
    ("delay", {}),
    ("stall", {}),
    ("wrong-usage", {"input_tokens": 7, "output_tokens": -1}),
    ("malformed", {"how": "html"}),
    ("malformed", {"how": "not-json"}),
    ("malformed", {"how": "empty"}),
    ("malformed", {"how": "no-choices"}),
    ("malformed", {"how": "no-usage"}),
    ("malformed", {"how": "negative-usage"}),
    ("malformed", {"how": "short"}),
)


def _rule(table: object) -> Rule:
    if not isinstance(table, Mapping):
        raise InvalidRequestError(f"a table with a name is expected, not {table!r}")
    values = dict(table)
    name = values.pop("name", None)
    if not isinstance(name, str):
        raise InvalidRequestError("name is missing")
    on = values.pop("on", ())
    every = values.pop("every", None)
    share, model = values.pop("share", 1.0), values.pop("model", "*")
    try:
        return Rule(
            named(name, values),
            on=tuple(int(n) for n in ([on] if isinstance(on, int | str) else on)),
            every=None if every is None else int(every),
            share=float(share),
            model=str(model),
        )
    except InvalidRequestError:
        raise
    except ValueError as error:
        raise InvalidRequestError(f"{name}: {error}") from None
