"""Counting no more than needed: the same choice as with every text counted, for less."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import DAY, model, price
from tokenfare.budget import RequestPreparer
from tokenfare.catalog import ChatTemplate, DocumentRules, Limits, Model
from tokenfare.messages import Document, parse
from tokenfare.router import Decision, Question, Requirements, Sizing, decide, settle
from tokenfare.tokenizers import ByLength, Count, Measurer, Tokenizer, measurer
from tokenfare.tokenizers.by_length import LONGEST_TOKEN
from tokenfare.tokenizers.nfc import NFC_GROWS, NFC_SHRINKS, NFKC_GROWS, nfc_bytes
from tokenfare.tokenizers.ranks import QWEN_FILE, qwen_ranks

ASKED = Requirements(max_output_tokens=10)
ENGLISH = "The quick brown fox jumps over the lazy dog, 1234 times. "  # 17 tokens


def lazily(
    models: Sequence[Model], messages: object, documents: Sequence[Document] = ()
) -> Decision:
    parsed = parse(messages)  # type: ignore[arg-type]
    sizing = Sizing(lambda by: RequestPreparer(parsed, documents, by, itemized=False), measurer)
    return settle(Question(tuple(models), ASKED, DAY, ""), sizing)


def eagerly(
    models: Sequence[Model], messages: object, documents: Sequence[Document] = ()
) -> Decision:
    preparer = RequestPreparer(parse(messages), documents, measurer)  # type: ignore[arg-type]
    return decide(models, preparer.size_for, ASKED, day=DAY, digest="")


def ladder(*steps: tuple[int, str]) -> list[Model]:
    """Models by their most input and their price: the longer ones the dearer."""
    return [
        model(f"to-{most}", limits=Limits(max_input=most), price=price((None, each, each)))
        for most, each in steps
    ]


LADDER = ladder((1_000, "0.001"), (100_000, "0.002"), (1_000_000, "0.003"))


def test_a_text_that_any_model_takes_is_not_counted() -> None:
    decision = lazily(ladder((50_000, "0.001"), (100_000, "0.002")), ENGLISH * 36)
    assert decision.model.id == "to-50000"
    assert decision.effort is not None
    assert decision.effort.tokens == 0
    assert (decision.size.low, decision.size.high) == (17 + 8, len(ENGLISH) * 36 + 8)


def test_a_text_that_no_model_takes_is_counted_to_the_largest_limit() -> None:
    text = ENGLISH * 4_000
    decision = lazily(ladder((1_000, "0.001"), (20_000, "0.002")), text)
    assert not decision.found
    assert decision.effort is not None
    assert decision.effort.tokens <= 20_000
    (miss, _) = decision.rejected
    assert miss.reason == "max_input"
    assert (
        miss.detail
        == "to-20000: at least 20,009 tokens asked, 20,000 accepted (at least 9 too many)"
    )
    assert "20,000 tokens were counted to decide this" in decision.explain()


def test_counting_stops_where_no_other_model_wins_any_more() -> None:
    """68,000 tokens of 228,000 bytes: after 20,000 it is the larger model, however many follow."""
    decision = lazily(ladder((20_000, "0.001"), (1_000_000, "0.002")), ENGLISH * 4_000)
    assert decision.model.id == "to-1000000"
    assert decision.effort is not None
    assert decision.effort.tokens <= 20_000


def test_what_cannot_be_counted_is_decided_at_its_high_end() -> None:
    """It may be a token or ten thousand: the smaller model might take it, the larger one does."""
    models = [replace(one, tokenizer="unknown") for one in LADDER]
    text = "x" * 10_000
    decision = lazily(models, text)
    assert decision.model.id == "to-100000"
    assert decision.winner is eagerly(models, text).winner
    assert decision.effort is not None
    assert decision.effort.tokens == 0


def test_without_a_limit_near_by_length_alone_no_text_is_refused_by_guess() -> None:
    """2,052 bytes and 613 tokens: only counting says that it fits 1,000."""
    decision = lazily(LADDER, ENGLISH * 36)
    assert decision.model.id == "to-1000"
    assert decision.effort is not None
    assert decision.effort.tokens == decision.size.value - 8 == 17 * 36 + 1  # the last space


def test_models_that_differ_by_the_template_alone_are_not_counted_apart() -> None:
    """Their sizes are uncertain by the same text: it is no matter how long that is."""
    wide = {"limits": Limits(max_input=50_000)}
    models = [
        model("plain", price=price((None, "0.002", "0.002")), **wide),
        model(
            "verbose",
            price=price((None, "0.0019999", "0.002")),
            chat=ChatTemplate(per_message=50, per_reply=3),
            **wide,
        ),
    ]
    decision = lazily(models, ENGLISH * 36)
    assert decision.effort is not None
    assert decision.effort.tokens == 0
    assert decision.winner is eagerly(models, ENGLISH * 36).winner


def settled_with_another_tokenizer(models: list[Model], text: str) -> Decision:
    """Settle where "other" counts as Qwen's does, and is a class of its own."""
    other = Tokenizer.from_file("other", QWEN_FILE)
    parsed = parse(text)
    sizing = Sizing(
        lambda by: RequestPreparer(parsed, (), by),
        lambda name: other if name == "other" else measurer(name),
    )
    return settle(Question(tuple(models), ASKED, DAY, ""), sizing)


