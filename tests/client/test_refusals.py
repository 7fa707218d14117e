"""What a client does with a refusal: learn from it, decide again, go on, or stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any

import anyio
import pytest

from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.catalog import LearntLimits
from tokenfare.client.escalation import Escalation
from tokenfare.client.learning import Learning
from tokenfare.client.model_ladder import ladder
from tokenfare.client.settings import settings
from tokenfare.dispatch import RetryPolicy, Timeouts
from tokenfare.emulator import Delay, Emulator, Refuse, named, scripted
from tokenfare.errors import (
    ContentFilteredError,
    ContextWindowExceededError,
    InvalidRequestError,
    OutputTooLongError,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderUnreachable,
    QuotaExhaustedError,
)
from tokenfare.router import Requirements

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]
Session = Callable[..., tuple[list[Reply], Catalog]]

TWO = ["qwen-turbo", "qwen-plus"]  # in the order of their price
NO_LONGER = Refuse(
    400, "invalid_parameter_error", "<400> x: Range of max_tokens should be [1, 500]"
)


@pytest.fixture(params=["sync", "async"])
def session(request: pytest.FixtureRequest, catalog: Catalog) -> Session:
    """Ask several questions of one client; gives the replies, and the catalogue afterwards."""

    def waiting(url: str, *prompts: str, **options: Any) -> tuple[list[Reply], Catalog]:
        with Client(api_key="sk-any", base_url=url, catalog=catalog, ledger=False) as client:
            return [client.chat(prompt, **options) for prompt in prompts], client.catalog

    def awaiting(url: str, *prompts: str, **asked: Any) -> tuple[list[Reply], Catalog]:
        async def ask() -> tuple[list[Reply], Catalog]:
            options = {"api_key": "sk-any", "base_url": url, "catalog": catalog, "ledger": False}
            async with AsyncClient(**options) as client:
                return [await client.chat(prompt, **asked) for prompt in prompts], client.catalog

        return anyio.run(ask)

    return waiting if request.param == "sync" else awaiting


def test_a_limit_that_a_refusal_named_is_learnt(emulate: Emulate, session: Session) -> None:
    """The second question is not sent where the first was refused."""
    emulator, url = emulate(faults=scripted(named("too-long", {"limit": 5})))
    replies, known = session(url, "hello", "hello again", allow=TWO)
    assert [reply.model for reply in replies] == ["qwen-plus", "qwen-plus"]
    assert [call.model for call in emulator.calls] == ["qwen-turbo", "qwen-plus", "qwen-plus"]
    model = known.get("qwen-turbo")
    assert model.limits.max_input == 5
    evidence = model.evidence["limits.max_input"]
    assert evidence.mark == "learnt"
    assert "Range of input length should be [1, 5]" in evidence.source


def test_a_limit_of_the_answer_is_learnt_too(emulate: Emulate, session: Session) -> None:
    _, url = emulate(faults=scripted(NO_LONGER))
    replies, known = session(url, "hello", "hello", allow=TWO, max_output_tokens=600)
    assert [reply.model for reply in replies] == ["qwen-plus", "qwen-plus"]
    assert known.get("qwen-turbo").limits.max_output == 500


def test_what_was_learnt_makes_another_catalogue(catalog: Catalog) -> None:
    learnt = catalog.learning("qwen-turbo", LearntLimits("a refusal", catalog.day, max_input=5))
    both = learnt.learning("qwen-turbo", LearntLimits("another", catalog.day, max_output=7))
    limits = both.get("qwen-turbo").limits
    assert (limits.max_input, limits.max_output) == (5, 7)
    assert len({catalog.digest, learnt.digest, both.digest}) == 3
    said_elsewhere = LearntLimits("a third", date(2020, 1, 1), max_input=5, max_output=7)
    assert catalog.learning("qwen-turbo", said_elsewhere).digest == both.digest
    assert catalog.get("qwen-turbo").limits.max_input == 129_024
    assert both.as_of(catalog.day).get("qwen-turbo").limits == limits


def test_the_request_is_decided_again_once(emulate: Emulate, chat: Chat) -> None:
    """Both models refuse; each is asked once, and the last refusal is raised with both attempts."""
    emulator, url = emulate(faults=lambda _: named("too-long", {"limit": 5}))
    with pytest.raises(ContextWindowExceededError) as failure:
        chat(url, "hello", allow=TWO)
    assert [call.model for call in emulator.calls] == TWO
    assert [getattr(a, "model", "") for a in failure.value.attempts] == TWO


def test_where_nothing_else_fits_the_refusal_itself_is_raised(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate(faults=scripted(NO_LONGER))
    with pytest.raises(OutputTooLongError, match=r"\[1, 500\]") as failure:
        chat(url, "hello", allow=["qwen-turbo"], max_output_tokens=600)
    assert failure.value.limit == 500


@pytest.mark.parametrize("name", ["retired", "unknown-model", "not-supported", "unavailable"])
def test_a_model_that_is_not_there_gives_way(emulate: Emulate, chat: Chat, name: str) -> None:
    _, url = emulate(faults=lambda a: named(name) if a.model == "qwen-turbo" else None)
    assert chat(url, "hello", allow=TWO).model == "qwen-plus"


@pytest.mark.parametrize("name", ["wrong-key", "arrears", "allowance-spent", "bill-overdue"])
def test_what_the_account_lacks_no_model_mends(emulate: Emulate, chat: Chat, name: str) -> None:
    emulator, url = emulate(faults=lambda _: named(name))
    with pytest.raises(ProviderError):
        chat(url, "hello", allow=TWO)
    assert [call.model for call in emulator.calls] == ["qwen-turbo"]


def test_a_wrong_path_is_the_same_for_every_model(emulate: Emulate, chat: Chat) -> None:
    """One request, and no second model is asked."""
    wrong = Refuse(404, "not_found", "Invalid URL (POST /v2/chat/completions)")
    emulator, url = emulate(faults=scripted(wrong, wrong))
    with pytest.raises(ProviderAnswerInvalid, match="is the base URL right"):
        chat(url, "hello", allow=TWO)
    assert len(emulator.calls) == 1


def test_a_filtered_call_goes_on_only_if_asked(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate(faults=scripted(named("filtered-input"), named("filtered-input")))
    with pytest.raises(ContentFilteredError):
        chat(url, "hello", allow=TWO)
    assert len(emulator.calls) == 1
    reply = chat(url, "hello", allow=TWO, client={"escalate_filtered": True})
    assert reply.model == "qwen-plus"


def test_total_is_for_all_models_together(emulate: Emulate, chat: Chat) -> None:
    """Each model refuses after a second and a half; the whole call has four."""
    _, url = emulate(faults=lambda _: (Delay(1.5), Refuse(503, "ModelUnavailable")))
    limits = Timeouts(first_token=50, total=4)
    began = time.monotonic()
    with pytest.raises(ProviderError) as failure:
        chat(url, "hello", client={"timeouts": limits, "retry_policy": RetryPolicy(attempts=1)})
    assert time.monotonic() - began < 20, "twenty models would take half a minute"
    assert isinstance(failure.value, ProviderUnreachable)
    # At most two refusals fit into the time, fewer on a busy machine; many models are left.
    *refused, last = [getattr(a, "status", 0) for a in failure.value.attempts]
    assert (last, set(refused) <= {503}, len(refused) <= 2) == (None, True, True)


def test_a_fallback_gets_no_more_room_than_it_has(catalog: Catalog) -> None:
    """What was learnt after the decision holds for what is asked next."""
    asked = Requirements(max_output_tokens=1_000, allow=("qwen-turbo", "qwen-plus"))
    decided = ladder("hello", (), asked, catalog, parameters={}, escalate=True)
    later = catalog.learning("qwen-plus", LearntLimits("x", catalog.day, max_output=300))
    first, second = decided.steps(later)
    assert (first.call.max_output_tokens, first.notes) == (1_000, ())
    assert second.call.max_output_tokens == 300
    assert second.notes == ("qwen-plus has room for 300 tokens only",)
    no_more = later.learning("qwen-plus", LearntLimits("x", catalog.day, max_input=8))
    assert [step.model.id for step in decided.steps(no_more)] == ["qwen-turbo"]  # it has 9 tokens


def test_limits_learnt_meanwhile_are_named_where_they_leave_no_model(catalog: Catalog) -> None:
    """The decision did find a model; a call at the same time has learnt that it is too small."""
    asked = Requirements(allow=("qwen-turbo",))
    decided = ladder("hello", (), asked, catalog, parameters={}, escalate=True)
    later = catalog.learning("qwen-turbo", LearntLimits("x", catalog.day, max_input=8))
    with pytest.raises(InvalidRequestError, match="limits were learnt since it was decided"):
        Escalation(decided, Learning(later)).next()


def test_settings_say_what_is_asked_for(catalog: Catalog) -> None:
    made = settings(catalog, api_key="sk-any", ledger=False)
    assert (made.escalate, made.escalate_filtered) == (True, False)


def test_a_spent_trial_ends_the_call_and_says_the_way_out(emulate: Emulate, chat: Chat) -> None:
    """A model that was free is not replaced by one that costs money, nor asked again."""
    emulator, url = emulate()
    options: dict[str, Any] = {"allow": ["yi-larg?", "qwen-turbo"], "access": ["paid", "trial"]}
    with pytest.raises(QuotaExhaustedError) as caught:
        chat(url, "hello", **options)
    assert [(call.model, call.status) for call in emulator.calls] == [("yi-large", 403)]
    way_out = "no other model is asked instead; if the model can be paid for, allow that"
    assert way_out in str(caught.value)
    assert str(caught.value).endswith("leave it out: deny=['yi-large']")
    assert chat(url, "hello", **options, deny=["yi-large"]).model == "qwen-turbo"


@pytest.mark.parametrize("fault", ["allowance-spent", "free-tier-only", "arrears", "bill-overdue"])
def test_no_quota_that_is_spent_escalates(emulate: Emulate, chat: Chat, fault: str) -> None:
    emulator, url = emulate(faults=scripted(named(fault, {})))
    with pytest.raises(QuotaExhaustedError, match=r"^qwen-turbo: "):
        chat(url, "hello", allow=TWO)
    assert [call.model for call in emulator.calls] == ["qwen-turbo"]
