"""What a screen reader and a keyboard need of a page, read from its HTML: a small check of our own.

It covers what can be told without a browser: language, title, landmarks, headings, names of pictures and fields, unique
ids, and that nothing inline or from elsewhere is asked for.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
UNNAMED_INPUTS = frozenset({"hidden", "submit", "button"})


@dataclass
class Element:
    """One element, its attributes and the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside_label: bool = False


@dataclass
class Page(HTMLParser):
    """All elements of a page, in order."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inside = any(each.tag == "label" for each in self.open)
        element = Element(tag, {name: value or "" for name, value in attrs}, inside_label=inside)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop().tag == tag:
                break

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """Every element of these tags."""
        return [element for element in self.elements if element.tag in tags]

    def ids(self) -> list[str]:
        """Every id, with repetitions."""
        return [element.attributes["id"] for element in self.elements if "id" in element.attributes]


def read(html: str) -> Page:
    """The page of this HTML."""
    page = Page()
    page.feed(html)
    page.close()
    return page


def faults(html: str) -> list[str]:
    """Everything wrong with the page, in words; empty when it is fine."""
    page = read(html)
    return [*_frame(page), *_headings(page), *_names(page), *_outside(page)]


def _frame(page: Page) -> list[str]:
    wrong = []
    if page.all("html")[0].attributes.get("lang") not in {"zh-CN", "en"}:
        wrong.append("<html> names no language")
    if not page.all("title")[0].text.strip(" ·"):
        wrong.append("no title")
    wrong += [f"{len(page.all(tag))} <{tag}>, not one" for tag in ("main", "h1") if len(page.all(tag)) != 1]
    first = next(element for element in page.elements if element.tag == "a")
    if "skip" not in first.attributes.get("class", "") or first.attributes.get("href") != "#page":
        wrong.append("the first link does not skip to the content")
    ids = page.ids()
    wrong += [f"id {each!r} stands {ids.count(each)} times" for each in sorted(set(ids)) if ids.count(each) > 1]
    navs = page.all("nav")
    wrong += ["a <nav> without a name" for nav in navs if "aria-label" not in nav.attributes]
    return wrong


def _headings(page: Page) -> list[str]:
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4")]
    jumps = [(before, after) for before, after in zip([0, *levels], levels, strict=False) if after > before + 1]
    empty = [heading.tag for heading in page.all("h1", "h2", "h3", "h4") if not heading.text.strip()]
    return [f"heading jumps from h{before} to h{after}" for before, after in jumps] + [f"empty {tag}" for tag in empty]


def _names(page: Page) -> list[str]:
    wrong = [
        f"<img src={img.attributes.get('src')}> without alt" for img in page.all("img") if "alt" not in img.attributes
    ]
    labelled = {label.attributes.get("for") for label in page.all("label")}
    for control in page.all("input", "select", "textarea"):
        if control.attributes.get("type") in UNNAMED_INPUTS:
            continue
        named = control.attributes.get("id") in labelled or control.inside_label or "aria-label" in control.attributes
        if not named:
            wrong.append(f"<{control.tag} name={control.attributes.get('name')}> without a label")
    wrong += [
        f"<{element.tag} {element.attributes}> without words"
        for element in page.all("a", "button", "summary")
        if not element.text.strip() and "aria-label" not in element.attributes and not _pictured(page, element)
    ]
    ids = set(page.ids())
    wrong += [
        f"{name} points to {target!r}, which is not there"
        for element in page.elements
        for name in ("aria-labelledby", "aria-describedby")
        for target in element.attributes.get(name, "").split()
        if target not in ids
    ]
    return wrong


def _pictured(page: Page, element: Element) -> bool:
    after = page.elements[page.elements.index(element) + 1 :][:3]
    return any(each.tag == "img" and each.attributes.get("alt") for each in after)


def _outside(page: Page) -> list[str]:
    wrong = [f"inline <{each.tag}>" for each in page.all("script") if "src" not in each.attributes]
    wrong += ["inline <style>" for _ in page.all("style")]
    for element in page.elements:
        wrong += [
            f"{name} on <{element.tag}>" for name in element.attributes if name == "style" or name.startswith("on")
        ]
        for name in ("src", "href", "action", "hx-get", "hx-post"):
            address = element.attributes.get(name, "")
            if address.startswith(("http:", "https:", "//")):
                wrong.append(f"{name} leads outside: {address}")
    return wrong