def test_a_class_that_may_cost_less_is_counted_though_it_may_cost_more() -> None:
    """0.01 for the answer alone, against 0.0093 for 621 tokens and 0.0105 for 700, its tier."""
    models = [
        model("fixed", price=price((None, "0", "1")), limits=Limits(max_input=9_000)),
        model(
            "by-length",
            tokenizer="other",
            price=price((700, "0.015", "0"), (None, "0.02", "0")),
            limits=Limits(max_input=9_000),
        ),
    ]
    decision = settled_with_another_tokenizer(models, ENGLISH * 36)
    assert decision.model.id == "by-length"
    assert decision.size.exact


def test_a_class_that_costs_more_whatever_its_size_is_not_measured() -> None:
    """100,000 bytes at 0.001 cost 0.1001 with the answer at most; "dear" costs 0.2 for it alone."""
    asked: list[str] = []

    def noted(name: str) -> Measurer:
        asked.append(name)
        return measurer(name)

    wide = {"limits": Limits(max_input=200_000)}
    models = [
        model("dear", tokenizer="unknown", price=price((None, "0.001", "20")), **wide),
        model("cheap", price=price((None, "0.001", "0.01")), **wide),
    ]
    parsed = parse("x" * 100_000)
    sizing = Sizing(lambda by: RequestPreparer(parsed, (), by), noted)
    decision = settle(Question(tuple(models), ASKED, DAY, ""), sizing)
    assert decision.model.id == "cheap"
    assert asked == ["qwen"]
    assert [ranked.model.id for ranked in decision.ranked] == ["cheap", "dear"]
    assert asked == ["qwen", "unknown"]


def test_a_class_looked_at_alone_is_counted_on_with_those_it_moves_with() -> None:
    """Counting to the 2,000 that "files" takes shows that it uploads the text of 7,141 tokens.

    From then on its size and that of "inline" differ by what stands around the text. Beyond 6,000
    "inline" is the cheaper of two, at 0.002 * 7.149 = 0.0143; by the text's 23,940 bytes it could
    be 0.0479. "fixed" is 0.02, so only the end of the text decides.
    """
    rules = DocumentRules("file-extract", 1_000, 900, 9, 10**9)
    models = [
        model(
            "files", documents=rules, limits=Limits(2_000), price=price((None, "0.0001", "0.0001"))
        ),
        model("short", limits=Limits(6_000), price=price((None, "0.001", "0"))),
        model("inline", limits=Limits(1_000_000), price=price((None, "0.002", "0"))),
        model("fixed", tokenizer="other", limits=Limits(1_000_000), price=price((None, "0", "2"))),
    ]
    decision = settled_with_another_tokenizer(models, ENGLISH * 420)
    assert decision.model.id == "inline"
    assert decision.size.exact


