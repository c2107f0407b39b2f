"""The log's public routes: anybody recomputes and checks it with the key alone, and learns nobody's name."""

import pytest

from alerts.checkpoints import open_checkpoint
from alerts.leaves import read_leaf
from alerts.merkle import root_of, verify_consistency, verify_inclusion
from tests.center.log.scene import fill, look
from tests.center.stage import BOX, Box, Web

ORIGIN = "teawatch/demo-county"


@pytest.fixture
def filled(web: Web, web_box: Box) -> Web:
    fill(web.stage, web_box)
    return web


def get(web: Web, path: str, **query: object) -> dict[str, object]:
    answer = web.client.get(f"/api/v1/log/{path}", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def hashes(body: dict[str, object]) -> list[bytes]:
    found = body["hashes"]
    assert isinstance(found, list)
    return [bytes.fromhex(each) for each in found]


def test_a_stranger_with_the_key_recomputes_the_log_and_checks_every_proof(filled: Web) -> None:
    key = filled.stage.office.keyring.signing_key.verify_key
    text = filled.client.get("/api/v1/log/checkpoint").text
    head = open_checkpoint(text, origin=ORIGIN, key=key)
    told = get(filled, "leaves")["leaves"]
    assert isinstance(told, list)
    leaves = [read_leaf(spelled.encode()) for spelled in told]
    assert root_of(leaf.hash for leaf in leaves) == head.root
    for number in (0, 7, len(leaves) - 1):
        proof = get(filled, "proof", leaf=leaves[number].hash.hex())
        assert (proof["number"], proof["size"]) == (number, head.size)
        verify_inclusion(hashes(proof), leaf=leaves[number].hash, index=number, size=head.size, root=head.root)
    proof = get(filled, "consistency", first=3, second=head.size)
    verify_consistency(
        hashes(proof),
        first=3,
        first_root=root_of(leaf.hash for leaf in leaves[:3]),
        second=head.size,
        second_root=head.root,
    )
    for trace in (BOX, "officer", "neighbour"):
        assert trace not in str(told)


def test_the_published_head_keeps_up_with_the_log_but_not_with_every_request(filled: Web) -> None:
    def size() -> int:
        return int(filled.client.get("/api/v1/log/checkpoint").text.splitlines()[1])

    before = size()
    with filled.stage.office.database.writing() as session:
        look(session, filled.stage, "officer-a")
    filled.stage.clock.advance(seconds=59)
    assert size() == before
    filled.stage.clock.advance(seconds=1)
    assert size() == before + 1


def test_a_page_of_leaves_begins_where_it_is_asked_for(filled: Web) -> None:
    whole = get(filled, "leaves")
    page = get(filled, "leaves", first=20, limit=3)
    told = whole["leaves"]
    assert isinstance(told, list)
    assert page == {"first": 20, "size": 25, "leaves": told[20:23]}


def test_the_key_is_told_as_tools_for_signed_notes_take_it(filled: Web) -> None:
    name, digest, key = filled.client.get("/api/v1/log/key").text.strip().split("+", 2)
    assert (name, len(digest)) == (ORIGIN, 8)
    assert key


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("proof?leaf=" + "0" * 64, 404, "no such leaf"),
        ("proof?leaf=zz", 422, "leaf"),
        ("proof", 422, "leaf"),
        ("consistency?first=3&second=26", 422, "25 leaves, not 26"),
        ("consistency?first=4&second=3", 422, "never had 4"),
        ("consistency?first=-1&second=3", 422, "first"),
        ("leaves?limit=1001", 422, "limit"),
    ],
)
def test_what_cannot_be_proven_is_a_problem_in_one_line(filled: Web, path: str, status: int, detail: str) -> None:
    answer = filled.client.get(f"/api/v1/log/{path}")
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


def test_a_leaf_is_not_proven_against_a_log_that_ended_before_it(filled: Web) -> None:
    told = get(filled, "leaves")["leaves"]
    assert isinstance(told, list)
    leaf = read_leaf(told[-1].encode()).hash.hex()
    assert filled.client.get("/api/v1/log/proof", params={"leaf": leaf, "size": "3"}).status_code == 422
