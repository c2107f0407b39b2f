"""A message sealed into a CloudEvent inside an envelope, and the way back: shared by every channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from alerts import dsse, wire
from alerts.errors import MalformedMessage, WrongType
from alerts.keys import KeyFinder, SigningKey, VerifyKey
from alerts.messages import Cosigned, Event, Message

M_co = TypeVar("M_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class Sealed(Generic[M_co]):
    """A verified event, its data as the message it is, and the exact bytes that were signed around it."""

    event: Event
    data: M_co
    raw: bytes
    key_id: str


def to_data(message: Message) -> dict[str, object]:
    """What stands in `Event.data` for a message."""
    return message.model_dump(mode="json", exclude_none=True)


def seal_event(event: Event, key: SigningKey, cosigner: SigningKey | None = None) -> bytes:
    """The exact bytes to store and send; the payload type follows from the event's type."""
    return dsse.seal(wire.encode(event), dsse.payload_type_of(event.type), key, cosigner)


def open_event(raw: bytes, types: Mapping[str, type[M_co]], find_key: KeyFinder) -> Sealed[M_co]:
    """Verify and read an event of one of `types`.

    Raises the classes under MessageError: WrongType where the envelope is of none of these types, or where the event
    inside says that it is of another type than the envelope.
    """
    envelope = dsse.read_envelope(raw)
    name = dsse.event_type_of(envelope.payload_type)
    if name not in types:
        raise WrongType(f"{envelope.payload_type[:120]!r} is not expected here")
    kind = types[name]
    opened = dsse.verify(envelope, find_key, signatures=2 if issubclass(kind, Cosigned) else 1)
    wire.decode_object(opened.payload)
    event = read_message(Event, opened.payload)
    if event.type != name:
        raise WrongType(f"an event of type {event.type!r} in an envelope for {name!r}")
    data = read_message(kind, to_json(event.data))
    if isinstance(data, Cosigned):
        dsse.verify_cosigner(envelope, VerifyKey.from_text(data.key))
    return Sealed(event, data, raw, opened.key_id)


M = TypeVar("M", bound=Message)


def read_message(kind: type[M], payload: bytes) -> M:
    """A message of this class from JSON that `wire.decode_object` took; raises MalformedMessage with the field."""
    try:
        return kind.model_validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "message"
        raise MalformedMessage(f"{place}: {first['msg']}"[:200]) from None