def test_a_model_that_certainly_fits_is_chosen_where_sizes_move_together() -> None:
    """A text of at most 10,000 tokens (two more than bytes), and a template of 50 more.

    Nothing here can count it. "verbose" is cheaper at every size, and dearest where its tier ends;
    there the request may be 10,058 tokens, and it is the one to choose if it takes them all.
    """
    text = "x" * 9_998
    for most, winner in ((10_057, "plain"), (10_058, "verbose")):
        models = [
            model("plain", price=price((None, "0.003", "0.001")), limits=Limits(max_input=20_000)),
            model(
                "verbose",
                price=price((5_000, "0.002", "0.001"), (None, "0.001", "0.001")),
                chat=ChatTemplate(per_message=52, per_reply=6),
                limits=Limits(max_input=most),
            ),
        ]
        models = [replace(each, tokenizer="unknown") for each in models]
        decision = lazily(models, text)
        assert decision.model.id == winner == eagerly(models, text).model.id
        assert decision.size.high == {"plain": 10_008, "verbose": 10_058}[winner]


def test_what_is_to_spare_is_compared_between_tokenizers_by_each_models_own_size() -> None:
    """All cost the answer alone, but "small" may not take so much.

    "verbose" has room for 50,050 - 10,058 = 39,992 tokens more, "other" 50,010 - 10,008 = 40,002.
    """
    free = price((None, "0", "1"))
    models = [
        model("small", price=price((None, "0", "0.5")), limits=Limits(max_input=5_000)),
        model(
            "verbose",
            price=free,
            chat=ChatTemplate(per_message=52, per_reply=6),
            limits=Limits(max_input=50_050),
        ),
        model("other", price=free, limits=Limits(max_input=50_010)),
    ]
    names = ("unknown", "unknown", "yi")
    models = [replace(m, tokenizer=name) for m, name in zip(models, names, strict=True)]
    lazy, eager = lazily(models, "x" * 9_998), eagerly(models, "x" * 9_998)
    assert [entry.fit.headroom for entry in lazy.ranked] == [40_002, 39_992]
    assert lazy.model.id == eager.model.id == "other"


@pytest.mark.parametrize("counted", [True, False])
def test_of_equals_that_move_together_the_one_with_the_more_to_spare_is_chosen(
    counted: bool,
) -> None:
    """The input costs nothing; "b" takes 10 tokens more and has 50 more around the text."""
    free = price((None, "0", "1"))
    models = [
        model("c", price=free, limits=Limits(max_input=50_000)),
        model(
            "b",
            price=free,
            chat=ChatTemplate(per_message=52, per_reply=6),
            limits=Limits(max_input=50_010),
        ),
        model("a", price=free, limits=Limits()),
    ]
    if not counted:
        models = [replace(each, tokenizer="unknown") for each in models]
    parsed = parse(ENGLISH * 36)
    asked = replace(ASKED, unstated_limits=True)
    sizing = Sizing(lambda by: RequestPreparer(parsed, (), by), measurer)
    lazy = settle(Question(tuple(models), asked, DAY, ""), sizing)
    preparer = RequestPreparer(parsed, (), measurer)
    eager = decide(models, preparer.size_for, asked, day=DAY, digest="")
    assert [lazy.model.id, eager.model.id] == ["c", "c"]
    assert [entry.model.id for entry in lazy.ranked] == ["c", "b", "a"]


chats = st.builds(ChatTemplate, per_message=st.integers(0, 9), per_reply=st.integers(0, 4))
documents = st.none() | st.builds(
    DocumentRules,
    purpose=st.just("file-extract"),
    inline_max_tokens=st.integers(200, 2_000),
    beside_files_max_tokens=st.integers(100, 900),
    max_files=st.just(9),
    max_file_bytes=st.just(10**9),
)
models = st.lists(
    st.builds(
        lambda name, limit, cents, chat, rules, tiers: model(
            name,
            limits=Limits(max_input=limit),
            chat=chat,
            documents=rules,
            price=price(*tiers) if tiers else price((None, f"0.00{cents}", f"0.00{cents}")),
        ),
        st.sampled_from("abcdefgh"),
        st.integers(50, 6_000),
        st.integers(1, 9),
        chats,
        documents,
        st.none()
        | st.builds(
            lambda b, x, y: [(b, f"0.00{x}", "0.001"), (None, f"0.00{y}", "0.001")],
            st.integers(50, 3_000),
            st.integers(0, 9),
            st.integers(0, 9),
        ),
    ),
    unique_by=lambda m: m.id,
    min_size=1,
    max_size=5,
)
pieces = st.sampled_from(
    [ENGLISH, "通义千问。", "e\u0301", "ｱ\u3099", "0123456789", "  \n", "\U0001d160"]
)
texts = st.builds(
    lambda parts, times: "".join(parts) * times,
    st.lists(pieces, min_size=1, max_size=4),
    st.integers(1, 400),
)


