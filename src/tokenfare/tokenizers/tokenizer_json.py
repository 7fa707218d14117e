"""Reads Hugging Face's `tokenizer.json`, if it describes a byte-level BPE.

Anything that the core cannot do exactly is refused, with its place in the file. Some keys are
ignored, since they change no count of plain text: `post_processor` (tokens of a template around the
text), `decoder` (decoding gives the bytes of the tokens), `truncation` and `padding`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from .patterns import IN_JSON
from .vocabulary import Added, NotRepresentable, Vocabulary, holds_half_a_character, is_id

_STRIPS = ("single_word", "lstrip", "rstrip")
_ANOTHER_WAY = (
    "transformers may count by it: tokenfare tokenizers add FOLDER --name NAME, "
    "with the folder that the file came in"
)


def byte_letters() -> dict[str, int]:
    """The byte that each printable character of GPT-2's alphabet stands for."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printable)
    return {
        **{chr(byte): byte for byte in printable},
        **{chr(256 + i): byte for i, byte in enumerate(others)},
    }


def read(path: str, data: bytes) -> Vocabulary:
    """Read a `tokenizer.json`. It takes up to a second."""
    return _Reader(path).vocabulary(data)


class _Reader:
    """Reads one file; every error names it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def refuse(self, where: str, problem: str) -> NotRepresentable:
        return NotRepresentable(self.path, where, problem)

    def beyond(self, where: str, problem: str) -> NotRepresentable:
        """The error for something valid that the core cannot do exactly, but transformers may."""
        return self.refuse(where, f"{problem}; {_ANOTHER_WAY}")

    def vocabulary(self, data: bytes) -> Vocabulary:
        file = self.parsed(data)
        model = file.get("model")
        if not isinstance(model, dict):
            raise self.refuse("model", "there is none: not a tokenizer.json")
        self.check_model(model)
        numbers = self.numbers(model)
        added = self.added(file.get("added_tokens") or [], numbers)
        whole_pieces = self.switch(model, "ignore_merges", "model.ignore_merges")
        return Vocabulary(
            self.tokens(numbers, added),
            self.merges(model, numbers),
            whole_pieces=whole_pieces,
            pattern=self.pattern(file.get("pre_tokenizer")),
            nfc=self.nfc(file.get("normalizer"), "normalizer"),
            added=added,
        )

    def parsed(self, data: bytes) -> dict[str, Any]:
        def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) != len(pairs):
                twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
                raise self.refuse("", f"the key {twice!r} is there twice in one object")
            return found

        try:
            file = json.loads(data, object_pairs_hook=once)
        except (ValueError, RecursionError) as error:
            if isinstance(error, NotRepresentable):
                raise
            raise self.refuse("", f"not JSON: {error}") from None
        if not isinstance(file, dict):
            raise self.refuse("", "not a tokenizer.json: its top is not an object")
        return file

    def switch(self, of: dict[str, Any], key: str, where: str, *, default: bool = False) -> bool:
        value = of.get(key, default)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.refuse(where, f"{value!r} is neither true nor false")
        return value

    def check_model(self, model: dict[str, Any]) -> None:
        if model.get("type", "BPE") != "BPE":
            raise self.beyond(
                "model.type", f"{model['type']!r}; only byte-level BPE is counted here"
            )
        if model.get("dropout"):
            raise self.refuse(
                "model.dropout", "merges are dropped at random: there is no one count"
            )
        for key in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(key):
                raise self.beyond(f"model.{key}", f"{model[key]!r}; bytes have no such marks here")

    def numbers(self, model: dict[str, Any]) -> dict[str, int]:
        vocab = model.get("vocab")
        if not isinstance(vocab, dict):
            raise self.refuse("model.vocab", "not an object of tokens and ids")
        owners: dict[int, str] = {}
        for token, number in vocab.items():
            if not is_id(number):
                raise self.refuse(f"model.vocab[{token!r}]", f"{number!r} is not an id")
            if number in owners:
                problem = f"{owners[number]!r} has the id {number} too"
                raise self.refuse(f"model.vocab[{token!r}]", problem)
            owners[number] = token
        return vocab

    def tokens(self, numbers: dict[str, int], added: tuple[Added, ...]) -> list[tuple[bytes, int]]:
        # Latin-1 would encode a character outside the alphabet as the byte of its own number.
        table = dict.fromkeys(range(256), 0xFFFF)
        table.update({ord(letter): byte for letter, byte in byte_letters().items()})
        names = {token.text for token in added}
        tokens = []
        for token, number in numbers.items():
            try:
                tokens.append((token.translate(table).encode("latin-1"), number))
            except UnicodeEncodeError:
                if token not in names:
                    raise self.refuse(
                        f"model.vocab[{token!r}]",
                        "not in the letters that byte-level BPE writes, nor an added token",
                    ) from None
        return tokens

    def merges(self, model: dict[str, Any], numbers: dict[str, int]) -> list[tuple[int, int]]:
        merges = model.get("merges")
        if not isinstance(merges, list):
            raise self.refuse("model.merges", "not a list")
        pairs: dict[tuple[int, int], None] = {}
        for i, merge in enumerate(merges):
            parts = merge.split(" ") if isinstance(merge, str) else merge
            try:
                left, right = parts
                numbers[left + right]
                pair = (numbers[left], numbers[right])
            except (ValueError, TypeError, KeyError):
                raise self.refuse(
                    f"model.merges[{i}]", f"{merge!r} is not two tokens that make a token"
                ) from None
            pairs.pop(pair, None)  # a pair that is listed twice merges at its last place
            pairs[pair] = None
        return list(pairs)

    def added(self, listed: object, numbers: dict[str, int]) -> tuple[Added, ...]:
        if not isinstance(listed, list):
            raise self.refuse("added_tokens", "not a list")
        owners = {number: token for token, number in numbers.items()}
        added: dict[int, Added] = {}
        places: dict[str, int] = {}
        for i, token in enumerate(listed):
            where = f"added_tokens[{i}]"
            found = self.one_added(token, where)
            if places.setdefault(found.text, i) != i:
                problem = f"{found.text!r} is added_tokens[{places[found.text]}] already"
                raise self.refuse(where, problem)
            owner = owners.setdefault(found.id, found.text)
            if found.id in added or owner != found.text:
                raise self.refuse(where, f"the id {found.id} is {owner!r} already")
            if numbers.get(found.text, found.id) != found.id:
                raise self.refuse(
                    where, f"{found.text!r} has the id {numbers[found.text]} in model.vocab"
                )
            added[found.id] = found
        return self.as_loaded(tuple(added.values()), numbers)

    def as_loaded(self, added: tuple[Added, ...], numbers: dict[str, int]) -> tuple[Added, ...]:
        """The added tokens with the ids that Hugging Face's `tokenizers` gives them.

        A token that is in `model.vocab` keeps that id. Others are numbered in the order of the
        list, from the number of tokens in `model.vocab` on, whatever the file states: after a gap,
        ids differ from those in the file, of which it logs a warning (tokenizers 0.23). Before
        0.22.2 it went on behind the highest id of the tokens so far; where that is another number,
        the file is refused.
        """
        owners = {number: token for token, number in numbers.items()}
        loaded: list[Added] = []
        following = behind_highest = len(numbers)
        for i, token in enumerate(added):
            number = numbers.get(token.text, following)
            earlier = numbers.get(token.text, behind_highest)
            following += token.text not in numbers
            behind_highest = max(behind_highest, earlier + 1)
            owner = owners.get(number, token.text)
            if number != earlier or owner != token.text:
                by = "Hugging Face's tokenizers"
                problem = (
                    f"is numbered {number} or {earlier}, depending on the version of {by}"
                    if number != earlier
                    else f"is numbered {number} by {by}, and {owner!r} has that id"
                )
                where = f"added_tokens[{i}]"
                raise self.beyond(where, f"{token.text!r} {problem}: model.vocab has gaps")
            loaded.append(replace(token, id=number))
        return tuple(loaded)

    def one_added(self, token: Any, where: str) -> Added:
        if not isinstance(token, dict) or not {"content", "id"} <= token.keys():
            raise self.refuse(where, "not an object with content and id")
        text, number = token["content"], token["id"]
        if not (isinstance(text, str) and text and is_id(number)):
            raise self.refuse(where, f"{text!r} with id {number!r} is not a token")
        if holds_half_a_character(text):
            raise self.refuse(where, f"{text!r} holds half a character")
        strips = [self.switch(token, key, f"{where}.{key}") for key in _STRIPS]
        return Added(
            text,
            number,
            normalized=self.switch(token, "normalized", f"{where}.normalized"),
            strips=any(strips),
        )

    def steps(self, sequence: dict[str, Any], key: str, where: str) -> list[Any]:
        steps = sequence.get(key)
        if not isinstance(steps, list):
            raise self.refuse(f"{where}.{key}", "not a list")
        return steps

    def nfc(self, normalizer: Any, where: str) -> bool:
        if normalizer is None:
            return False
        kind = normalizer.get("type") if isinstance(normalizer, dict) else None
        if kind == "NFC":
            return True
        if kind == "Sequence":
            steps = self.steps(normalizer, "normalizers", where)
            places = ((f"{where}.normalizers[{i}]", step) for i, step in enumerate(steps))
            return True in [self.nfc(step, place) for place, step in places]
        problem = f"{kind or normalizer!r}; NFC or none is what can be done exactly"
        raise self.beyond(where, problem)

    def pattern(self, pre_tokenizer: Any) -> str:
        where = "pre_tokenizer"
        steps = [pre_tokenizer]
        if isinstance(pre_tokenizer, dict) and pre_tokenizer.get("type") == "Sequence":
            steps = self.steps(pre_tokenizer, "pretokenizers", where)
        kinds = [step.get("type") if isinstance(step, dict) else step for step in steps]
        known = kinds in (["ByteLevel"], ["Split", "ByteLevel"])
        if not known or not all(isinstance(step, dict) for step in steps):
            raise self.beyond(
                where, f"{kinds}; ByteLevel, or Split and ByteLevel, is what can be done exactly"
            )
        byte_level = steps[-1]
        place = f"{where}: ByteLevel.add_prefix_space"
        if self.switch(byte_level, "add_prefix_space", place, default=True):
            raise self.beyond(place, "true: a space would be put before the text")
        place = f"{where}: ByteLevel.use_regex"
        splits_itself = self.switch(byte_level, "use_regex", place, default=True)
        if len(steps) == 1:
            if not splits_itself:
                problem = "false: nothing splits the text, and a text is one piece"
                raise self.beyond(place, problem)
            return "gpt2"
        if splits_itself:
            problem = "true: pieces would be split a second time"
            raise self.beyond(place, problem)
        return self.split(steps[0], f"{where}: Split")

    def split(self, step: dict[str, Any], where: str) -> str:
        # Both keep every match as a piece. The known patterns leave nothing unmatched.
        if (step.get("behavior"), bool(step.get("invert"))) not in (
            ("Isolated", False),
            ("Removed", True),
        ):
            problem = (
                f"{step.get('behavior')!r}, invert {step.get('invert')!r}; Isolated is possible"
            )
            raise self.beyond(f"{where}.behavior", problem)
        pattern = step.get("pattern")
        regex = pattern.get("Regex") if isinstance(pattern, dict) else None
        if not isinstance(regex, str):
            raise self.refuse(f"{where}.pattern", f"{pattern!r} is not a regular expression")
        name = IN_JSON.get(regex)
        if name is None:
            raise self.beyond(
                f"{where}.pattern.Regex",
                f"{regex!r} is not one of the patterns that are split exactly here "
                f"({', '.join(IN_JSON.values())})",
            )
        return name
