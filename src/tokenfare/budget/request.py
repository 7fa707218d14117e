"""How many input tokens a request is: its texts and media, and what the template and tools add.

The template's tokens are computed from facts of the catalogue; texts are counted by the measurer
that is passed in. Each part is reported, by message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenfare.catalog import Model
from tokenfare.messages import Message
from tokenfare.tokenizers import Count, Measurer, added

from .control_tokens import ControlToken, control_tokens
from .message_tokens import MessageCounter, is_open, places
from .options import NO_OPTIONS, Options
from .reasoning import assistant_texts
from .request_count import Part, RequestCount, counted
from .rules import Rules, rules_of
from .tools import GUESS, definitions_most, definitions_text, forced_call, is_chinese


def count_request(
    messages: Iterable[Message],
    model: Model | Rules,
    measurer: Measurer,
    options: Options = NO_OPTIONS,
) -> RequestCount:
    """Count a request for one model, or by the rules of a published template.

    Raises `InvalidRequestError` for media that the model does not take or would refuse.
    """
    messages = tuple(messages)
    rules = rules_of(model) if isinstance(model, Model) else model
    chinese = bool(options.tools) and any(map(is_chinese, messages))
    counter = MessageCounter(rules, measurer, options, chinese)
    said = assistant_texts(messages) if rules.chat.strips_reasoning else {}
    parts = list(before_all(messages[0], counter))
    for message, place in zip(messages, places(messages), strict=True):
        parts += counter.parts(message, place, said.get(place.index))
    parts += after_all(messages[-1], counter)
    warnings: list[ControlToken] = []
    for i, message in enumerate(messages):
        warnings += control_tokens(message, i, rules.chat.control_tokens)
    return counted(parts, tuple(warnings))


def before_all(first: Message, counter: MessageCounter) -> Iterator[Part]:
    """The parts before the messages: a default system message, or the tool definitions."""
    chat = counter.rules.chat
    system = first.text if first.role == "system" else None
    if counter.options.tools:
        yield _tools(system, counter)
    elif system is None and chat.default_system:
        count = added((counter.after_role(chat.default_system), Count.exactly(chat.per_message)))
        yield Part("template", None, count, "a default system message")


def after_all(last: Message, counter: MessageCounter) -> Iterator[Part]:
    """The parts after the messages: the start of the answer, and what options add."""
    chat, options = counter.rules.chat, counter.options
    if options.schema is not None:
        most = chat.json_mode[1] + definitions_most([options.schema])
        note = "whether a model is shown the JSON schema is not known"
        yield Part("options", None, Count.within(chat.json_mode[1], 0, most), note)
    elif options.json_mode:
        yield Part("options", None, Count.within(chat.json_mode[1], *chat.json_mode), "JSON mode")
    if is_open(last):
        return
    reply = chat.per_reply
    if chat.strips_reasoning and options.thinking is False:
        writer = counter.writer()
        writer.template("<think>\n\n</think>\n\n")
        reply += writer.count(counter.measurer).value
    yield Part("template", None, Count.within(reply, *(chat.once_bounds or (reply, reply))))
    if options.forced_tool is not None:
        yield _forced(options.forced_tool, counter)


def _tools(system: str | None, counter: MessageCounter) -> Part:
    """What tool definitions add, to the system message or as a system message of their own."""
    chat, options = counter.rules.chat, counter.options
    rules = counter.rules.tools or GUESS
    words = definitions_text(options, rules, chinese=counter.chinese)
    before = system if system is not None else rules.default_system
    writer = counter.writer()
    writer.template("system\n")
    writer.user(before)
    writer.template(f"\n\n{words}" if before or system is not None else words)
    whole = writer.count(counter.measurer)
    own = 0 if system is None else counter.stretch(system, first=True).value
    frame = chat.per_message if system is None else 0
    value = max(whole.value - 2 - own + frame, 0)
    if whole.exact and counter.certain:
        return Part("tools", None, Count.exactly(value), "as recorded with the provider")
    high = definitions_most(options.tools) + frame + len(rules.default_system)
    value = value if chat.per_message else 0
    return Part("tools", None, Count.within(value, 0, high), "how tools are written is not known")


def _forced(name: str, counter: MessageCounter) -> Part:
    writer = counter.writer()
    writer.template(forced_call(name))
    count = writer.count(counter.measurer)
    if count.exact and counter.certain:
        return Part("tools", None, count, "the call that was asked for, begun")
    high = len(forced_call(name).encode(errors="surrogatepass"))
    return Part("tools", None, Count.within(count.value, 0, high), "a forced call may be begun")