@settings(max_examples=150, deadline=None)
@given(models, st.lists(texts, min_size=1, max_size=3), st.lists(texts, max_size=2))
def test_the_choice_is_that_of_counting_everything(
    models: list[Model], said: list[str], attached: list[str]
) -> None:
    messages = [{"role": "user", "content": text} for text in said]
    texts = [Document(f"{i}.txt", text) for i, text in enumerate(attached)]
    lazy, eager = lazily(models, messages, texts), eagerly(models, messages, texts)
    assert lazy.winner is eager.winner
    for m in models:
        known, truth = lazy.sizes(m), eager.sizes(m)
        assert known.low <= truth.value <= known.high
    assert lazy.winner is None or lazy.ranked[0].model.price is not None


@settings(max_examples=50, deadline=None)
@given(models, texts)
def test_where_a_vocabulary_is_missing_the_model_chosen_certainly_fits(
    models: list[Model], text: str
) -> None:
    """Every second model has another tokenizer, of which only bounds are known."""
    mixed = [replace(m, tokenizer="qwen3.5") if i % 2 else m for i, m in enumerate(models)]
    lazy, eager = lazily(mixed, text), eagerly(mixed, text)
    assert (lazy.winner is None) == (eager.winner is None)
    if lazy.winner is not None and eager.winner is not None:
        assert lazy.winner.id in {entry.model.id for entry in eager.ranked}
        assert lazy.winner is eager.winner


@given(texts, st.sampled_from(["qwen", "qwen3.5", "llama2", "yi"]))
def test_what_the_length_says_holds(text: str, name: str) -> None:
    found, truth = ByLength(measurer(name)).measure(text), measurer(name).measure(text)
    assert found.low <= truth.low
    assert truth.high <= found.high


@dataclass(frozen=True)
class Words:
    """A tokenizer that is not byte-level BPE: two tokens a character."""

    name: str = "words"

    def measure(self, text: str) -> Count:
        return Count.exactly(2 * len(text))


def test_of_a_tokenizer_of_another_kind_the_length_says_nothing() -> None:
    """It has more tokens than bytes, which no byte-level tokenizer has."""
    assert ByLength(Words()).measure("a" * 5_000) == Count.exactly(10_000)


def test_no_token_is_longer_than_the_longest() -> None:
    assert max(map(len, qwen_ranks())) == LONGEST_TOKEN


def every_code_point() -> list[str]:
    return [chr(n) for n in range(0x110000) if not 0xD800 <= n <= 0xDFFF]


def utf8(text: str) -> int:
    return len(text.encode())


@pytest.mark.parametrize(
    ("form", "most"),
    [("NFC", NFC_GROWS), ("NFD", NFC_GROWS), ("NFKC", NFKC_GROWS), ("NFKD", NFKC_GROWS)],
)
def test_no_code_point_grows_by_more_than_the_factor(form: str, most: int) -> None:
    """Composing joins what was decomposed and adds nothing, so a text grows by no more."""
    grown = (utf8(unicodedata.normalize(form, c)) / utf8(c) for c in every_code_point())  # type: ignore[arg-type]
    assert max(grown) <= most


def test_no_text_shrinks_by_more_than_the_factor() -> None:
    """What becomes one character in NFC is at most its parts, each in its longest spelling."""
    spelled: dict[str, int] = {}
    for c in every_code_point():
        decomposed = unicodedata.normalize("NFD", c)
        if len(decomposed) == 1:
            spelled[decomposed] = max(spelled.get(decomposed, 0), utf8(c))
    for c in every_code_point():
        if unicodedata.is_normalized("NFC", c):
            parts = sum(spelled[part] for part in unicodedata.normalize("NFD", c))
            assert parts <= NFC_SHRINKS * utf8(c), hex(ord(c))


@pytest.mark.parametrize("make", [str.lower, lambda text: text * 20_000])
def test_bytes_in_nfc_are_bounded_for_short_and_long_texts(make: Callable[[str], str]) -> None:
    text = make("Aé\u0301\U0001d160ｱ\u3099 K\u0327通")
    size = utf8(unicodedata.normalize("NFC", text))
    low, high = nfc_bytes(text)
    assert low <= size <= high
