"""The part of `tokenfare._core` that reads and places the lines of batch jobs.

There is no such module when a program runs: `_core` has these names, and its stub takes them from
here, so that neither file is too long to be read.
"""

from typing import final

from ._core import Tokenizer

@final
class PrefixDigester:
    """Makes the prefix digests of one job, under a key of 16 bytes; see the crate `tokenfare-jobs`.

    `distances` are the places inside of a text that have a digest, in characters, ascending.
    """

    def __new__(cls, key: bytes, distances: tuple[int, ...], /) -> PrefixDigester: ...
    def of(self, options: bytes | None, messages: list[tuple[str, str] | bytes], /) -> list[int]:
        """The digests of a request: a message is a role and a text, or its JSON."""

@final
class PrefixTrees:
    """The prefixes that a job's requests share, counted by tree, in bounded memory."""

    def __new__(cls, capacity: int, /) -> PrefixTrees: ...
    def add(
        self, tree: int, digests: list[int], size: tuple[int, int], place: tuple[int, int], /
    ) -> tuple[int, int] | None:
        """Add a request by its digests, its size, its file and line.

        Gives the number of its longest shared prefix and the index of that prefix's digest, the
        first time that this prefix is reported.
        """
    def groups(self) -> list[tuple[int, int, int, int]]:
        """Each tree: its number, its requests, the shortest at least and the longest at most."""
    def of(self, tree: int, /) -> list[tuple[int, int, int, tuple[int, int]]]:
        """The shared prefixes of a tree.

        Each is a number, how many requests have it, how many of these share no longer one with an
        earlier request, and the file and line of the first.
        """
    @property
    def missed(self) -> int:
        """The most requests that a prefix can have of which nothing is said."""
    @property
    def nodes(self) -> int:
        """How many prefixes are kept."""
    def take_evicted(self) -> list[tuple[int, int, int]]:
        """The prefixes evicted since the last call: tree, number, requests that ended there."""

@final
class LineLayout:
    """The names under which a line of a job has its parts; see the crate `tokenfare-jobs`.

    - `prompt`: The name of a prompt.
    - `messages`: The name of a list of messages.
    - `custom_id`: The name of the request's id.
    - `method`: What the `method` of a batch line has to be, if it has one.
    - `url`: What its `url` has to be, if it has one.
    - `doubtful_in_body`: Names in a body that make the line doubtful, whatever their values.
    - `doubtful_beside`: Names beside a prompt or messages that do.
    - `marks`: Beginnings of texts that refer to something else, such as an uploaded file.
    - `room`: The room for the answer, in tokens, if the body names none.
    - `digester`: Makes the prefix digests of the requests, if they are wanted.
    """

    def __new__(
        cls,
        *,
        prompt: str,
        messages: str,
        custom_id: str,
        method: str,
        url: str,
        doubtful_in_body: set[str],
        doubtful_beside: set[str],
        marks: list[str],
        room: int,
        digester: PrefixDigester | None,
    ) -> LineLayout: ...

@final
class Seen:
    """Ids and bodies seen before, by digests under a key of 16 bytes.

    With `keeps`, the id of the first request with each body is kept too.
    """

    def __new__(cls, key: bytes, *, keeps: bool) -> Seen: ...
    def id(self, id: str, /) -> bool:  # noqa: A002
        """Remember an id. Gives whether it is new."""
    def body(self, body: bytes, id: str, /) -> str | None:  # noqa: A002
        """Remember a body. If it was seen before: the id of its first request, or ""."""

@final
class Offers:
    """The lowest price of each kind of a service's models for each size.

    A kind is how its models count plain requests: a tokenizer's number or the name of a rule on
    bytes (`"as is"`, `"nfc"`, `"most"`); whether a text may merge with the line break before it;
    and what the template adds once, for each message, and in place of a system message.
    """

    def __new__(
        cls,
        kinds: list[tuple[int | str, bool, tuple[int, int], tuple[int, int], tuple[int, int]]],
        /,
    ) -> Offers: ...
    def open(self, kind: int, /) -> list[tuple[int, int]]:
        """The sizes on a kind that have no offer yet."""
    def answer(self, kind: int, offers: list[int | None], /) -> None:
        """Set the offers for the first of the open sizes; `None` if no model takes the size."""
    def price_by(
        self, kind: int, prices: Prices, takers: tuple[tuple[int, int | None], ...], answer: int, /
    ) -> None:
        """From now on compute the offers of a kind here, for answers of this many tokens.

        `takers` are models by their index in `prices`, each with its longest input.
        """
    def settle(self, kind: int, place: int, outcome: int, /) -> None:
        """Set the outcome of requests that accept a kind's offer, by the size's place."""
    def size_lists(self) -> list[int]:
        """For each kind the number of its list of sizes; kinds that count alike share one."""
    def held(self, kind: int, /) -> list[tuple[tuple[int, int], int]]:
        """The sizes of the requests counted by `Lines.hold`, and how many have each."""

