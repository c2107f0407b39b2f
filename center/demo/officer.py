"""The demo's officer: signs in over HTTP, waits for a task, acknowledges it, looks at the shopper's page."""

from typing import Any

import httpx

from alerts.web import open_client

TIMEOUT = httpx.Timeout(10.0)


class OfficerAtWork:
    """A session of one account with the centre's JSON interface. Close it after use."""

    def __init__(self, board_url: str, *, name: str, password: str) -> None:
        self._url = board_url
        self._client = open_client(board_url, timeout=TIMEOUT)
        self._name = name
        self._password = password
        self._csrf = ""

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def healthy(self) -> bool:
        """Whether the centre answers."""
        try:
            return self._client.get(f"{self._url}/api/v1/health").is_success
        except httpx.TransportError:
            return False

    def sign_in(self) -> None:
        """Open the session. Raises httpx.HTTPStatusError when the centre refuses."""
        answer = self._client.post(
            f"{self._url}/api/v1/session", json={"username": self._name, "password": self._password}
        )
        answer.raise_for_status()
        self._csrf = answer.json()["csrf_token"]

    def tasks(self) -> list[dict[str, Any]]:
        """The most urgent tasks, 200 at most; an empty list while the centre does not answer."""
        try:
            answer = self._client.get(f"{self._url}/api/v1/tasks", params={"limit": 200})
        except httpx.TransportError:
            return []
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def acknowledge(self, task_id: str, version: int) -> str:
        """Acknowledge the task; returns its new state. Raises httpx.HTTPStatusError when the move is refused."""
        answer = self._client.post(
            f"{self._url}/api/v1/tasks/{task_id}/moves",
            json={"move": "acknowledge", "version": version},
            headers={"X-CSRF-Token": self._csrf},
        )
        answer.raise_for_status()
        state: str = answer.json()["state"]
        return state

    def shopper_sees(self, trace_url: str) -> bool:
        """Whether the shopper's page answers without a session."""
        with open_client(trace_url, timeout=TIMEOUT) as stranger:
            answer = stranger.get(trace_url)
        return answer.is_success and "text/html" in answer.headers.get("content-type", "")
