"""The demo's stage: a centre set up for the demo county, and the words and files a box needs to join it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from center.accounts.people import Role, add_user, make_password
from center.boxes.enrolment import give_code
from center.county.seeding import DEMO_TENANT, PackAddress, seed
from center.database import Database
from center.keyring import load_keyring, make_secrets
from center.schema import migrate
from center.settings import FILE_NAME, load_settings
from traceability.codes import qr_png
from traceability.gs1 import digital_link_path

BOX = "box-demo-01"
BOX_CONFIG = Path(__file__).parents[2] / "edge" / "demo-box.yaml"
CODE_VALID = timedelta(minutes=30)
PEOPLE: Mapping[str, Role] = {
    "officer-a": Role.OFFICER,
    "officer-b": Role.OFFICER,
    "head": Role.HEAD,
    "technician": Role.TECHNICIAN,
}


@dataclass(frozen=True)
class Account:
    """A demo account, its password made for this run."""

    name: str
    password: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A centre that is set up but does not run yet."""

    center_data: Path
    board_url: str
    accounts: tuple[Account, ...]
    enrolment_code: str
    pack: PackAddress

    @property
    def trace_url(self) -> str:
        """The shopper's page of one demo packet: what its QR code says (GS1 Digital Link)."""
        return self.board_url + digital_link_path(self.pack.gtin, self.pack.lot, self.pack.serial)


def set_up_center(folder: Path, *, web_port: int, mqtt_port: int, now: datetime) -> Stage:
    """Make the centre's settings, secrets, database, county, accounts and one enrolment code, all new, in `folder`."""
    folder.mkdir(parents=True)
    settings_text = {
        "tenant": DEMO_TENANT,
        "name": "TeaWatch demo county",
        "web": {"port": web_port},
        "mqtt": {"port": mqtt_port},
    }
    (folder / FILE_NAME).write_text(yaml.safe_dump(settings_text, sort_keys=False), encoding="utf-8")
    settings = load_settings(folder)
    make_secrets(settings)
    accounts = tuple(Account(name, make_password(), role.value) for name, role in PEOPLE.items())
    database = Database(settings.sqlalchemy_url)
    try:
        migrate(database)
        with database.writing() as session:
            seeded = seed(session, tenant=DEMO_TENANT, now=now)
            for account in accounts:
                add_user(
                    session,
                    tenant=DEMO_TENANT,
                    name=account.name,
                    role=Role(account.role),
                    password=account.password,
                    language=settings.language,
                    at=now,
                )
            code = give_code(
                session,
                tenant=DEMO_TENANT,
                device=BOX,
                key=load_keyring(settings).signing_key,
                at=now,
                valid=CODE_VALID,
            )
    finally:
        database.close()
    return Stage(
        center_data=folder, board_url=settings.url, accounts=accounts, enrolment_code=code, pack=seeded.packs[0]
    )


def write_box_config(folder: Path, *, footage: str) -> Path:
    """The demo box's configuration with both cameras looking at `footage` (a file's path or a stream's address)."""
    config = yaml.safe_load(BOX_CONFIG.read_text(encoding="utf-8"))
    for camera in config["cameras"]:
        camera["url"] = footage
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "box.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    path.chmod(0o600)
    return path


def draw_qr(trace_url: str, path: Path) -> Path:
    """The packet's QR code as a PNG picture."""
    path.write_bytes(qr_png(trace_url))
    return path
