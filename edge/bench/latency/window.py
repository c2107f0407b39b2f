"""An officer's window: Chromium, signed in, on the live board. It notes when each lead with its task is in the page."""

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from playwright.async_api import Error, Page, ViewportSize, async_playwright
from playwright.async_api import TimeoutError as TooLate

from edge.bench.clips import NothingToMeasure

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE: ViewportSize = {"width": 1280, "height": 800}
PATIENCE_MS = 10_000
FIRST_MS = 60_000
CLOCK_GRAIN_S = 0.002
"""Browsers round what their clocks say."""

LISTEN = """(() => {
  window.heard = {};
  const note = (event) => { window.heard[JSON.parse(event.data).id] ??= Date.now(); };
  window.EventSource = class extends EventSource {
    constructor(...given) {
      super(...given);
      this.addEventListener("lead", note);
    }
  };
  performance.setResourceTimingBufferSize(100000);
})()"""
"""Before the page's own scripts: when the centre's word about a lead came."""

NOTE = """() => {
  window.seen = {};
  const note = () => {
    for (const lead of document.querySelectorAll("[data-lead]"))
      if (lead.querySelector(".foot")) window.seen[lead.dataset.lead] ??= Date.now();
  };
  note();
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
"""A card of the board has a foot when its lead has a task: it says where that stands."""

FETCHES = """() => performance.getEntriesByType("resource")
  .filter((entry) => new URL(entry.name).pathname === "/board/leads" && entry.responseEnd)
  .map((entry) => [entry.startTime, entry.requestStart, entry.responseEnd].map((at) => performance.timeOrigin + at))"""

ANY_SEEN = "() => Object.keys(window.seen).length > 0"
ALL_SEEN = "leads => leads.every((lead) => lead in window.seen)"


@dataclass(frozen=True, slots=True)
class Fetch:
    """The board's leads were asked for, the browser had a connection for that, the answer was there."""

    asked_s: float
    sent_s: float
    answered_s: float


@dataclass(frozen=True, slots=True)
class Sights:
    """What the window noted, in seconds since 1970: by lead when it was heard of and when it was shown."""

    heard: Mapping[str, float]
    shown: Mapping[str, float]
    fetches: Sequence[Fetch]

    def fetch_that_showed(self, lead: str) -> Fetch | None:
        """The last whose answer was there when the lead came to be seen."""
        before = [fetch for fetch in self.fetches if fetch.answered_s <= self.shown[lead] + CLOCK_GRAIN_S]
        return max(before, key=lambda fetch: fetch.answered_s, default=None)


class Window:
    """The board, open. What it shows renews itself by the page's own scripts."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def await_first(self) -> None:
        """Until a lead has come in with its task. Raises NothingToMeasure."""
        try:
            await self._page.wait_for_function(ANY_SEEN, timeout=FIRST_MS)
        except TooLate:
            raise NothingToMeasure(f"nothing came to the browser within {FIRST_MS // 1000} s") from None

    async def await_all(self, leads: Sequence[str]) -> Sights:
        """What was noted until all these leads were there together with their tasks, if they come in time."""
        with suppress(TooLate):
            await self._page.wait_for_function(ALL_SEEN, arg=leads, timeout=PATIENCE_MS)
        return Sights(
            _seconds(await self._page.evaluate("window.heard")),
            _seconds(await self._page.evaluate("window.seen")),
            [Fetch(*(at_ms / 1000 for at_ms in each)) for each in await self._page.evaluate(FETCHES)],
        )


def _seconds(at_ms: Mapping[str, float]) -> Mapping[str, float]:
    return {lead: each_ms / 1000 for lead, each_ms in at_ms.items()}


@asynccontextmanager
async def opened(url: str, name: str, password: str) -> AsyncIterator[Window]:
    """Sign in and open the board; it hears the centre when this returns. Raises NothingToMeasure."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise NothingToMeasure("Chromium is not installed: apt-get install chromium")
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=[*FLAGS])
            try:
                context = await browser.new_context(viewport=SIZE)
                await context.request.post(f"{url}/api/v1/session", data={"username": name, "password": password})
                page = await context.new_page()
                await page.add_init_script(LISTEN)
                await page.goto(f"{url}/")
                await page.wait_for_selector('[data-connection="on"]')
                await page.evaluate(NOTE)
                yield Window(page)
            finally:
                await browser.close()
    except Error as error:
        raise NothingToMeasure(f"the browser: {error.message.splitlines()[0]}") from None
