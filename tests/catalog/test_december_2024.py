"""The list of December 2024, row by row, written out by hand from the provider's table.

A cell is a number that the row states; `8,192 < qwen-max` one that a blank cell takes from that
row; `128,000 ~` one that is derived; `-` one that nobody states.
"""

from __future__ import annotations

from datetime import date

import pytest

import tokenfare as tf
from tokenfare.catalog import Catalog

DAY = date(2024, 12, 18)
BOUNDS = ("context", "max_input", "max_output", "max_image_tokens")

TABLE = """
qwen-max                    | 32,768                 | 30,720                 | 8,192                 | -
qwen-max-latest             | 32,768 < qwen-max      | 30,720 < qwen-max      | 8,192 < qwen-max      | -
qwen-max-2024-09-19         | 32,768 < qwen-max      | 30,720 < qwen-max      | 8,192 < qwen-max      | -
qwen-max-2024-04-28         | 8,000                  | 6,000                  | 2,000                 | -
qwen-max-2024-04-03         | 8,000 < qwen-max-2024-04-28 | 6,000 < qwen-max-2024-04-28 | 2,000 < qwen-max-2024-04-28 | -
qwen-max-2024-01-07         | 8,000 < qwen-max-2024-04-28 | 6,000 < qwen-max-2024-04-28 | 2,000 < qwen-max-2024-04-28 | -
qwen-plus                   | 131,072                | 129,024                | 8,192                 | -
qwen-plus-latest            | 131,072 < qwen-plus    | 129,024 < qwen-plus    | 8,192 < qwen-plus     | -
qwen-plus-2024-11-27        | 131,072 < qwen-plus    | 129,024 < qwen-plus    | 8,192 < qwen-plus     | -
qwen-plus-2024-11-25        | 131,072 < qwen-plus    | 129,024 < qwen-plus    | 8,192 < qwen-plus     | -
qwen-plus-2024-09-19        | 131,072 < qwen-plus    | 129,024 < qwen-plus    | 8,192 < qwen-plus     | -
qwen-plus-2024-08-06        | 128,000                | 128,000 ~              | 8,192 < qwen-plus     | -
qwen-plus-2024-07-23        | 32,000                 | 30,000                 | 8,000                 | -
qwen-plus-2024-06-24        | 32,000 < qwen-plus-2024-07-23 | 30,000 < qwen-plus-2024-07-23 | 8,000 < qwen-plus-2024-07-23 | -
qwen-plus-2024-02-06        | 32,000 < qwen-plus-2024-07-23 | 30,000 < qwen-plus-2024-07-23 | 8,000 < qwen-plus-2024-07-23 | -
qwen-turbo                  | 131,072                | 129,024                | 8,192                 | -
qwen-turbo-latest           | 1,000,000              | 1,000,000              | 8,192 < qwen-turbo    | -
qwen-turbo-2024-11-01       | 1,000,000 < qwen-turbo-latest | 1,000,000 < qwen-turbo-latest | 8,192 < qwen-turbo | -
qwen-turbo-2024-09-19       | 131,072                | 129,024                | 8,192 < qwen-turbo    | -
qwen-turbo-2024-06-24       | 8,000                  | 6,000                  | 2,000                 | -
qwen-turbo-2024-02-06       | 8,000 < qwen-turbo-2024-06-24 | 6,000 < qwen-turbo-2024-06-24 | 2,000 < qwen-turbo-2024-06-24 | -
qwen-long                   | 10,000,000             | 10,000,000             | 6,000                 | -
qwen-vl-max                 | 32,000                 | 30,000                 | 2,000                 | 16,384
qwen-vl-max-latest          | 32,000 < qwen-vl-max   | 30,000 < qwen-vl-max   | 2,000 < qwen-vl-max   | 16,384 < qwen-vl-max
qwen-vl-max-2024-11-19      | 32,000 < qwen-vl-max   | 30,000 < qwen-vl-max   | 2,000 < qwen-vl-max   | 16,384 < qwen-vl-max
qwen-vl-max-2024-10-30      | 32,000 < qwen-vl-max   | 30,000 < qwen-vl-max   | 2,000 < qwen-vl-max   | 16,384 < qwen-vl-max
qwen-vl-max-2024-08-09      | 32,000 < qwen-vl-max   | 30,000 < qwen-vl-max   | 2,000 < qwen-vl-max   | 16,384 < qwen-vl-max
qwen-vl-max-2024-02-01      | 8,000                  | 6,000                  | 2,000 < qwen-vl-max   | 1,280
qwen-vl-plus                | 8,000                  | 6,000                  | 2,000 < qwen-vl-max   | 1,280
qwen-vl-plus-latest         | 32,000                 | 30,000                 | 2,000 < qwen-vl-max   | 16,384
qwen-vl-plus-2024-08-09     | 32,000 < qwen-vl-plus-latest | 30,000 < qwen-vl-plus-latest | 2,000 < qwen-vl-max | 16,384 < qwen-vl-plus-latest
qwen-vl-plus-2023-12-01     | 8,000                  | 6,000                  | 2,000                 | 1,280 ~
qwen-audio-turbo            | 8,000                  | 6,000                  | 1,500                 | -
qwen-audio-turbo-latest     | 8,192                  | 6,144                  | 2,048                 | -
qwen-audio-turbo-2024-12-04 | 8,192 < qwen-audio-turbo-latest | 6,144 < qwen-audio-turbo-latest | 2,048 < qwen-audio-turbo-latest | -
qwen-audio-turbo-2024-08-07 | 8,000                  | 6,000                  | 1,500                 | -
qwen-math-plus              | 4,096                  | 3,072                  | 3,072                 | -
qwen-math-plus-latest       | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-math-plus-2024-09-19   | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-math-plus-2024-08-16   | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-math-turbo             | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-math-turbo-latest      | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-math-turbo-2024-09-19  | 4,096 < qwen-math-plus | 3,072 < qwen-math-plus | 3,072 < qwen-math-plus | -
qwen-coder-plus             | 131,072                | 129,024                | 8,192                 | -
qwen-coder-plus-latest      | 131,072 < qwen-coder-plus | 129,024 < qwen-coder-plus | 8,192 < qwen-coder-plus | -
qwen-coder-plus-2024-11-06  | 131,072 < qwen-coder-plus | 129,024 < qwen-coder-plus | 8,192 < qwen-coder-plus | -
qwen-coder-turbo            | 131,072                | 129,024                | 8,192                 | -
qwen-coder-turbo-latest     | 131,072 < qwen-coder-turbo | 129,024 < qwen-coder-turbo | 8,192 < qwen-coder-turbo | -
qwen-coder-turbo-2024-09-19 | 131,072 < qwen-coder-turbo | 129,024 < qwen-coder-turbo | 8,192 < qwen-coder-turbo | -
llama3.3-70b-instruct       | 32,000                 | 30,000                 | -                     | -
llama3.2-3b-instruct        | 32,000 < llama3.3-70b-instruct | 30,000 < llama3.3-70b-instruct | - | -
llama3.2-1b-instruct        | 32,000 < llama3.3-70b-instruct | 30,000 < llama3.3-70b-instruct | - | -
llama3.1-405b-instruct      | 32,000 < llama3.3-70b-instruct | 30,000 < llama3.3-70b-instruct | - | -
llama3.1-70b-instruct       | 32,000 < llama3.3-70b-instruct | 30,000 < llama3.3-70b-instruct | - | -
llama3.1-8b-instruct        | 32,000 < llama3.3-70b-instruct | 30,000 < llama3.3-70b-instruct | - | -
llama3-70b-instruct         | 8,000                  | 8,000                  | -                     | -
llama3-8b-instruct          | 8,000 < llama3-70b-instruct | 8,000 < llama3-70b-instruct | -             | -
llama2-13b-chat-v2          | 4,000                  | 4,000                  | -                     | -
llama2-7b-chat-v2           | 4,000 < llama2-13b-chat-v2 | 4,000 < llama2-13b-chat-v2 | -               | -
baichuan2-turbo             | 32,000                 | 32,000                 | -                     | -
baichuan2-13b-chat-v1       | 4,096                  | 4,096                  | -                     | -
baichuan2-7b-chat-v1        | 4,096 < baichuan2-13b-chat-v1 | 4,096 < baichuan2-13b-chat-v1 | -         | -
baichuan-7b-v1              | 4,096 < baichuan2-13b-chat-v1 | 4,096 < baichuan2-13b-chat-v1 | -         | -
chatglm3-6b                 | 7,500                  | 7,500                  | -                     | -
chatglm-6b-v2               | 6,500                  | 6,500                  | -                     | -
yi-large                    | 32,000                 | 32,000                 | -                     | -
yi-medium                   | 32,000 < yi-large      | 32,000 < yi-large      | -                     | -
yi-large-rag                | 16,000                 | 16,000                 | -                     | -
yi-large-turbo              | 16,000 < yi-large-rag  | 16,000 < yi-large-rag  | -                     | -
abab6.5g-chat               | 8,000                  | 8,000                  | -                     | -
abab6.5t-chat               | 8,000 < abab6.5g-chat  | 8,000 < abab6.5g-chat  | -                     | -
abab6.5s-chat               | 245,000                | 245,000                | -                     | -
ziya-llama-13b-v1           | -                      | -                      | -                     | -
belle-llama-13b-2m-v1       | -                      | -                      | -                     | -
chatyuan-large-v2           | -                      | -                      | -                     | -
billa-7b-sft-v1             | -                      | -                      | -                     | -
"""  # noqa: E501 - one row of the provider's table a line

ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
IDS = [row[0] for row in ROWS]

