"""The table of handlers: complete, and every chain of events comes to an end."""

from center.handlers import HANDLERS
from enforcement import events


def test_every_event_has_its_handlers() -> None:
    known = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Happening)}
    assert set(HANDLERS) == known - {events.Happening}
    assert all(HANDLERS.values())


def test_every_handler_says_in_a_sentence_what_follows() -> None:
    for handlers in HANDLERS.values():
        for handler in handlers:
            assert (handler.__doc__ or "").endswith("."), handler
