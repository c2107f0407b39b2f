"""A verifier of bundles by docs/formats.md alone: nothing of TeaWatch is imported, and nothing may be.

It raises AssertionError, or whatever a broken file makes Python raise.
"""

import hashlib
import hmac
import io
import json
import zipfile
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]


def verify(bundle: bytes, keys: bytes) -> str:
    """The case, if all of the bundle holds."""
    trust = json.loads(keys)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    event = open_envelope(members["seal.json"], trust["centre_keys"])
    seal = event["data"]
    check_members(members, seal)
    records = {
        sha256(raw): read_record(name, raw, trust) for name, raw in members.items() if name.startswith("records/")
    }
    check_chain(records, seal)
    check_story(records, seal)
    check_files(members, records, seal)
    check_log(members, records, trust)
    enrolled = {key["device"]: key["enrolled_at"] for key in reversed(trust["device_keys"])}
    for record in seal["records"]:
        assert enrolled[record["device"]] <= record["received_at"] <= event["time"]
    return str(seal["case"])


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def open_envelope(raw: bytes, keys: Iterable[Json]) -> Json:
    """The payload, once every signature on it holds."""
    envelope = json.loads(raw)
    kind, payload = envelope["payloadType"].encode(), b64decode(envelope["payload"], validate=True)
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    assert len(envelope["signatures"]) == (2 if b"keyrotation" in kind else 1)
    known = {key["key_id"]: b64decode(key["key"]) for key in keys}
    for signature in envelope["signatures"]:
        key = known[signature["keyid"]]
        assert signature["keyid"] == f"ed25519:{sha256(key)[:32]}"
        Ed25519PublicKey.from_public_bytes(key).verify(b64decode(signature["sig"]), signed)
    told: Json = json.loads(payload)
    return told


def check_members(members: dict[str, bytes], seal: Json) -> None:
    sealed = {member["name"]: (member["sha256"], member["size_bytes"]) for member in seal["members"]}
    assert sealed == {name: (sha256(raw), len(raw)) for name, raw in members.items() if name != "seal.json"}


def read_record(name: str, raw: bytes, trust: Json) -> Json:
    _, device, epoch, last = name.split("/")
    record = open_envelope(raw, [key for key in trust["device_keys"] if key["device"] == device])
    assert (record["device"], record["epoch"]) == (device, epoch)
    assert last == f"{record['sequence']:012d}-{sha256(raw)[:16]}.json"
    signer = json.loads(raw)["signatures"][0]["keyid"]
    key = next(key for key in trust["device_keys"] if key["key_id"] == signer)
    spans = [span for span in key.get("spans", ()) if span["epoch"] == epoch]
    in_time = [span["first"] <= record["sequence"] <= span.get("last", record["sequence"]) for span in spans]
    assert any(in_time) if spans else "retired_at" not in key
    return record


def check_chain(records: dict[str, Json], seal: Json) -> None:
    journals: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for digest, record in records.items():
        journals[record["device"], record["epoch"]][record["sequence"]].add(digest)
    gone = {
        (gap["device"], gap["epoch"], number) for gap in seal["gaps"] for number in range(gap["first"], gap["last"] + 1)
    }
    forked = {(fork["device"], fork["epoch"]) for fork in seal["forks"]}
    for journal, numbers in journals.items():
        for number in range(min(numbers) + 1, max(numbers) + 1):
            assert (number in numbers) != ((*journal, number) in gone)
            for digest in numbers.get(number, ()) if number - 1 in numbers and journal not in forked else ():
                assert records[digest]["prevhash"] in numbers[number - 1]


def check_story(records: dict[str, Json], seal: Json) -> None:
    for end in seal["ends"]:
        assert seal["case"] == f"{end['device']}.{end['incident']}"
        own = [each for each in records.values() if each["data"].get("incident") == end["incident"]]
        told = {each["data"]["revision"] for each in own if each["type"] == "teawatch.alert.v1"}
        lacking = {number for run in end["lacking"] for number in range(run["first"], run["last"] + 1)}
        assert told | lacking == set(range(1, end["revision"] + 1))
        assert records[end["record_sha256"]]["data"]["revision"] == end["revision"]


def check_files(members: dict[str, bytes], records: dict[str, Json], seal: Json) -> None:
    incidents = {end["incident"] for end in seal["ends"]}
    own = [each["data"] for each in records.values() if each["data"].get("incident") in incidents]
    announced = {
        file["sha256"]: file["size_bytes"]
        for data in own
        for file in data.get("evidence", []) + data.get("artefacts", [])
    }
    here = {sha256(raw): len(raw) for name, raw in members.items() if name.startswith("files/")}
    assert here.items() <= announced.items()
    assert announced.keys() - here.keys() <= {file["sha256"] for file in seal["absent"]}


def check_log(members: dict[str, bytes], records: dict[str, Json], trust: Json) -> None:
    size, root = open_head(members["log/head.txt"].decode(), trust["log_keys"][0])
    proofs = json.loads(members["log/proofs.json"])
    for proof in proofs["proofs"]:
        leaf = proof["leaf"].encode()
        tip = climb(hashlib.sha256(b"\x00" + leaf).digest(), proof["number"], size, map(bytes.fromhex, proof["path"]))
        assert tip == root
        salt, body = bytes.fromhex(proof["salt"]), proof["body"].encode()
        assert hmac.new(salt, body, "sha256").hexdigest() == json.loads(leaf)["commitment"]
        assert json.loads(body)["record"] == proof["record"]
        assert proof["record"] in records


def open_head(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a signed head."""
    name, _, public = key.split("+", 2)
    text, _, signature = note.rpartition("\n\n")
    blob = b64decode(signature.removeprefix(f"— {name} ").strip(), validate=True)
    Ed25519PublicKey.from_public_bytes(b64decode(public)[1:]).verify(blob[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name
    return int(size), b64decode(root, validate=True)


def climb(tip: bytes, number: int, size: int, path: Iterable[bytes]) -> bytes:
    """The root that a proof leads to, by the letter of RFC 9162, 2.1.3.2."""
    first, last = number, size - 1
    assert first <= last
    for sibling in path:
        assert last
        if first & 1 or first == last:
            tip = hashlib.sha256(b"\x01" + sibling + tip).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            tip = hashlib.sha256(b"\x01" + tip + sibling).digest()
        first, last = first >> 1, last >> 1
    assert not last
    return tip
