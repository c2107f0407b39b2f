"""Events for another program: every one a line, and whatever the reader does, nobody in the box waits for it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from edge import event_lines
from edge.announcements import Announcer
from edge.event_lines import EventLines


class Pipe:
    """Where the box writes, and somebody reads when the test says so."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.reader, self.writer = os.fdopen(reading, encoding="utf-8"), FileIO(writing, "w")

    def read(self) -> dict[str, Any]:
        return json.loads(self.reader.readline())

    def close(self) -> None:
        for end in (self.reader, self.writer):
            end.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_events_are_json_lines_also_from_many_threads(pipe: Pipe) -> None:
    with EventLines(pipe.writer) as sink:
        tell = Announcer([sink])
        threads = [
            threading.Thread(target=lambda n=n: tell("seen", camera=f"c{n}", counts={"人": n})) for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = [pipe.read() for _ in range(20)]
    assert sorted(line["camera"] for line in lines) == sorted(f"c{n}" for n in range(20))
    assert {line["event"] for line in lines} == {"seen"}


def test_a_reader_that_stops_reading_holds_nobody_up_and_is_told_later_how_much_it_missed(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_lines, "MOST_WAITING", 50)
    with EventLines(pipe.writer) as sink:
        for number in range(2000):
            sink("seen", {"number": number, "ballast": "x" * 1000})
        missed = sink._missed
        assert missed > 1000
        numbers = [pipe.read()["number"] for _ in range(2000 - missed)]
        assert numbers == sorted(numbers)
        sink("seen", {"number": 2000})
        told, last = pipe.read(), pipe.read()
    assert (told["event"], told["count"], last["number"]) == ("missed", missed, 2000)


def test_a_reader_that_went_away_is_not_minded(pipe: Pipe) -> None:
    with EventLines(pipe.writer) as sink:
        pipe.reader.close()
        for number in range(100):
            sink("seen", {"number": number})
    assert not sink._thread.is_alive()


def test_a_disk_without_room_misses_what_is_said_then_and_goes_on() -> None:
    class Disk(FileIO):
        has_refused = threading.Event()

        def write(self, data: Any, /) -> int:
            if not self.has_refused.is_set():
                self.has_refused.set()
                raise OSError(28, "No space left on device")
            return super().write(data)

    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as reader, Disk(writing, "w") as disk:
        with EventLines(disk) as sink:
            sink("seen", {"camera": "a"})
            assert disk.has_refused.wait(20)
            sink("seen", {"camera": "b"})
        assert json.loads(reader.readline())["camera"] == "b"


ENDING = """
import sys
from io import FileIO
from edge import event_lines

event_lines.DRAIN_S = 0.1
print("begun", file=sys.stderr, flush=True)
with event_lines.EventLines(FileIO(sys.stdout.fileno(), "w", closefd=False)) as sink:
    for _ in range(1000):
        sink("seen", {"ballast": "x" * 1000})
"""


def test_a_process_whose_reader_stopped_reading_can_end() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", ENDING]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.read() == "begun\n"
        assert process.wait(20) == 0