@final
class Prices:
    """The prices of models in whole numbers, multiplied by `scale`.

    A model is the longest input of each of its tiers but the last, and for each tier the prices of
    an input and of an output token.
    """

    def __new__(
        cls, models: list[tuple[tuple[int, ...], list[tuple[int, int]]]], scale: int, /
    ) -> Prices: ...
    def least(
        self, takers: tuple[tuple[int, int | None], ...], size: tuple[int, int], answer: int, /
    ) -> int | None:
        """The lowest price of the takers for a size, in units of 1e-12 of the currency."""

@final
class Outcomes:
    """What was decided for requests, by number, and how many requests have each outcome."""

    def __new__(cls) -> Outcomes: ...
    def add_address(self, front: bytes, most: int | None, /) -> None:
        """Add an address: the bytes of a line between id and body, and the most bytes of a line."""
    def add(self, address: int, size: tuple[int, int], /) -> None:
        """Add an outcome: requests of this size go to this address."""
    def forget_numbers(self) -> None:
        """Set the number of requests of each outcome to zero."""
    def numbers(
        self, first: int, most: int, /
    ) -> list[tuple[int, int, int, tuple[int, int] | None]]:
        """For at most `most` outcomes from `first` on: how many are sent, repeated, carried.

        Repeated ones are sent, too. Last, the file and the line of the first that is sent.
        """

@final
class Lines:
    """The lines of a block that are not blank; a row is the index of such a line.

    `first` is the number of the block's first line, and `key` that of the `Seen` which the lines
    will be compared with.
    """

    def __new__(
        cls,
        block: bytes,
        first: int,
        layout: LineLayout,
        key: bytes,
        tokenizers: list[Tokenizer],
        /,
    ) -> Lines: ...
    def __len__(self) -> int: ...
    def line(self, row: int, /) -> tuple[int, bytes]:
        """A line's number in its file, and its bytes."""
    def id(self, row: int, /) -> str:
        """The id of a request."""
    def give(self, row: int, id: str, body: bytes, digests: list[int], /) -> None:  # noqa: A002
        """Hand in a doubtful line as a request: its id, body without a model, prefix digests."""
    def name(self, prefix: str, seen: Seen, /) -> None:
        """Give requests without an id one, `prefix` + line number, and find duplicate ids."""
    def doubtful(self) -> list[int]:
        """The rows that were not read."""
    def duplicates(self) -> list[int]:
        """The rows whose id an earlier request has."""
    def open(self) -> list[int]:
        """The rows of requests that have no model yet."""
    def too_long(self) -> list[tuple[int, int, int]]:
        """The rows whose line is too long for its address, with outcome and bytes."""
    def add_prefixes(
        self, prefix_trees: PrefixTrees, outcomes: Outcomes, trees: list[int], file: int, /
    ) -> list[tuple[int, int, int, int]]:
        """Add the requests that are sent to prefix trees; `trees` has the tree of each address.

        Gives those whose longest shared prefix is reported for the first time: row, tree, number of
        the prefix, index of its digest.
        """
    def outcome(self, row: int, /) -> int | None:
        """The outcome of a request, if it has one."""
    def body(self, row: int, /) -> bytes:
        """The body that is sent for a request, without its model."""
    def rooms(self) -> list[int]:
        """The rooms of plain requests that have no model yet, each once."""
    def rows_with(self, room: int, /) -> list[int]:
        """The rows of plain requests with this room that have no model yet."""
    def group(self, room: int, offers: Offers, /) -> int:
        """Group the plain requests with this room that have no model yet. Gives the group."""
    def row(self, group: int, place: int, /) -> int:
        """The row of the request at a place of a group."""
    def left(self, group: int, /) -> list[int]:
        """The places in a group of requests that have no model yet."""
    def sizes(self, group: int, place: int, offers: Offers, /) -> list[tuple[int, int]]:
        """The sizes of a request on each kind."""
    def undecided(self, group: int, offers: Offers, /) -> list[tuple[int, int, tuple[int, int]]]:
        """The lowest offers in a group that have no outcome yet: kind, place of the size, size."""
    def choose(self, group: int, offers: Offers, /) -> list[int]:
        """Give the requests of a group the outcome of their lowest offer.

        Gives the places of those for which several kinds have the lowest offer.
        """
    def hold(self, group: int, offers: Offers, /) -> None:
        """Count the requests of a group that are sent, by size, in `offers`."""
    def place(self, row: int, outcome: int, /) -> None:
        """Give a request an outcome."""
    def send(self, outcomes: Outcomes, seen: Seen, once: bool, file: int, /) -> Sent:
        """Write the lines of the requests that have an outcome; with `once`, each body once."""

