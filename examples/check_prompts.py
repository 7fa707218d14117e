"""Check, before anything is called, that every prompt of a folder fits its model and its price.

    python examples/check_prompts.py prompts --model qwen-max --max-output 2000 --most '0.1 CNY'

For continuous integration: a prompt is a text file, or a JSON file with chat messages, and the exit
code is 1 if one does not fit or may cost too much. Nothing is sent and no key is needed.
"""

import argparse
import json
import sys
from pathlib import Path

import tokenfare as tf


def problem(path: Path, model: str, room: int, most: tf.Money) -> str | None:
    """What is wrong with a prompt, in a sentence."""
    text = path.read_text(encoding="utf-8")
    prompt = json.loads(text) if path.suffix == ".json" else text
    try:
        decision = tf.route(prompt, allow=[model], max_output_tokens=room, exact=True)
    except tf.NoModelFits as error:
        (refusal,) = (each for each in error.decision.rejected if each.model.id == model)
        return refusal.detail
    print(f"{path}: {decision.size.value:,} tokens, up to {decision.fare.high}")
    if decision.fare.high > most:
        return f"may cost {decision.fare.high}, more than {most}"
    return None


def main() -> int:
    """Look at every prompt; how many have a problem is said last."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--max-output", type=int, default=1000)
    parser.add_argument("--most", type=tf.Money.written, default="0.1 CNY")
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.rglob("*") if path.suffix in {".txt", ".json"})
    found = {path: problem(path, given.model, given.max_output, given.most) for path in paths}
    wrong = {path: said for path, said in found.items() if said is not None}
    for path, said in wrong.items():
        print(f"{path}: {said}", file=sys.stderr)
    print(f"{len(paths)} prompts, {len(wrong)} with a problem")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
