"""Several workers: each takes its share of the boxes, and two that take the same record make one lead and one task."""

import asyncio
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from center.database import Database
from center.errors import SettingsInvalid
from center.feed.hub import Hub, announce
from center.feed.wires import Wire, WireEar
from center.intake.journal import JournalRow
from center.intake.sharing import Share
from enforcement.leads import Lead
from enforcement.task_records import Task, TaskEvent
from tests.center.feed.test_feed import collect
from tests.center.postgres import Databases
from tests.center.stage import BOX, TENANT, make_alert, open_stage

WORKER = """
import base64, json, sys
from pathlib import Path
from alerts.subscriber import Incoming
from alerts.topics import Channel, Topic
from tests.center.stage import open_stage
folder, url, device, tenant = sys.argv[1:]
raws = [base64.b64decode(raw) for raw in json.loads(sys.stdin.readline())]
with open_stage(Path(folder), database_url=url) as stage:
    print("ready", flush=True)
    sys.stdin.readline()
    left = stage.desk.receive_all([Incoming(Topic(tenant, device, Channel.JOURNAL), raw) for raw in raws])
    print(len(left), len(stage.sent), flush=True)
"""


@pytest.mark.system("postgresql")
def test_two_processes_that_take_in_the_same_records_make_each_lead_and_task_once(
    postgres: Databases, tmp_path: Path
) -> None:
    with postgres.county() as url, open_stage(tmp_path / "centre", database_url=url) as stage:
        box = stage.enrol_box()
        raws = [box.write(make_alert(incident=f"i-{number}")).raw for number in range(60)]
        given = json.dumps([b64encode(raw).decode() for raw in raws]) + "\n"
        command = [sys.executable, "-c", WORKER, str(tmp_path / "centre"), url, BOX, TENANT]
        workers = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
            )
            for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(given)
            worker.stdin.flush()
        for worker in workers:
            assert worker.stdout is not None
            while worker.stdout.readline() != "ready\n":
                assert worker.poll() is None
        said = [worker.communicate("go\n", timeout=60)[0].splitlines()[-1] for worker in workers]

        assert said == ["0 1", "0 1"], "both have taken everything in, and sent a receipt"
        assert [stage.count(table) for table in (JournalRow, Lead, Task, TaskEvent)] == [60, 60, 60, 60]
        assert stage.quarantined() == {}


@pytest.mark.system("postgresql")
def test_pages_hear_what_a_worker_committed(postgres: Databases) -> None:
    hub = Hub()

    async def scenario(server: Database, worker: Database) -> None:
        page = asyncio.create_task(collect(hub, 2))
        for _ in range(100):  # the server listens soon; what was told before is nobody's
            with worker.writing() as session:
                announce(session, "lead", "box.i-1")
                announce(session, "task", "box.i-1")
            done, _ = await asyncio.wait({page}, timeout=0.1)
            if done:
                break
        assert [(notice.topic, notice.id) for notice in await page if notice] == [
            ("lead", "box.i-1"),
            ("task", "box.i-1"),
        ]

    with postgres.county() as url:
        server = Database(url)
        worker = Database(url, hub=Wire(server))
        ear = WireEar(server, hub)
        ear.start()
        try:
            asyncio.run(scenario(server, worker))
        finally:
            ear.stop()
            worker.close()
            server.close()


@pytest.mark.parametrize("of", [1, 2, 5])
def test_each_box_belongs_to_exactly_one_worker(of: int) -> None:
    shares = [Share.parse(f"{number}/{of}") for number in range(1, of + 1)]
    messages = [Incoming(Topic(TENANT, f"box-{number}", Channel.JOURNAL), b"") for number in range(200)]
    heard: list[Incoming] = []
    for share in shares:
        before = len(heard)
        assert share.of_messages(lambda own: heard.extend(own) or ())(messages) == ()
        assert len(heard) > before

    assert sorted(message.topic.device for message in heard) == sorted(message.topic.device for message in messages)


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "1/2/3", "a/b"])
def test_a_share_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="K/N"):
        Share.parse(text)
