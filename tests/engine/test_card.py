"""The model card in a real browser: on a desk, on a phone, by day, by night, and in print."""

import unicodedata
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser

from cdp.models import card
from tests.support.model_report import EXAMPLES, HOSTILE
from tests.support.pages import COLOURS, shown

WIDTHS = {"desk": 1280, "tablet": 800, "phone": 360}
# Width of the paper in pixels of CSS.
A4 = 794
SECTIONS = ["figures", "candidates", "curves", "drivers", "segments", "reproduce", "limits"]
# Texts below this many pixels are not read on a phone.
LEGIBLE = 10
# What WCAG asks of text, and of lines and dots that say something.
TEXT, DRAWN = 4.5, 3.0
each_width = pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The card of each report."""
    folder = tmp_path_factory.mktemp("card")
    found = {name: folder / f"{name}.html" for name in EXAMPLES}
    for name, path in found.items():
        card.write(*EXAMPLES[name], path)
    return found


@pytest.fixture(params=list(EXAMPLES))
def path(request: pytest.FixtureRequest, cards: dict[str, Path]) -> Path:
    return cards[request.param]


@each_width
def test_nothing_is_cut_and_everything_is_there(browser: Browser, path: Path, width: int) -> None:
    opened = shown(browser, path, width)
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    for section in SECTIONS:
        assert opened.locator(f"#{section}").is_visible()
    # A table that is wider than the window is read by moving it, which people do not find.
    assert (
        opened.evaluate(
            "[...document.querySelectorAll('.scroll, pre, td, th, .one')]"
            ".filter(e => e.clientWidth && e.scrollWidth > e.clientWidth)"
            ".map(e => [e.className, e.innerText.slice(0, 80)])"
        )
        == []
    )
    # What the model is worth is seen at once, but for names that fill a phone by themselves.
    box = opened.locator("#verdict").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < (500 if path.stem == "bad" else 400)
    opened.close()


@each_width
def test_texts_of_charts_are_inside_legible_and_apart(
    browser: Browser, path: Path, width: int
) -> None:
    opened = shown(browser, path, width)
    found = opened.evaluate(
        """least => {
            const wrong = {outside: [], small: [], over: []};
            for (const svg of document.querySelectorAll('svg')) {
                const frame = svg.viewBox.baseVal;
                const texts = [...svg.querySelectorAll('text')];
                for (const text of texts) {
                    const box = text.getBBox();
                    if (box.x < 0 || box.y < 0 || box.x + box.width > frame.width ||
                        box.y + box.height > frame.height) wrong.outside.push(text.textContent);
                    const size = parseFloat(getComputedStyle(text).fontSize);
                    const pixels = size * svg.getBoundingClientRect().width / frame.width;
                    if (pixels < least) wrong.small.push([text.textContent, pixels]);
                }
                const boxes = texts.map(text => [text.textContent, text.getBBox()]);
                boxes.forEach(([name, a], n) => boxes.slice(n + 1).forEach(([other, b]) => {
                    const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
                    const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
                    // The box of a text has room above and below its letters.
                    if (wide > 0 && high > 4) wrong.over.push([name, other, wide, high]);
                }));
            }
            return wrong;
        }""",
        LEGIBLE,
    )
    assert found == {"outside": [], "small": [], "over": []}
    assert opened.locator("svg.chart").count() >= 5
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_charts_can_be_told_from_what_is_behind(
    browser: Browser, path: Path, scheme: str
) -> None:
    opened = shown(browser, path, 1280)
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    faint = opened.evaluate(
        "([text, drawn]) => {"
        + COLOURS
        + """
            const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
            const words = [...document.querySelectorAll('body *:not(style)')]
                .filter(e => own(e) && !(e instanceof SVGElement))
                .map(e => [e.innerText, ratio(getComputedStyle(e).color, behind(e)), text]);
            const written = [...document.querySelectorAll('svg text')]
                .map(e => [e.textContent, ratio(getComputedStyle(e).fill, behind(e)), text]);
            const lines = '.curve, .reference, .whole, svg .interval, svg .axis';
            const strokes = [...document.querySelectorAll(lines)]
                .map(e => ['line', ratio(getComputedStyle(e).stroke, behind(e)), drawn]);
            const bars = [...document.querySelectorAll('.fill, .fall i')]
                .map(e => ['bar', ratio(
                    e.className === 'begin' ? getComputedStyle(e).borderLeftColor
                        : getComputedStyle(e).backgroundColor, behind(e.parentElement)), drawn]);
            return [...words, ...written, ...strokes, ...bars]
                .filter(([, found, least]) => found < least);
        }""",
        [TEXT, DRAWN],
    )
    assert faint == []
    opened.close()


def test_who_stands_out_does_so_without_colours(browser: Browser, cards: dict[str, Path]) -> None:
    opened = shown(browser, cards["good"], WIDTHS["phone"])
    flagged = opened.locator("#segments tr.flagged")
    assert flagged.count() == 5
    for words in flagged.all_inner_texts():
        assert "weaker" in words or "scored too" in words
    # Dots of these are hollow.
    assert opened.locator("#segments tr.flagged svg.warn circle").count() == 6
    assert opened.locator("#candidates .best").count() > 5
    opened.close()


def test_names_that_look_like_html_are_read(browser: Browser, cards: dict[str, Path]) -> None:
    opened = shown(browser, cards["bad"], WIDTHS["desk"])
    assert opened.title() == f"Model card: {HOSTILE}, logistic"
    assert opened.locator("img, script").count() == 0
    assert HOSTILE in opened.locator("h1").inner_text()
    assert opened.locator("#verdict.bad").inner_text().startswith("Of the 10\u00a0%")
    opened.close()


def test_links_lead_to_what_is_on_the_page(browser: Browser, cards: dict[str, Path]) -> None:
    opened = shown(browser, cards["population"], WIDTHS["phone"])
    for link in opened.locator("nav a").all():
        link.click()
        target = opened.locator(str(link.get_attribute("href")))
        assert target.is_visible()
    opened.locator("summary").first.click()
    assert "service count: 3 \u22120.03" in opened.locator("details").first.inner_text()
    opened.close()


def test_print_has_all_of_it(browser: Browser, path: Path, tmp_path: Path) -> None:
    opened = shown(browser, path, A4)
    headings = opened.locator("h2").all_inner_texts()
    numbers = opened.locator("#candidates .value, #segments td .value").all_inner_texts()
    # What is folded away on a screen, too.
    numbers += opened.locator("details").evaluate_all("all => all.map(e => e.lastChild.data)")
    opened.pdf(path=tmp_path / "card.pdf", format="A4")
    opened.close()
    printed = pypdf.PdfReader(tmp_path / "card.pdf")
    assert len(printed.pages) <= 9
    words = "".join(page.extract_text() for page in printed.pages)
    # Print has ligatures.
    text = "".join(unicodedata.normalize("NFKC", words).split())
    for each in [*headings, *numbers]:
        assert "".join(unicodedata.normalize("NFKC", each).split()) in text
