"""The live feed: told after the commit, resumed where it stopped, bounded, ended with the server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from center.feed.hub import QUEUE_SIZE, RING_SIZE, Hub, Notice, announce
from center.feed.live import BOOT
from tests.center.stage import Stage, Web, make_alert, open_web


async def collect(hub: Hub, count: int, last: int | None = None) -> list[Notice | None]:
    heard = []
    async for notice in hub.listen(last):
        heard.append(notice)
        if len(heard) == count:
            break
    return heard


async def opened(hub: Hub, pages: int = 1) -> None:
    """Until so many pages listen."""
    while hub.listeners < pages:  # noqa: ASYNC110 - the hub has no event for it, and needs none
        await asyncio.sleep(0)


def fail_after_announcing(stage: Stage) -> None:
    with stage.office.database.writing() as session:
        announce(session, "lead", "rolled back")
        raise LookupError


def test_a_page_hears_of_a_row_only_once_it_is_committed(stage: Stage) -> None:
    hub = stage.office.hub

    async def scenario() -> list[Notice | None]:
        listening = asyncio.create_task(collect(hub, 1))
        await opened(hub)
        with pytest.raises(LookupError):
            fail_after_announcing(stage)
        with stage.office.database.writing() as session:
            announce(session, "lead", "kept")
            announce(session, "lead", "kept")
        return await listening

    (notice,) = asyncio.run(scenario())
    assert notice is not None
    assert (notice.topic, notice.id, notice.data) == ("lead", "kept", '{"id": "kept"}')


def test_a_page_that_comes_back_hears_what_it_missed_and_is_told_when_too_much() -> None:
    hub = Hub()
    for number in range(RING_SIZE + 10):
        hub.tell("task", str(number))

    async def scenario() -> tuple[list[Notice | None], list[Notice | None], list[Notice | None]]:
        return (
            await collect(hub, 2, last=RING_SIZE + 8),
            await collect(hub, 1, last=3),
            await collect(hub, 1, last=RING_SIZE + 999),
        )

    missed, too_old, of_another_process = asyncio.run(scenario())
    assert [notice.id for notice in missed if notice] == [str(RING_SIZE + 8), str(RING_SIZE + 9)]
    assert too_old == [None]
    assert of_another_process == [None]


def test_a_page_that_does_not_read_is_told_to_refresh_and_holds_nobody_up() -> None:
    hub = Hub()

    async def scenario() -> list[Notice | None]:
        stream = hub.listen()
        first = asyncio.ensure_future(anext(stream))
        await opened(hub)
        for number in range(QUEUE_SIZE * 3):
            hub.tell("lead", str(number))
        heard = [await first]
        while heard[-1] is not None:
            heard.append(await anext(stream))
        await stream.aclose()
        return heard

    heard = asyncio.run(scenario())
    assert len(heard) <= QUEUE_SIZE + 2
    assert hub.listeners == 0


def test_closing_the_hub_ends_every_stream_and_opens_no_more() -> None:
    hub = Hub()

    async def scenario() -> list[list[Notice | None]]:
        streams = [asyncio.create_task(collect(hub, 1)) for _ in range(3)]
        await opened(hub, 3)
        threading.Thread(target=hub.close).start()
        return [await stream for stream in streams] + [await collect(hub, 1)]

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == [[], [], [], []]


def test_a_stream_ends_after_its_time_so_that_its_owner_is_asked_anew() -> None:
    async def scenario() -> list[Notice | None]:
        return [notice async for notice in Hub().listen(for_s=0.01)]

    assert asyncio.run(scenario()) == []


@contextmanager
def open_stream(web: Web, **headers: str) -> Iterator[Iterator[str]]:
    """The lines of /live, past its greeting."""
    with web.client.stream("GET", "/live", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        while next(lines) != "retry: 2000":
            pass
        yield lines


def test_a_lead_shows_on_an_open_page_without_reloading(web: Web) -> None:
    box = web.stage.enrol_box()
    web.sign_in()
    with open_stream(web) as lines:
        web.stage.hear(box.write(make_alert()).raw)
        heard = set()
        for line in lines:
            heard |= {line} if line.startswith("event: ") else set()
            if {"event: lead", "event: task"} <= heard:
                break


def test_last_event_id_resumes_the_stream(web: Web) -> None:
    web.sign_in()
    hub = web.stage.office.hub
    for number in range(3):
        hub.tell("lead", f"lead-{number}")
    with open_stream(web, **{"Last-Event-ID": f"{BOOT}-2"}) as lines:
        assert [next(line for line in lines if line) for _ in range(3)] == [
            f"id: {BOOT}-3",
            "event: lead",
            'data: {"id": "lead-2"}',
        ]
    with open_stream(web, **{"Last-Event-ID": "otherboot-2"}) as lines:
        assert next(line for line in lines if line) == "event: refresh"


def test_the_stream_needs_a_session(web: Web) -> None:
    assert web.client.get("/live").status_code == 401


def test_the_server_stops_although_a_page_is_open(stage: Stage) -> None:
    folder = stage.office.settings.data
    ended = threading.Event()

    def read_until_it_ends(client: httpx.Client, started: threading.Event) -> None:
        with client.stream("GET", "/live") as answer:
            started.set()
            for _ in answer.iter_lines():
                pass
        ended.set()

    started = threading.Event()
    with open_web(folder) as web:
        web.sign_in()
        cookies = web.client.cookies
        with httpx.Client(base_url=web.client.base_url, cookies=cookies, timeout=30) as client:
            reader = threading.Thread(target=read_until_it_ends, args=(client, started))
            reader.start()
            assert started.wait(10)
            web.stage.office.hub.close()
            assert ended.wait(10)
            reader.join()
