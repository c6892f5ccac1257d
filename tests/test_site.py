"""The documentation site: it builds without a warning, its links lead somewhere, and it needs no network."""

import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import fecnn
from fecnn.channels.registry import REGISTRY as CHANNELS
from fecnn.decoders.registry import REGISTRY
from fecnn.nets.card import zoo_names

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("sphinx") is None, reason="needs pip install 'fecnn[docs]'"),
]

LOADS = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src", "object": "data"}
"""Attributes whose addresses a browser fetches by itself."""


class Page(HTMLParser):
    """The addresses that a page links to and loads, and the places in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places = [], [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.places |= {said[key] for key in ("id", "name") if said.get(key)}
        if tag == "a" and said.get("href"):
            self.links.append(said["href"])
        if said.get(LOADS.get(tag, "")):
            self.loads.append(said[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-j",
        "auto",
        "-q",
        "-b",
        "html",
        "docs",
        folder / "html",
    ]
    done = subprocess.run([*command, "-d", folder / "trees"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def test_links_lead_to_pages_and_places_in_them(site, pages):
    broken, followed = [], 0
    for path, page in pages.items():
        for address in [*page.links, *page.loads]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            followed += 1
            if not target.is_file() or (target in pages and place not in pages[target].places):
                broken.append((path.relative_to(site).as_posix(), address))
    assert broken == []
    assert followed > 10_000


def test_a_page_loads_nothing_from_elsewhere(site, pages):
    assert [(path, load) for path, page in pages.items() for load in page.loads if "//" in load] == []
    styles = [
        path
        for path in site.rglob("*.css")
        if "url(http" in path.read_text() or "@import" in path.read_text()
    ]
    assert styles == []


def test_every_public_name_code_decoder_network_and_study_has_its_place(site, pages):
    reference = {place for page in pages.values() for place in page.places}
    assert [name for name in fecnn.__all__ if f"fecnn.{name}" not in reference] == []
    for room, names in (
        ("codes", fecnn.code_names()),
        ("channels", CHANNELS),
        ("decoders", REGISTRY),
        ("networks", zoo_names()),
        ("studies", [path.parent.name for path in ROOT.glob("studies/*/README.md")]),
    ):
        assert {path.stem for path in (site / "generated" / room).glob("*.html")} == {"index", *names}
        links = pages[site / "generated" / room / "index.html"].links
        assert {f"{name}.html" for name in names} <= set(links)


def test_every_page_is_found_by_the_search(site, pages):
    listed = (site / "searchindex.js").read_text()
    own = {path.relative_to(site).with_suffix("").as_posix() for path in pages} - {
        "genindex",
        "search",
        "py-modindex",
    }
    assert [page for page in own if f'"{page}"' not in listed] == []
