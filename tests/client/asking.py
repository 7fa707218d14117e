"""A process that asks qwen-long about one document; says on its output what becomes of it."""

from __future__ import annotations

import sys
from datetime import date

from tokenfare import Catalog, Client, Document
from tokenfare.dispatch import UploadProgress


def told(at: UploadProgress) -> None:
    print(at.stage, flush=True)  # noqa: T201


def main(url: str, uploads: str, text: str) -> None:
    with Client(
        api_key="sk-any",
        base_url=url,
        catalog=Catalog.load(day=date(2024, 12, 18)),
        ledger=False,
        poll_seconds=0.01,
        uploads=uploads,
        progress=told,
    ) as client:
        reply = client.chat("hello", documents=[Document("book.txt", text)], allow=["qwen-long"])
    print(reply.answer.files[0].id, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
