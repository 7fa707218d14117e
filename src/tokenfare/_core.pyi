"""The native core: counting, and reading the lines of batch jobs.

Use it through `tokenfare.tokenizers` and `tokenfare.batch`. What reads the lines of jobs stands in
`_core_jobs.pyi`; both are one module when a program runs.
"""

from collections.abc import Collection, Iterator
from typing import ClassVar, Protocol, final, overload

from ._core_jobs import Bids as Bids
from ._core_jobs import Classes as Classes
from ._core_jobs import LineLayout as LineLayout
from ._core_jobs import Lines as Lines
from ._core_jobs import Offers as Offers
from ._core_jobs import Outcomes as Outcomes
from ._core_jobs import PrefixDigester as PrefixDigester
from ._core_jobs import PrefixTrees as PrefixTrees
from ._core_jobs import Prices as Prices
from ._core_jobs import Seen as Seen
from ._core_jobs import Sent as Sent
from ._core_jobs import lines_of_csv as lines_of_csv
from ._core_jobs import lines_of_table as lines_of_table

class ArrowStream(Protocol):
    """A column in chunks, by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

class ArrowArray(Protocol):
    """A column in one piece, by the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

class Refused(ValueError):  # noqa: N818 - never shown: each becomes an error of the library
    """An argument is invalid, or a text does not fit. Nothing else raises this type.

    A signal handler may raise a `ValueError` while the core works, which is no error of the core.
    """

class Unusable(RuntimeError):  # noqa: N818 - as Refused
    """An object is in use by another call, or a call on it was interrupted."""

@final
class Special:
    """Special tokens to recognise in texts, each a name and an id.

    `normalized` are matched in the normalized text, the others in the text as given.
    """

    def __new__(
        cls, tokens: list[tuple[str, int]], normalized: list[tuple[str, int]], /
    ) -> Special: ...

@final
class CountColumn:
    """Token counts of an Arrow column, a row each: 64-bit integers, null where the text was.

    An Arrow array of its own, so `pyarrow.array(counts)`, `polars.Series(counts)` and the like take
    it as it is; a sequence of `int | None`; `numpy.asarray(counts)` if no row is null, and with
    `dtype=float` also if some are, as not a number.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int | None]: ...
    def __getitem__(self, index: int, /) -> int | None: ...
    def __array__(self, dtype: object = None, copy: bool | None = None) -> object: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...
    @property
    def null_count(self) -> int:
        """Number of rows without a text."""
    def to_list(self) -> list[int | None]:
        """Copy the counts into a list, `None` where the text was null."""
    def to_numpy(self) -> object:
        """Copy the counts into an array of int64. Raises `ValueError` if a row is null."""

@final
class Tokenizer:
    Refused: ClassVar[type[ValueError]]
    """`tokenfare._core.Refused`, for callers that do not import this module."""
    def __new__(cls, data: bytes) -> Tokenizer:
        """Load a vocabulary in the compact form that `to_compact` makes."""
    @property
    def vocabulary_size(self) -> int: ...
    @property
    def longest_token(self) -> int:
        """The number of bytes of the longest token."""
    def count(self, text: str, /) -> int: ...
    def count_with_threads(self, text: str, threads: int, /) -> int:
        """Count on at most this many threads."""
    def count_up_to(self, text: str, limit: int, /) -> int | None:
        """The count, or `None` if it is more than `limit`; counting stops there."""
    def count_batch(self, texts: list[str], /) -> list[int]:
        """Count each text, on all cores."""
    @overload
    def count_column(
        self, source: ArrowStream | ArrowArray, column: str | None = None, /
    ) -> CountColumn: ...
    @overload
    def count_column(self, source: object, column: str | None = None, /) -> CountColumn | None: ...
    def truncate(self, text: str, limit: int, keep: str, /) -> tuple[int, int]:
        """The end of the kept beginning and the start of the kept ending, in code points.

        `keep` is `"start"`, `"end"` or `"ends"`. Raises `Refused` with the start, the end and the
        tokens of a single character that is more than the limit.
        """
    def split(self, text: str, limit: int, overlap: int, /) -> list[tuple[int, int, int]]:
        """Start, end and tokens of each piece, in code points. Raises as `truncate`."""
    def encode(self, text: str, special: Special | None = None, /) -> list[int]: ...
    def encode_to_buffer(self, text: str, special: Special | None = None, /) -> bytearray:
        """The ids as 32-bit integers in native byte order."""
    def decode(self, ids: Collection[int], special: Special, /) -> str: ...
    def decode_bytes(self, ids: Collection[int], special: Special, /) -> bytes: ...

@final
class Stream:
    """Counts a text that arrives in parts: `str`, or `bytes` of UTF-8."""

    Refused: ClassVar[type[ValueError]]
    Unusable: ClassVar[type[RuntimeError]]
    def __new__(cls, tokenizer: Tokenizer, /) -> Stream: ...
    def add(self, part: str | bytes, /) -> None:
        """Add a part. Raises `Refused` if it is not UTF-8; then nothing is added."""
    @property
    def tokens(self) -> int: ...
    def whole_characters(self) -> None:
        """Raise `Refused` if the parts so far end inside a character."""

def line_breaks(block: bytes, /) -> int:
    """How many line feeds these bytes have."""

def csv_rows(text: bytes, ends: bool, longest: int, most: int, /) -> tuple[int, int, bool]:
    """Find the whole rows at the beginning of CSV, at most `most`.

    Gives the place where they end, the lines that they take, and whether the row behind them has
    `longest` bytes or more. `ends` says that the text is complete.
    """

def to_compact(
    tokens: list[tuple[bytes, int]],
    merges: list[tuple[int, int]] | None,
    *,
    whole_pieces: bool,
    pattern: str,
    nfc: bool,
) -> bytes:
    """Convert tokens and their merges to the compact form that `Tokenizer` loads.

    Without `merges`, two neighbours merge if their bytes together are a token, lowest id first.
    With `whole_pieces`, a piece of the split that is a token as a whole is not merged at all.
    """

def panic(message: str, bytes: int) -> None:  # noqa: A002
    """Panic, for the test of what becomes of a panic."""
