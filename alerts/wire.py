"""Bytes on the wire: strict JSON, the same reading everywhere.

What two readers could read differently is refused: floating-point numbers, NaN, duplicate keys, integers beyond
2**53 - 1 (RFC 7493, I-JSON), lone surrogates, NUL characters (PostgreSQL stores none), deep nesting.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, Never

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from alerts.errors import MalformedMessage, MessageTooLarge

MAX_BYTES = 262_144
"""The longest message with its envelope: no outbox takes a longer one, and no centre refuses one for its length."""
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
TOO_GREAT = "an integer is beyond 2**53 - 1"

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def encode(message: BaseModel | Mapping[str, object]) -> bytes:
    """UTF-8 JSON without spaces, keys sorted, absent options left out; raises MalformedMessage for what may not travel.

    The result is only ever read, never compared with a second serialisation: signatures cover these exact bytes.
    """
    value = message.model_dump(mode="json", exclude_none=True) if isinstance(message, BaseModel) else message
    _check(value, depth=1)
    return _ENCODER.encode(value).encode()


def decode(raw: bytes, *, max_bytes: int = MAX_BYTES) -> object:
    """The JSON value in `raw`; raises MessageTooLarge or MalformedMessage."""
    if len(raw) > max_bytes:
        raise MessageTooLarge(f"{len(raw)} bytes, at most {max_bytes} are accepted")
    try:
        text = raw.decode("utf-8")
        if (plain := _read_plain(raw, text)) is not None:
            return plain
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise MalformedMessage(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise MalformedMessage(f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise MalformedMessage(f"not JSON: {error}"[:200]) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise MalformedMessage(TOO_GREAT) from None
    _check(value, depth=1)
    return value


def decode_object(raw: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, object]:
    """As `decode`, where only a JSON object will do."""
    value = decode(raw, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise MalformedMessage(f"a JSON object is expected, not {type(value).__name__}")
    return value


def _read_plain(raw: bytes, text: str) -> dict[str, object] | None:
    """The object, if `text` is plainly written, and so shallow that it may travel; None where it needs patience.

    Plain is what reads back as itself: no key was there twice, for the second writing is the first. Everybody who keeps
    to the contract writes like this, so it is worth more than the patient way; without escapes nothing but quotes ends
    a string.
    """
    if "\\" in text:
        return None
    bare = "".join(text.split('"')[::2])
    if "." in bare or _NEEDS_PATIENCE.search(bare):
        return None
    if bare.count("{") + bare.count("[") > MAX_DEPTH and _is_too_deep(bare):
        return None
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) and to_json(value) == raw else None


def _is_too_deep(bare: str) -> bool:
    depth = 0
    for bracket in bare.translate(_BRACKETS):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _refuse(text: str) -> Never:
    raise MalformedMessage(f"{text[:40]} is not an integer; measures are integers with their unit in the name")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in pairs:
        if name in result:
            raise MalformedMessage(f"the key {name[:40]!r} appears twice")
        result[name] = value
    return result


_MAPPINGS: Final = (dict, Mapping)
_CONTAINERS: Final = (dict, list, tuple, Mapping)
"""What is most often met first: an abstract class is slow to tell."""


def _check(value: object, *, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):  # bool is one
        if abs(value) > MAX_INTEGER:
            raise MalformedMessage(TOO_GREAT)
    elif isinstance(value, _CONTAINERS):
        _check_parts(value, depth=depth)
    elif value is not None:
        raise MalformedMessage(f"{type(value).__name__} may not travel")


def _check_parts(value: Mapping[object, object] | list[object] | tuple[object, ...], *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedMessage(f"nested deeper than {MAX_DEPTH}")
    parts: Iterable[object] = value
    if isinstance(value, _MAPPINGS):
        for name in value:
            if not isinstance(name, str):
                raise MalformedMessage(f"a key is {type(name).__name__}, not text")
        _check_text("".join(map(str, value)))
        parts = value.values()
    for part in parts:
        _check(part, depth=depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedMessage("text with a NUL character")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedMessage("text with a lone surrogate") from None


class _OnlyBrackets(dict[int, int | None]):
    """For `str.translate`: deletes every character but brackets."""

    def __missing__(self, character: int) -> None:
        self[character] = None


_BRACKETS = _OnlyBrackets({ord(bracket): ord(bracket) for bracket in "[]{}"})
_NEEDS_PATIENCE = re.compile(r"[0-9](?:[eE]|[0-9]{15})")
"""Outside of strings, beside a decimal point: numbers that are no integers, or too large."""
_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, object_pairs_hook=_unique)