# "又称" in the provider's table. Where it names the id itself (yi-medium) there is nothing to say.
ALSO_CALLED = {
    "qwen-max-2024-09-19": "qwen-max-0919",
    "qwen-max-2024-04-03": "qwen-max-0403",
    "qwen-max-2024-01-07": "qwen-max-0107",
    "qwen-plus-2024-11-27": "qwen-plus-1127",
    "qwen-plus-2024-11-25": "qwen-plus-1125",
    "qwen-plus-2024-09-19": "qwen-plus-0919",
    "qwen-plus-2024-06-24": "qwen-plus-0624",
    "qwen-plus-2024-02-06": "qwen-plus-0206",
    "qwen-turbo-2024-11-01": "qwen-turbo-1101",
    "qwen-turbo-2024-02-06": "qwen-turbo-0206",
    "qwen-vl-max-2024-11-19": "qwen-vl-max-1119",
    "qwen-vl-max-2024-10-30": "qwen-vl-max-1030",
    "qwen-vl-max-2024-08-09": "qwen-vl-max-0809",
    "qwen-vl-plus-2024-08-09": "qwen-vl-plus-0809",
    "qwen-audio-turbo-2024-12-04": "qwen-audio-turbo-1204",
    "qwen-math-plus-2024-09-19": "qwen-math-plus-0919",
    "qwen-math-plus-2024-08-16": "qwen-math-plus-0816",
    "qwen-math-turbo-2024-09-19": "qwen-math-turbo-0919",
    "qwen-coder-plus-2024-11-06": "qwen-coder-plus-1106",
    "qwen-coder-turbo-2024-09-19": "qwen-coder-turbo-0919",
    "llama3.2-3b-instruct": "llama3.2-3b",
    "llama3.2-1b-instruct": "llama3.2-1b",
    "llama3.1-405b-instruct": "llama3.1-405b",
    "llama3.1-70b-instruct": "llama3.1-70b",
    "llama3.1-8b-instruct": "llama3.1-8b",
    "llama3-8b-instruct": "llama3-8b",
    "llama2-7b-chat-v2": "llama2-7b",
    "baichuan2-7b-chat-v1": "baichuan2-7b",
    "baichuan-7b-v1": "baichuan-7b",
}

