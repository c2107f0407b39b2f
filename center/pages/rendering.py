"""From template to answer: one Jinja environment for each language, and what every page is given.

Templates speak English (`_("…")`, `{% trans %}`); filters speak the visitor's language and the county's time. An
unknown name in a template is an error, everything is escaped, and nothing inline needs an exception from the content
policy.
"""

import hashlib
from functools import cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from center.accounts.guards import seen_already, whoever
from center.office import office_of
from center.pages.formats import Formats, is_past, reading_unit, short_hash
from center.pages.keepviews import deletion_in_words
from center.pages.terms import shortfall_of
from center.words import COOKIE, Language, choose_language, languages

HERE: Final = Path(__file__).parents[1]
STATIC: Final = HERE / "static"
TEMPLATE_FOLDERS: Final = (HERE / "templates", HERE.parent / "traceability" / "templates")

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Vary": "Cookie, Accept-Language, HX-Request",
    "Cache-Control": "no-store",
}


def language_of(request: Request) -> Language:
    """The language this visitor reads: as chosen here, as the browser asks, as their account says, as the office."""
    person = seen_already(request)
    own = person.language if person is not None else office_of(request).settings.language
    return choose_language(request.cookies.get(COOKIE), request.headers.get("accept-language", "") or own)


def render(
    request: Request, template: str, *, status: int = 200, signed: bool = True, **values: object
) -> HTMLResponse:
    """A page or a part of one. `signed=False` asks nobody who they are: for public pages and for errors."""
    office = office_of(request)
    person = whoever(request) if signed else None
    language = language_of(request)
    frame = {
        "path": request.url.path,
        "query": request.url.query,
        "office_name": office.settings.name,
        "person": person,
        "now": office.now(),
        "office_takes_records": not office.desk.trouble,
        "office_takes_files": not office.evidence.trouble,
        "clock_doubt": office.timekeeper.doubt,
        "log_holds": office.self_check.holds,
    }
    text = environment(language.tag, office.settings.time_zone).get_template(template).render(frame | values)
    return HTMLResponse(text, status_code=status, headers=dict(PAGE_HEADERS) | {"Content-Language": language.tag})


@cache
def environment(tag: str, zone: str) -> Environment:
    """The templates in one language and local time; compiled once."""
    language = languages()[tag]
    made = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    formats = Formats(language, ZoneInfo(zone))
    made.filters.update(
        moment=formats.moment,
        stamp=formats.stamp,
        day=formats.day,
        until=formats.until,
        reading=formats.reading,
        reading_unit=reading_unit,
        distance=formats.distance,
        number=formats.number,
        duration=formats.duration,
        measure=formats.measure,
        size=formats.size,
        mu=formats.mu,
        kilograms=formats.kilograms,
        term=language.term,
        short_hash=short_hash,
        named=language.named,
        shortfall=partial(shortfall_of, language),
        deletion=partial(deletion_in_words, language, ZoneInfo(zone)),
    )
    made.tests["past"] = is_past
    made.globals.update(language=language, languages=tuple(languages().values()), static=static, icon=icon)
    return made


def static(path: str) -> str:
    """The address of a file of ours, with a mark of its contents so that browsers fetch what changed."""
    return f"/static/{path}?v={_mark(path)}"


def icon(name: str, *, label: str = "") -> Markup:
    """One drawing of `icons.svg`; silent to screen readers unless it has a label."""
    address = f"{static('icons.svg')}#{name}"
    if label:
        return Markup('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>').format(label, address)
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>').format(address)


@cache
def _mark(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
