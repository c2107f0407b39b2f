"""The way out of the centre in a browser: an officer says why, saves the bundle, and it holds for a stranger."""

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from alerts.bundles.verification import verify_file
from center.bundles.trusting import trust_of
from tests.center.pages.scene import PARKING, open_scene
from tests.journey.test_pages_browser import DESK, FLAGS, PHONE, visit


@pytest.mark.system("chromium")
def test_an_officer_saves_a_bundle_on_a_phone_and_at_a_desk_and_it_holds(tmp_path: Path) -> None:
    with open_scene(tmp_path / "centre") as scene, sync_playwright() as playwright:
        lead = scene.box.see(PARKING, "i-1", scene.now)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for number, (size, language, make, save) in enumerate(
            ((PHONE, "zh-CN", "制作证据包", "保存证据包"), (DESK, "en", "Make the bundle", "Save the bundle"))
        ):
            with visit(browser, scene, size, language) as officer:
                officer.sign_in("officer-a")
                officer.page.goto(f"{scene.url}/leads/{lead}")
                officer.page.get_by_text(make, exact=True).click()
                officer.page.locator("#bundle-reason").fill("for the court")
                button = officer.page.get_by_role("button", name=save)
                expect(button).to_be_visible()
                assert officer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                officer.page.screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
                with officer.page.expect_download() as waiting:
                    button.click()
                saved = tmp_path / f"{number}.zip"
                waiting.value.save_as(saved)
                with scene.office.database.reading() as session:
                    trust = trust_of(session, scene.office.notary, at=scene.now)
                assert verify_file(saved, trust, case=lead).holds
        browser.close()