POINTS_TO = {
    "qwen-max": "qwen-max-2024-09-19",
    "qwen-max-latest": "qwen-max-2024-09-19",
    "qwen-plus": "qwen-plus-2024-09-19",
    "qwen-plus-latest": "qwen-plus-2024-11-27",
    "qwen-turbo": "qwen-turbo-2024-09-19",
    "qwen-turbo-latest": "qwen-turbo-2024-11-01",
    "qwen-vl-max": "qwen-vl-max-2024-08-09",
    "qwen-vl-max-latest": "qwen-vl-max-2024-11-19",
    "qwen-vl-plus-latest": "qwen-vl-plus-2024-08-09",
    "qwen-audio-turbo": "qwen-audio-turbo-2024-08-07",
    "qwen-audio-turbo-latest": "qwen-audio-turbo-2024-12-04",
    "qwen-math-plus": "qwen-math-plus-2024-09-19",
    "qwen-math-plus-latest": "qwen-math-plus-2024-09-19",
    "qwen-math-turbo": "qwen-math-turbo-2024-09-19",
    "qwen-math-turbo-latest": "qwen-math-turbo-2024-09-19",
    "qwen-coder-plus": "qwen-coder-plus-2024-11-06",
    "qwen-coder-plus-latest": "qwen-coder-plus-2024-11-06",
    "qwen-coder-turbo": "qwen-coder-turbo-2024-09-19",
    "qwen-coder-turbo-latest": "qwen-coder-turbo-2024-09-19",
}

