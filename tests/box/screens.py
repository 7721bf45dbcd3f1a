"""Looks at pages: pictures for people, axe for those who cannot see, words for who reads German."""

import re
import string
from functools import cache

from playwright.sync_api import Page

from builder.paths import PROJECT, build_folder
from firstboot import texts

SCREENS = build_folder() / "screens"
WIDTHS = (("desktop", 1280), ("phone", 390))
CLIENT_TEXTS = PROJECT / "meet/client/src/texts"
FILLED_IN = re.compile(r"\{\{.*?\}\}|\"[\w.]+\":")
# Whole words: fingerprints and addresses have letters between their digits.
WORD = re.compile(r"(?<![\w:])[^\W\d_]{3,}(?!\w)")
# What programs say of themselves where nobody has written a text, and German texts never say.
FOREIGN = {"bad", "gateway", "error", "forbidden", "found", "nginx", "request", "none", "null"}


def keep_picture(page: Page, name: str) -> None:
    """A picture of the whole page, for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


def look(page: Page, axe: str, name: str) -> None:
    """Keep a picture of the page at both widths, let axe judge it, and read its words."""
    for size, width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        keep_picture(page, f"{name}-{size}")
        overflow = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is wider than the {size}"
        judge(page, axe, f"{name} at the width of a {size}")
    if page.evaluate("() => document.documentElement.lang") == "de":
        words = wrong_words(page)
        assert words == [], f"{name}: {words}"


def judge(page: Page, axe: str, name: str) -> None:
    """Let axe judge the page as it is, on which the focus never runs out of sight."""
    scrolls = page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior")
    assert scrolls == "auto", f"{name} scrolls {scrolls}: quick keys leave the focus out of sight"
    # Once for each page: it is long.
    if page.evaluate("() => !globalThis.axe"):
        page.evaluate(axe)
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    wrong = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]
    assert wrong == [], f"{name}: {wrong}"


def wrong_words(page: Page) -> list[str]:
    """Keys of texts, and English words, on a German page; what is marked as English is left out."""
    seen: str = page.evaluate(
        """() => {
            const seen = document.body.cloneNode(true);
            // Devices are called as their makers call them, and files are quoted as they are.
            const skip = '[lang=en], noscript, option, .path, pre, script, style';
            for (const one of seen.querySelectorAll(skip)) one.remove();
            const named = [...seen.querySelectorAll('[aria-label], [title], [alt]')].flatMap(
                one => ['aria-label', 'title', 'alt'].map(name => one.getAttribute(name) ?? ''));
            const parts = [...seen.querySelectorAll('*')].flatMap(one =>
                [...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data));
            return [document.title, ...parts, ...named].join('\\n');
        }"""
    )
    words = {word.lower() for word in WORD.findall(seen)}
    return sorted((words & _english()) | {key for key in _keys() if key in seen})


@cache
def _keys() -> frozenset[str]:
    folder = texts.FOLDER / "de"
    names = [file.stem for file in folder.glob("*.yaml")]
    return frozenset(f"{name}.{key}" for name in names for key in texts.topic("de", name))


@cache
def _english() -> frozenset[str]:
    """Words of the English texts that no German text has."""
    german, english = _words("de"), _words("en")
    return frozenset((english | FOREIGN) - german)


def _words(language: str) -> set[str]:
    found: set[str] = set()
    for file in (texts.FOLDER / language).iterdir():
        written = file.read_text()
        if file.suffix == ".yaml":
            written = "\n".join(texts.topic(language, file.stem).values())
        parts = [text for text, _, _, _ in string.Formatter().parse(written)]
        found |= {word.lower() for word in WORD.findall(" ".join(parts))}
    for file in CLIENT_TEXTS.glob(f"{language}*.json"):
        found |= {word.lower() for word in WORD.findall(FILLED_IN.sub("", file.read_text()))}
    return found
