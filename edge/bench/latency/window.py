"""An officer's window: Chromium, signed in, on the live board. It notes when each lead with its task is in the page."""

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

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

ALL_SEEN = "leads => leads.every((lead) => lead in window.seen)"


class Window:
    """The board, open. What it shows renews itself by the page's own scripts."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def await_all(self, leads: Sequence[str]) -> Mapping[str, float]:
        """When each lead was first there together with its task, in seconds since 1970; those that come in time."""
        with suppress(TooLate):
            await self._page.wait_for_function(ALL_SEEN, arg=leads, timeout=PATIENCE_MS)
        return {lead: at_ms / 1000 for lead, at_ms in (await self._page.evaluate("window.seen")).items()}


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
                await page.goto(f"{url}/")
                await page.wait_for_selector('[data-connection="on"]')
                await page.evaluate(NOTE)
                yield Window(page)
            finally:
                await browser.close()
    except Error as error:
        raise NothingToMeasure(f"the browser: {error.message.splitlines()[0]}") from None