TRIAL = {
    *(name for name in IDS if name.startswith(("qwen-audio", "llama", "yi-"))),
    "baichuan-7b-v1",
    "chatglm3-6b",
}
APPLICATION = {
    "baichuan2-turbo",
    "abab6.5g-chat",
    "abab6.5t-chat",
    "abab6.5s-chat",
    "ziya-llama-13b-v1",
    "belle-llama-13b-2m-v1",
    "chatyuan-large-v2",
    "billa-7b-sft-v1",
}


@pytest.mark.parametrize("name", IDS)
def test_each_can_be_chosen_by_whoever_accepts_how_it_is_had(name):
    options = {"access": ["paid", "free", "trial", "application"], "unstated_limits": True}
    decision = tf.route("Hello", allow=[name], max_output_tokens=10, as_of=DAY, **options)
    assert decision.model.id == name


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(day=DAY)


def test_the_list_of_december_2024_is_served_on_that_day_and_nothing_else(catalog):
    assert len(IDS) == 76
    assert {model.id for model in catalog.models()} == set(IDS)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_has_the_limits_that_it_states_or_inherits(row, catalog):
    model = catalog.get(row[0])
    for bound, cell in zip(BOUNDS, row[1:], strict=True):
        number, mark, origin = read(cell)
        evidence = model.evidence[f"limits.{bound}"]
        assert (getattr(model.limits, bound), evidence.mark, evidence.inherited_from) == (
            number,
            mark,
            origin,
        ), bound


def read(cell: str) -> tuple[int | None, str, str | None]:
    number, _, origin = cell.partition(" < ")
    if cell == "-":
        return None, "not stated", None
    tokens = int(number.removesuffix(" ~").replace(",", ""))
    mark = "derived" if number.endswith("~") else "inherited" if origin else "stated"
    return tokens, mark, origin or None


def test_only_where_all_three_are_stated_and_the_input_is_the_context_has_the_answer_its_own_room(
    catalog,
):
    separate = {model.id for model in catalog.models() if model.output_room == "separate"}
    assert separate == {"qwen-turbo-latest", "qwen-turbo-2024-11-01", "qwen-long"}


