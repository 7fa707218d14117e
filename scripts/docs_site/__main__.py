"""Put the pages together and build the site of them: `make docs`."""

import sys
from pathlib import Path

from . import build

ROOT = Path(__file__).parents[2]

if __name__ == "__main__":
    failed = build(ROOT, ROOT / "build")
    if not failed:
        print(f"open {ROOT / 'build' / 'site' / 'index.html'}")
    sys.exit(failed)
