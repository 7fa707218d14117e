"""The native counting core. Use it through `tokenfare.tokenizers`."""

from collections.abc import Collection
from typing import Protocol, final, overload

class ArrowStream(Protocol):
    """A column in chunks, by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

class ArrowArray(Protocol):
    """A column in one piece, by the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

@final
class Special:
    def __new__(
        cls, tokens: list[tuple[str, int]], normalized: list[tuple[str, int]], /
    ) -> Special: ...

@final
class CountColumn:
    """Token counts of an Arrow column, a row each: 64-bit integers, null where the text was.

    An Arrow array of its own, so `pyarrow.array(counts)`, `polars.Series(counts)` and the like take
    it as it is; a sequence of `int | None`; `numpy.asarray(counts)` if no row is null.
    """

    def __len__(self) -> int: ...
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
    def __new__(cls, data: bytes) -> Tokenizer: ...
    @property
    def vocabulary_size(self) -> int: ...
    def count(self, text: str, /) -> int: ...
    def count_with_threads(self, text: str, threads: int, /) -> int: ...
    def count_up_to(self, text: str, limit: int, /) -> int | None: ...
    def count_batch(self, texts: list[str], /) -> list[int]: ...
    @overload
    def count_column(self, source: ArrowStream | ArrowArray, /) -> CountColumn: ...
    @overload
    def count_column(self, source: object, /) -> CountColumn | None: ...
    def encode(self, text: str, special: Special | None = None, /) -> list[int]: ...
    def encode_to_buffer(self, text: str, special: Special | None = None, /) -> bytearray: ...
    def decode(self, ids: Collection[int], special: Special, /) -> str: ...
    def decode_bytes(self, ids: Collection[int], special: Special, /) -> bytes: ...

def to_compact(
    tokens: list[tuple[bytes, int]],
    merges: list[tuple[int, int]] | None,
    *,
    whole_pieces: bool,
    pattern: str,
    nfc: bool,
) -> bytes: ...
def panic(message: str, bytes: int) -> None:  # noqa: A002
    """Panic, for the test of what becomes of a panic."""