def test_the_other_spellings_of_the_table(catalog):
    assert {m.id: m.aliases for m in catalog.models() if m.aliases} == {
        model: (name,) for model, name in ALSO_CALLED.items()
    }


@pytest.mark.parametrize(("model", "name"), ALSO_CALLED.items())
def test_another_spelling_finds_the_model(model, name, catalog):
    assert catalog.get(name).id == model


def test_what_each_name_stood_for(catalog):
    assert {m.id: m.points_to for m in catalog.models() if m.points_to} == POINTS_TO


def test_free_has_more_than_one_meaning(catalog):
    by_access = {m.id: m.access for m in catalog.models() if m.access != "paid"}
    expected = dict.fromkeys(TRIAL, "trial") | dict.fromkeys(APPLICATION, "application")
    assert by_access == expected


def test_a_model_of_the_list_has_a_price_if_it_is_paid_for(catalog):
    for model in catalog.models():
        assert (model.price is not None) or model.access != "paid", model.id


@pytest.mark.parametrize(
    ("name", "modalities"),
    [
        ("qwen-plus", {"text"}),
        ("qwen-long", {"text", "file"}),
        ("qwen-vl-max", {"text", "image", "video"}),
        ("qwen-vl-plus-2023-12-01", {"text", "image", "video"}),
        ("qwen-audio-turbo", {"text", "audio"}),
        ("llama3-8b-instruct", {"text"}),
    ],
)
def test_what_a_model_takes(name, modalities, catalog):
    assert catalog.get(name).modalities == modalities


@pytest.mark.parametrize(
    ("name", "tokenizer"),
    [
        ("qwen-max", "qwen"),
        ("qwen-audio-turbo-latest", "qwen"),
        ("llama3.3-70b-instruct", "llama3"),
        ("llama2-7b", "llama2"),
        ("baichuan2-turbo", "baichuan"),
        ("chatglm3-6b", "chatglm"),
        ("yi-medium", "yi"),
        ("abab6.5s-chat", "abab"),
        ("ziya-llama-13b-v1", "unknown"),
    ],
)
def test_the_vocabulary_that_a_model_bills_with(name, tokenizer, catalog):
    assert catalog.get(name).tokenizer == tokenizer


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("qwen-turbo", "general"),
        ("qwen-long", "long"),
        ("qwen-vl-plus", "vision"),
        ("qwen-audio-turbo", "audio"),
        ("qwen-math-turbo", "math"),
        ("qwen-coder-turbo", "code"),
        ("yi-large", "general"),
    ],
)
def test_what_a_model_is_made_for(name, purpose, catalog):
    assert purpose in catalog.get(name).purposes


def test_a_chat_with_a_vision_model_adds_a_system_message_in_2024_and_not_in_2026(catalog):
    chat = catalog.get("qwen-vl-max").chat
    assert (chat.per_message, chat.per_reply) == (5, 3)
    assert chat.default_system == "You are a helpful assistant."
    assert not catalog.as_of(date(2026, 3, 1)).get("qwen-vl-max").chat.default_system
    assert not catalog.get("qwen-plus").chat.default_system


def test_what_is_taken_from_qwen_for_others_says_so(catalog):
    evidence = catalog.get("yi-large").evidence["chat"]
    assert (evidence.mark, evidence.confidence) == ("derived", "low")


def test_documents_go_to_qwen_long_only(catalog):
    with_files = [model for model in catalog.models() if model.documents is not None]
    assert [model.id for model in with_files] == ["qwen-long"]
    rules = with_files[0].documents
    assert rules is not None
    assert rules.purpose == "file-extract"
    assert (rules.inline_max_tokens, rules.beside_files_max_tokens) == (1_000_000, 9_000)
    assert (rules.max_files, rules.max_file_bytes) == (100, 150_000_000)
