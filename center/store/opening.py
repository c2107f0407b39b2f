"""The store of evidence that the settings name, ready to use."""

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.blobs import BlobStore
from alerts.errors import YamlMistake
from alerts.strict_yaml import read_yaml
from center.errors import SettingsInvalid
from center.settings import MIB, Settings
from center.store.bucket import BucketStore, open_bucket
from center.store.shelf import Shelf

CREDENTIALS_FILE = "s3.yaml"
ENVIRONMENT = {"access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY"}
TIMES = {"connect_timeout": "5s", "timeout": "60s"}
RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
OTHERS_MAY_READ = 0o077


def open_store(settings: Settings) -> Shelf:
    """A folder below the data folder, or a bucket with a folder for what is under way. Raises SettingsInvalid."""
    evidence = settings.evidence
    folder = BlobStore(
        settings.evidence_folder if not evidence.store else settings.staging_folder,
        part_quota_bytes=evidence.max_unfinished_mib * MIB,
        keep_free_bytes=evidence.keep_free_mib * MIB,
    )
    if not evidence.store:
        return folder
    client = TIMES | ({"allow_http": True} if evidence.endpoint.startswith("http://") else {})
    bucket = open_bucket(
        evidence.store,
        region=evidence.region,
        client_options=client,
        retry_config=RETRIES,
        **({"endpoint": evidence.endpoint} if evidence.endpoint else {}),
        **_credentials(settings),
    )
    return BucketStore(bucket, folder, name=evidence.store)


def _credentials(settings: Settings) -> dict[str, str]:
    """From the file that the settings name, else `s3.yaml` among the secrets, else the environment."""
    path = settings.evidence.credentials_file or settings.secrets_folder / CREDENTIALS_FILE
    if settings.evidence.credentials_file or path.exists():
        found = _read(path)
    else:
        found = {name: os.environ.get(variable, "") for name, variable in ENVIRONMENT.items()}
    missing = [name for name in ENVIRONMENT if not found.get(name)]
    if missing:
        where = f"{path}, or the environment as {ENVIRONMENT[missing[0]]}"
        raise SettingsInvalid(f"evidence.store: {missing[0]} is missing; it stands in {where}")
    return {name: str(found[name]) for name in ENVIRONMENT}


def _read(path: Path) -> dict[str, Any]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & OTHERS_MAY_READ:
            raise SettingsInvalid(f"{path}: others may read these secrets; chmod 600 {path}")
        found = read_yaml(path.read_bytes())
    except OSError as error:
        raise SettingsInvalid(f"{path}: {error.strerror}") from None
    except YamlMistake:
        found = None
    if not isinstance(found, dict):
        raise SettingsInvalid(f"{path}: two lines are expected, access_key_id: … and secret_access_key: …")
    return found
