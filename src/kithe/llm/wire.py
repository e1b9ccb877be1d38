"""What goes over the wire to an OpenAI-compatible server, and what its answers and errors mean."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from kithe.llm.client import Ask, Finish, Reason

Structured = Literal["json_schema", "json_object", "prompt"]
"""How a server is asked for JSON: it enforces the schema, it enforces JSON, or the prompt asks for it."""

MODES: Final[tuple[Structured, ...]] = ("json_schema", "json_object", "prompt")

_LONG: Final = re.compile(r"context.{0,20}(length|size|window)|maximum.{0,30}tokens|too (long|large|many tokens)", re.IGNORECASE)
_DECLINED: Final = re.compile(r"content.?(filter|policy|management)|moderation|flagged", re.IGNORECASE)
_NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FORMAT: Final = re.compile(r"response_format|json_schema|json_object|schema|grammar", re.IGNORECASE)
_SHOWN: Final = 300  # characters of a server's words


@dataclass(frozen=True, slots=True)
class Heard:
    """A server's answer as it was understood; token counts are None where the server gave none."""

    text: str
    finish: Finish
    model: str
    prompt_tokens: int | None
    new_tokens: int | None
    reason: Reason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an attempt failed.

    Attributes:
        retry: whether trying again can help.
        after: seconds the server wants to be left alone, if it said so.
        busy: whether it asked for fewer calls.
        paid: whether the server may have done the work.
        fatal: no other ask would fare better; the message says what to fix.
        about_format: the server does not take the request's `response_format`.
    """

    reason: Reason
    message: str
    retry: bool = False
    after: float | None = None
    busy: bool = False
    paid: bool = False
    fatal: bool = False
    about_format: bool = False


def request(ask: Ask, model: str, structured: Structured, limit_key: str, omit: Sequence[str]) -> dict[str, Any]:
    """The keyword arguments of `chat.completions.create` for an ask.

    Args:
        structured: how JSON is asked for where the ask has a schema.
        limit_key: the name under which the server wants `max_tokens`.
        omit: sampling parameters that the server does not take.
    """
    messages = [{"role": message.role, "content": _text(message.content)} for message in ask.messages]
    body: dict[str, Any] = {"model": model, "messages": messages, limit_key: ask.max_tokens, "temperature": ask.temperature}
    if ask.temperature > 0:
        body |= {"seed": ask.seed, **({"top_p": ask.top_p} if ask.top_p < 1 else {})}
    if ask.stop:
        body["stop"] = list(ask.stop)
    if ask.schema is not None:
        if structured != "prompt":
            body["response_format"] = _format(ask.schema, structured)
        if structured != "json_schema":
            body["messages"] = with_schema(messages, ask.schema)
    return {key: value for key, value in body.items() if key not in omit}


def with_schema(messages: list[dict[str, str]], schema: Mapping[str, Any]) -> list[dict[str, str]]:
    """The messages with the schema at the end of the last one."""
    wish = "Answer with one JSON value and nothing else. It must fit this JSON schema:\n" + json.dumps(schema)
    last = messages[-1]
    return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{wish}"}]


def _format(schema: Mapping[str, Any], structured: Structured) -> dict[str, Any]:
    if structured == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": strict(schema)}}


def strict(schema: object) -> bool:
    """Whether every object of a schema names and requires all its keys, which strict servers demand."""
    if isinstance(schema, list):
        return all(map(strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(schema.get("properties", {})):
            return False
    return all(strict(value) for value in schema.values())


def understood(completion: Any) -> Heard:
    """What a completion says; never raises, whatever the server sent.

    Args:
        completion: what the client made of the body: a completion whose fields nobody has checked, or text.
    """
    choice = _first(getattr(completion, "choices", None))
    message = getattr(choice, "message", None)
    model = _text(getattr(completion, "model", None))
    usage = getattr(completion, "usage", None)
    tokens = (_count(getattr(usage, "prompt_tokens", None)), _count(getattr(usage, "completion_tokens", None)))
    text = _text(getattr(message, "content", None))
    finish: Finish = "length" if getattr(choice, "finish_reason", None) == "length" else "stop"
    if message is None:
        return Heard("", "failed", model, *tokens, "garbage", f"no completion: {_shown(_wrong(completion))}")
    refusal = _text(getattr(message, "refusal", None))
    if refusal or getattr(choice, "finish_reason", None) == "content_filter":
        return Heard(text, "failed", model, *tokens, "refused", _shown(refusal) or "stopped by a content filter")
    if not text.strip() and finish == "stop":
        return Heard(text, "failed", model, *tokens, "garbage", "an empty answer")
    return Heard(text, finish, model, *tokens)


def trouble(error: BaseException, model: str, key_name: str) -> Trouble:
    """What an exception of the client means.

    Args:
        key_name: where the key comes from, for the message about a key that is not accepted.
    """
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError):
        waiting = type(error.__cause__).__name__ in ("ConnectTimeout", "PoolTimeout")  # before the request was sent
        return Trouble("timeout", "no answer in time", retry=True, paid=not waiting)
    if isinstance(error, openai.APIStatusError):
        return _status(error.status_code, error.body, error.response.headers, model, key_name)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__
        broken = type(cause).__name__ in ("RemoteProtocolError", "ReadError")  # after the request was sent
        return Trouble("connection", f"{type(cause or error).__name__}: {_shown(str(cause or error))}", retry=True, paid=broken)
    return Trouble("garbage", f"unreadable answer ({type(error).__name__})", retry=True, paid=True)


def _status(status: int, body: object, headers: Mapping[str, str], model: str, key_name: str) -> Trouble:
    said, code = _shown(_wrong(body)), _code(body)
    text = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status == 429 and not _NO_CREDIT.intersection(code.split()):
        return Trouble("rate_limited", text, retry=True, after=retry_after(headers), busy=True)
    if status in (402, 429):
        return Trouble("budget", f"the provider says that the account has no credit left (HTTP {status})", fatal=True)
    if status == 401 or (status == 403 and not _DECLINED.search(said)):
        return Trouble("invalid", f"the server does not accept the key (HTTP {status}); fix: {key_name}", fatal=True)
    if status == 404:
        return Trouble(
            "invalid", f"the server knows no model '{model}' or no such path: {text}; fix: model, base_url", fatal=True
        )
    if status >= 500 or status in (408, 409, 425):
        return Trouble("server", text, retry=True, after=retry_after(headers), busy=status == 503)
    if status == 413 or _LONG.search(f"{code} {said}"):
        return Trouble("too_long", text)
    if _DECLINED.search(f"{code} {said}"):
        return Trouble("refused", text)
    return Trouble("invalid", text, about_format=bool(_FORMAT.search(said)))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait: a number or a date; None where it says nothing readable."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(value or "") - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e6 else None


def _wrong(body: object) -> str:
    """A server's words about what went wrong, wherever it put them."""
    found = body if isinstance(body, Mapping) else getattr(body, "error", body)
    if isinstance(found, Mapping):
        found = found.get("error", found)
    if isinstance(found, Mapping):
        found = found.get("message", found)
    return found if isinstance(found, str) else "" if found is None else str(found)


def _code(body: object) -> str:
    found = body.get("error", body) if isinstance(body, Mapping) else {}
    return " ".join(str(found.get(key) or "") for key in ("code", "type")).strip() if isinstance(found, Mapping) else ""


def _shown(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]


def _first(value: object) -> object | None:
    return value[0] if isinstance(value, list) and value else None


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
