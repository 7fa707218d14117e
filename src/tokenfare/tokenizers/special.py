"""Special tokens of the Qwen generations that share one vocabulary, by generation.

Which ones a model knows depends on its generation, and the same id can mean different things in two
generations. In users' text they are ordinary text unless a caller asks otherwise: a user who types
`<|im_end|>` must not end the message.

Sources, read 2026-11: QwenLM/Qwen `tokenization_note.md` (generation 1), and the published
`tokenizer_config.json` of Qwen2, Qwen2.5 and Qwen3 (`added_tokens_decoder`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

from tokenfare.errors import InvalidRequestError

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from tokenfare import _core

    from .vocabulary import Added

QWEN_SIZE = 151_643
"""The tokens of Qwen's vocabulary, and the id of its first special token."""

_SHARED = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_QWEN1 = tuple(f"<|extra_{i}|>" for i in range(205))
_QWEN25 = (
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
_QWEN3 = ("<tool_response>", "</tool_response>", "<think>", "</think>")


def _numbered(*names: str) -> Mapping[str, int]:
    return MappingProxyType({name: QWEN_SIZE + i for i, name in enumerate(names)})


SPECIAL_TOKENS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "qwen1": _numbered(*_SHARED, *_QWEN1),
        "qwen2": _numbered(*_SHARED),
        "qwen2.5": _numbered(*_SHARED, *_QWEN25),
        "qwen3": _numbered(*_SHARED, *_QWEN25, *_QWEN3),
    }
)

ORDINARY = "ordinary"
ALL = "all"


class SpecialSets:
    """The special tokens that a tokenizer can recognise, as sets by name; not to be changed.

    `texts` has the one id of each special token, so a caller may list some of them without naming a
    set. `by_default` is the set that decoding uses. `refused` are special tokens that cannot be
    recognised exactly; `normalized` are those that are looked for in normalized text, each with its
    own normalized form.
    """

    # No dataclass: the first count needs this module, and importing dataclasses would take it half
    # as long again.
    __slots__ = ("by_default", "by_name", "normalized", "refused", "texts")

    def __init__(
        self,
        by_name: Mapping[str, Mapping[str, int]],
        by_default: str,
        texts: Mapping[str, int],
        *,
        refused: frozenset[str] = frozenset(),
        normalized: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take the sets as they are."""
        self.by_name = by_name
        self.by_default = by_default
        self.texts = texts
        self.refused = refused
        self.normalized = normalized

    @classmethod
    def of_file(cls, added: Collection[Added], *, nfc: bool) -> SpecialSets:
        """The added tokens of a file, as one set; `nfc` says that it normalizes texts to NFC."""
        from unicodedata import normalize

        texts = MappingProxyType({token.text: token.id for token in added})
        return cls(
            {ALL: texts},
            ALL,
            texts,
            refused=frozenset(token.text for token in added if token.strips),
            normalized={
                token.text: normalize("NFC", token.text) if nfc else token.text
                for token in added
                if token.normalized
            },
        )

    def named(self, name: str, *others: str) -> Mapping[str, int]:
        """The set of this name. `others` are further valid values, for the error's list."""
        if name not in self.by_name:
            known = ", ".join((*others, *self.by_name))
            raise InvalidRequestError(f"no special tokens are called {name!r}; known: {known}")
        return self.by_name[name]

    def resolve(self, special: str | Collection[str]) -> Mapping[str, int]:
        """The special tokens that `special` names: those of a set, those listed, or none."""
        if isinstance(special, str):
            found = {} if special == ORDINARY else self.named(special, ORDINARY)
        else:
            unknown = sorted(set(special) - self.texts.keys())
            if unknown:
                raise InvalidRequestError(f"no special tokens here: {', '.join(unknown)}")
            found = {text: self.texts[text] for text in special}
        refused = sorted(self.refused & found.keys())
        if refused:
            raise InvalidRequestError(
                "these take white space around them or stand between words only, which is not done "
                f"here: {', '.join(refused)}; list the others"
            )
        return found


QWEN = SpecialSets(
    SPECIAL_TOKENS,
    "qwen2",
    MappingProxyType({**SPECIAL_TOKENS["qwen1"], **SPECIAL_TOKENS["qwen3"]}),
)


@lru_cache(maxsize=64)
def prepared(sets: SpecialSets, special: str | frozenset[str]) -> _core.Special:
    """What the core looks for in a text: the special tokens that `special` names."""
    from tokenfare import _core

    found = sets.resolve(special)
    later = [(form, found[text]) for text, form in sets.normalized.items() if text in found]
    return _core.Special([it for it in found.items() if it[0] not in sets.normalized], later)


@lru_cache(maxsize=64)
def spelled(sets: SpecialSets, special: str | None) -> _core.Special:
    """What the core decodes ids to: the special tokens of one set, by default all it decodes."""
    from tokenfare import _core

    return _core.Special(list(sets.named(special or sets.by_default).items()), [])
