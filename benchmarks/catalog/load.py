"""How long the catalogue takes to load: the shipped one, and one of 5,000 imported models.

Each figure is the median over fresh processes, in milliseconds of processor time (the wall clock
of a busy machine says little). `cold` is everything from an interpreter that has only started,
imports included; `load` is `Catalog.load` alone; `to parsing` is that against `json.loads` of the
list that was imported, in the same process. The answer is checked: the number of models, and the
price of one, which is arithmetic on how the list was made.

    python benchmarks/catalog/load.py [--runs 15] [--list model_prices_and_context_window.json]

Without `--list`, a list in LiteLLM's form is made up.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tokenfare.catalog.imports import imported
from tokenfare.catalog.load import shipped

MODELS = 5_000
DAY = date(2026, 11, 25)

# Run in a process of its own: what it has not imported costs what it costs a user.
MEASURED = """
import time
start = time.process_time()
from tokenfare.catalog import Catalog
Catalog
imported = time.process_time()
catalog = Catalog.load()
loaded = time.process_time()
models = catalog.models(all=True)
built = time.process_time()
catalog.models(all=True)
again = time.process_time()
import json, sys
content = open(sys.argv[1]).read()
start_parsing = time.process_time()
json.loads(content)
parsing = (time.process_time() - start_parsing) * 1e3
print(json.dumps({
    "to parsing": (loaded - imported) * 1e3 / parsing,
    "cold": (loaded - start) * 1e3, "load": (loaded - imported) * 1e3,
    "first models()": (built - loaded) * 1e3, "models() again": (again - built) * 1e3,
    "models": len(models),
}))
"""

FIGURES = ("cold", "load", "to parsing", "first models()", "models() again")


def made_up(number: int) -> dict[str, dict[str, object]]:
    """A list in LiteLLM's form: prices in steps of 1e-9, a third of the models in tiers."""
    return {
        f"maker{i % 97}/model-{i}": {
            "litellm_provider": f"maker{i % 97}",
            "mode": "chat",
            "max_input_tokens": 1_000 * (i % 200 + 8),
            "max_output_tokens": 4_096,
            "input_cost_per_token": f"{i + 1}e-9",
            "output_cost_per_token": f"{2 * (i + 1)}e-9",
            "cache_read_input_token_cost": f"{i + 1}e-10",
            "supports_vision": i % 3 == 0,
            "supports_function_calling": True,
            "source": f"https://maker{i % 97}.example/prices",
        }
        | ({"input_cost_per_token_above_200k_tokens": f"{2 * (i + 1)}e-9"} if i % 3 == 0 else {})
        for i in range(number)
    }


def measured(files: str, prices: Path, runs: int) -> Mapping[str, float]:
    """Medians over fresh processes that see these files."""
    environment = os.environ | {"TOKENFARE_CATALOG": files}
    command = [sys.executable, "-c", MEASURED, str(prices)]
    found = [
        json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        for _ in range(runs)
    ]
    return {name: statistics.median(run[name] for run in found) for name in (*FIGURES, "models")}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--list", type=Path, help="a price map of LiteLLM to import")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prices, out = Path(folder) / "prices.json", Path(folder) / "imported.json"
        prices.write_text(json.dumps(made_up(MODELS)))
        found = imported("litellm", given.list or prices, DAY, shipped())
        out.write_bytes(found.written())
        if given.list is None:  # 43 billionths for a token are 0.043 for a million
            assert str(found.models["maker42/model-42"].prices[0].tiers[0].input) == "0.043"
        results = {
            "shipped": measured("", given.list or prices, given.runs),
            f"with {len(found.models):,} imported": measured(
                str(out), given.list or prices, given.runs
            ),
        }
        size = out.stat().st_size
    print(f"Python {platform.python_version()}, {platform.machine()}, median of {given.runs} runs")
    print(f"the imported file has {size / 1e6:.1f} MB")
    print(f"{'ms of processor time':<28}" + "".join(f"{name:>16}" for name in FIGURES))
    for name, figures in results.items():
        print(f"{name:<28}" + "".join(f"{figures[key]:>16.2f}" for key in FIGURES))


if __name__ == "__main__":
    main()
