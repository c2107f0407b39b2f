"""Passwords at rest: argon2id through pwdlib, and a check that takes as long for an unknown name."""

from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP password storage cheat sheet: argon2id, 19 MiB, 2 passes, 1 lane; sign-ins share a small server with video.
_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))


def hash_password(password: str) -> str:
    """The salted argon2id hash that is stored."""
    return _HASHER.hash(password)


def check_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one hashed; None (no such account) takes the same time and is False."""
    matches = _HASHER.verify(password, password_hash or _nobody())
    return matches and password_hash is not None


@cache
def _nobody() -> str:
    return _HASHER.hash("the password of nobody")