@final
class Classes:
    """The classes of a job with a deadline, and which of its requests are carried.

    A class is a set of bids; a bid is a size on a kind of a live service's models, by number.
    """

    def __new__(cls) -> Classes: ...
    def __len__(self) -> int: ...
    def number(self, bids: list[int], /) -> int:
        """The number of the class with these bids."""
    def bid(self, service: int, kind: int, size: tuple[int, int], /) -> int:
        """The number of a bid."""
    def bids(self) -> list[bytes]:
        """All bids as columns: service, kind (`u32`), and the two ends of the size (`u64`)."""
    def all(self) -> list[bytes]:
        """All classes as columns: the number of bids, the bids (`u32`), requests sent (`u64`)."""
    def count_one(self, number: int, carried: bool, /) -> None:
        """Count the next request of the job, which the core has not read."""
    def count(self, lines: Lines, outcomes: Outcomes, seen: Seen, once: bool, /) -> int:
        """Count the requests of a block. Gives how many sent requests have no class."""
    def coarsen(self, joined: list[int], /) -> None:
        """Join bids, and thereby classes: `joined` has the bid that represents each bid."""
    def give_out(
        self, classes: list[int], models: list[int], requests: list[int], carried: list[int], /
    ) -> None:
        """Set how many requests of a class go to a model, in columns.

        `carried` has, for each class, the model for its carried requests.
        """
    def next(self, number: int, /) -> tuple[int, bool] | None:
        """The model of the next request, and whether it is carried; `None` if it has changed."""
    def all_given(self) -> bool:
        """Whether every request that was counted has a model."""
    @staticmethod
    def withdraw(lines: Lines, outcomes: Outcomes, late: list[bool], /) -> list[int]:
        """Withdraw the requests that go to late addresses. Gives all addresses that are used."""
    @staticmethod
    def free(lines: Lines, row: int, /) -> int | None:
        """The outcome that a request would have without the deadline, if it is known."""
    def classed(self, lines: Lines, row: int, number: int, free: int, /) -> None:
        """Set the class, and the outcome without the deadline, of a request that was handed in."""
    def deal(self, lines: Lines, /) -> bool:
        """Give the requests of a block their models. Gives whether none of them has changed."""
    @staticmethod
    def model(lines: Lines, row: int, /) -> int | None:
        """The model that `deal` gave a request."""
    def compare(self, lines: Lines, /) -> None:
        """Count which outcomes replaced which, for the requests of a block that are sent."""
    def moves(self) -> list[tuple[int, int, int]]:
        """The counts of `compare`: outcome without the deadline, outcome with it, how many."""

@final
class Bids:
    """The bids of a live service: a number for each size on each of its kinds.

    `kinds` has the kind of each model that can promise a time, and `longest` for each kind of the
    service the longest input that such a model takes, `None` if none takes any.
    """

    def __new__(cls, service: int, kinds: dict[int, int], longest: list[int | None], /) -> Bids: ...
    def open(self, kind: int, offers: Offers, /) -> list[tuple[int, int]]:
        """The sizes on a kind that have no bid yet."""
    def answer_up_to(self, offers: Offers, classes: Classes, /) -> None:
        """Give the open sizes bids, up to the longest that is taken on each kind."""
    def answer(self, kind: int, offers: Offers, classes: Classes, taken: list[bool], /) -> None:
        """Give bids to those of a kind's open sizes that are taken."""
    @staticmethod
    def lacks(lines: Lines, group: int, /) -> bool:
        """Whether a request of a group has no known outcome without the deadline."""
    def classify(self, lines: Lines, group: int, classes: Classes, /) -> list[int]:
        """Give the requests of a group their classes. Gives the places of those without one."""
    def unsettled(
        self, lines: Lines, group: int, offers: Offers, /
    ) -> list[tuple[int, int, tuple[int, int]]]:
        """What is to be settled for a group: model, place of the size, size."""
    def settle(self, model: int, place: int, outcome: int, /) -> None:
        """Set the outcome of requests of a size on a model."""
    def settle_all(self, lines: Lines, group: int, /) -> None:
        """Give the requests of a group their outcomes on the models that they were given."""

@final
class Sent:
    """The requests of a block that are sent or carried.

    As Arrow, a struct array with a row for each: `line`, `custom_id`, `outcome`, `sent_as`.
    """

    def files(self) -> list[tuple[int, bytes, int]]:
        """The lines by address: the address, the lines concatenated, how many they are."""
    def lengths(self, place: int, /) -> list[int]:
        """The bytes of each line, by index into `files`."""
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

def lines_of_csv(
    block: bytes,
    first: int,
    names: list[str],
    layout: LineLayout,
    key: bytes,
    tokenizers: list[Tokenizer],
    /,
) -> Lines:
    """Read whole rows of CSV whose columns are called `names`; `first` is the first row's line."""

def lines_of_table(
    batch: object, first: int, layout: LineLayout, key: bytes, tokenizers: list[Tokenizer], /
) -> Lines:
    """Read the rows of an Arrow record batch; `first` is the number of the first row."""
