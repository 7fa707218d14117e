"""What is counted to decide on documents beside a question."""

from __future__ import annotations

from models import DAY
from tokenfare import route
from tokenfare.messages import Document

ENGLISH = "The quick brown fox jumps over the lazy dog, 1234 times. "  # 17 tokens


def test_a_document_is_counted_with_the_question_and_not_once_more_alone() -> None:
    """The question is too long beside a file, so the two go up as files, in one message.

    It was counted alone to see that; the neutral role and what takes its place are short.
    """
    question, text = ENGLISH * 600, ENGLISH * 4_000
    found = route(question, documents=[Document("book.txt", text)], allow=["qwen-long"], as_of=DAY)
    assert found.effort is not None
    alone, together = 17 * 600 + 1, 17 * 4_600 + 1
    assert alone + together <= found.effort.tokens <= alone + together + 100
