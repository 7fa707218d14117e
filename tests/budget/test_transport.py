"""Where a document goes: into a message, or beside the messages as a file; by texts of n tokens."""

from __future__ import annotations

from models import model
from tokenfare.budget import RequestPreparer, counting_key, prepare
from tokenfare.catalog import DocumentRules, Limits
from tokenfare.messages import NEUTRAL_ROLE, Document, parse, system, user
from tokenfare.tokenizers import get_tokenizer

QWEN = get_tokenizer("qwen")
INLINE, BESIDE = 60, 20
LONG = model(
    "long",
    limits=Limits(max_input=10_000_000),
    documents=DocumentRules("file-extract", INLINE, BESIDE, 100, 150_000_000),
)
SHORT = model("short", limits=Limits(max_input=10_000))
QUESTION = "Please do what the attached document asks; if it asks nothing, summarise it."
BOOK = Document("book.txt", "Once.")


def words(number: int) -> str:
    """A text of this many tokens."""
    return "word" + " word" * (number - 1)


def said(prepared) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in prepared.messages]


def test_a_document_comes_before_the_users_last_message():
    messages = parse(
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "First."},
            {"role": "assistant", "content": "Yes?"},
            {"role": "user", "content": "Second."},
            {"role": "assistant", "content": "So"},
        ]
    )
    found = prepare(messages, [BOOK, Document("b.txt", "Twice.")], SHORT, QWEN)
    assert found.documents == ()
    assert said(found) == [
        ("system", "Be kind."),
        ("user", "First."),
        ("assistant", "Yes?"),
        ("user", "Once.\n\nTwice.\n\nSecond."),
        ("assistant", "So"),
    ]
    assert found.messages[3].wire["content"] == "Once.\n\nTwice.\n\nSecond."
    assert found.count.total.exact


def test_without_a_user_a_document_comes_before_the_last_message():
    messages = parse([{"role": "system", "content": "One."}, {"role": "system", "content": "Two."}])
    found = prepare(messages, [BOOK], SHORT, QWEN)
    assert said(found) == [("system", "One."), ("system", "Once.\n\nTwo.")]


def test_a_document_before_parts_is_a_part():
    messages = parse([{"role": "user", "content": [{"type": "text", "text": "Well?"}]}])
    [message] = prepare(messages, [BOOK], SHORT, QWEN).messages
    front = {"type": "text", "text": "Once.\n\n"}
    assert message.wire["content"] == [front, {"type": "text", "text": "Well?"}]
    assert message.text == "Once.\n\nWell?"


def test_without_documents_messages_are_as_they_were():
    parts = [{"role": "user", "content": [{"type": "text", "text": "Well?"}]}]
    for messages in (parse("Well?"), parse(parts)):
        for each in (SHORT, LONG):
            found = prepare(messages, [], each, QWEN)
            assert (found.messages, found.documents) == (messages, ())


def test_a_file_is_named_behind_a_system_message_which_is_put_first_if_none_is():
    found = prepare([user("Well?"), user("And?")], [BOOK], LONG, QWEN)
    assert said(found) == [("system", NEUTRAL_ROLE), ("user", "Well?"), ("user", "And?")]


def test_a_request_is_sent_inside_messages_up_to_the_limit_and_not_beyond():
    frame = prepare(parse("word"), [], LONG, QWEN).count.total.value - 1
    just = prepare(parse(words(INLINE - frame)), [], LONG, QWEN)
    assert (just.count.total.value, just.documents) == (INLINE, ())
    assert said(just) == [("user", words(INLINE - frame))]
    more = words(INLINE - frame + 1)
    beyond = prepare(parse(more), [], LONG, QWEN)
    assert beyond.documents == (Document("prompt.txt", more),)
    assert said(beyond) == [("system", NEUTRAL_ROLE), ("user", QUESTION)]


def test_a_text_of_the_most_tokens_stays_beside_a_file_and_a_longer_one_becomes_one():
    messages = parse(
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": words(BESIDE)},
            {"role": "user", "content": words(BESIDE + 1)},
        ]
    )
    found = prepare(messages, [BOOK], LONG, QWEN)
    assert said(found) == [("system", "Be kind."), ("user", words(BESIDE))]
    assert found.documents == (BOOK, Document("prompt.txt", words(BESIDE + 1)))


def test_a_message_with_media_stays_a_message():
    content = [
        {"type": "text", "text": words(BESIDE + 1)},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    from tokenfare.budget.transport import _long_texts_out  # the count refuses the image itself

    [message] = parse([{"role": "user", "content": content}])
    assert LONG.documents is not None
    assert _long_texts_out([message], [], LONG.documents, QWEN) == ([message], [])


def test_a_file_is_billed_once_as_text_of_a_system_message():
    """What the same texts cost as messages, with a system message of all files in the middle."""
    book, other = Document("book.txt", "Once!\n"), Document("other.txt", "Twice!\n")
    messages = [system("Be kind."), user("Well?")]
    files = prepare([messages[0], system("Twice!\nOnce!\n"), messages[1]], [], SHORT, QWEN)
    for documents in ([book, other], [book, other, Document("again.txt", "Once!\n")]):
        found = prepare(messages, documents, LONG, QWEN)
        assert found.documents == tuple(documents)
        assert said(found) == [("system", "Be kind."), ("user", "Well?")]
        assert found.count.total == files.count.total


class _Counting:
    name = "qwen"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def measure(self, text: str):
        self.texts.append(text)
        return QWEN.measure(text)


def test_models_that_count_alike_share_one_count_and_others_share_the_texts():
    made = []

    def measurer_for(name: str) -> _Counting:
        made.append((name, _Counting()))
        return made[-1][1]

    preparer = RequestPreparer(parse("Well?"), [], measurer_for)
    same = model("same", limits=Limits(max_input=10_000))
    assert counting_key(same) == counting_key(SHORT) != counting_key(LONG)
    assert preparer.for_model(SHORT) is preparer.for_model(same)
    assert preparer.for_model(LONG) is not preparer.for_model(SHORT)
    assert preparer.size_for(LONG) == preparer.size_for(SHORT)
    [(name, measurer)] = made
    assert name == SHORT.tokenizer
    assert len(measurer.texts) == len(set(measurer.texts)) > 0
    other = model("other", tokenizer="another")
    preparer.for_model(other)
    assert [name for name, _ in made] == [SHORT.tokenizer, "another"]
