"""What the WordPress plugin finds in a text: the file itself, in whatever way its address is written."""

import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from wordpress_site import Site, media

FOLDER = "2024/01"
BASE = f"https://news.example/wp-content/uploads/{FOLDER}/"
# the bytes of some letters end in 85 or A0, which are spaces in some locales
NAMES = ("Օրինակյան.jpg", "Оринархов-РР.jpg", "Nümunəyev.jpg", "𐓀rinak.jpg", "Ornek--yan.jpg")

CODE = re.compile(r"\\u([0-9a-f]{4})")


def php_json(value: object) -> str:
    """As PHP writes JSON: letters beyond ASCII and slashes are escaped."""
    return json.dumps(value).replace("/", "\\/")


def serialized(text: str) -> str:
    """As PHP stores an array with this text."""
    return f'a:1:{{s:5:"image";s:{len(text.encode())}:"{text}";}}'


FORMS: dict[str, Callable[[str, str], str]] = {
    "markup": lambda url, name: f"<img src='{url}{name}'>",
    "style": lambda url, name: f"<p style='background:url({url}{name})'>",
    "percent-encoded": lambda url, name: f'<img src="{url}{quote(name)}">',
    "percent-encoded in JSON": lambda url, name: php_json({"url": url + quote(name)}),
    "JSON": lambda url, name: php_json({"url": url + name, "id": "3f2a1b"}),
    "JSON, capitals": lambda url, name: CODE.sub(lambda code: "\\u" + code[1].upper(), php_json(url + name)),
    "markup in JSON": lambda url, name: php_json({"editor": f'<p>\n<img src="{url}{name}" alt="x">\n</p>'}),
    "JSON in JSON": lambda url, name: php_json({"settings": php_json({"url": url + name})}),
    "JSON in JSON in JSON": lambda url, name: php_json([php_json([php_json([url + name])])]),
    "JSON in an attribute": lambda url, name: f'<div data-settings="{html.escape(php_json([url + name]))}">',
    "attribute of a block": lambda url, name: php_json([url + name]).replace("--", "\\u002d\\u002d"),
    "serialized": lambda url, name: serialized(url + name),
    "JSON, serialized": lambda url, name: serialized(php_json([url + name])),
    "entities": lambda url, name: (
        "<img src=" + "".join(f"&#x{ord(letter):x};" for letter in url + name) + ">"
    ),
    "encoded as a whole": lambda url, name: f'[button link="url:{quote(url + name, safe="")}|title:more"]',
    "percent-encoded, then as a whole": lambda url, name: (
        f'[x link="url:{quote(url + quote(name), safe="")}||"]'
    ),
    "encoded as a whole, twice": lambda url, name: f"/go?to={quote(quote(url + name, safe=''), safe='')}&x=1",
    "shortcode": lambda url, name: f"[embed]{url}{name}[/embed]",
}


def shown(site: Site, *texts: str) -> list[list[object]]:
    found: list[list[object]] = site.run("contents", texts=texts)["shown"]
    return found


@pytest.fixture
def folder(site: Site) -> Site:
    (site.uploads / FOLDER).mkdir(parents=True)
    return site


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_found_by_its_address_however_that_is_written(folder: Site, form: str) -> None:
    for name in NAMES:
        folder.file(media("R"), f"{FOLDER}/{name}")
    texts = [FORMS[form](BASE, name) for name in NAMES]
    assert shown(folder, *texts) == [[f"{FOLDER}/{name}"] for name in NAMES]
    assert shown(folder, " ".join(texts)) == [[f"{FOLDER}/{name}" for name in NAMES]]


def test_a_file_is_found_where_its_name_holds_what_may_also_end_an_address(folder: Site) -> None:
    for name in ("(1) x.jpg", "a, b.jpg", "O'r.jpg", "a;b|c.jpg", "plain.jpg", "next.jpg"):
        folder.file(media("R"), f"{FOLDER}/{name}")
    found = shown(
        folder,
        f'<img src="{BASE}(1) x.jpg">',
        f'<img src="{BASE}a, b.jpg">',
        f"<img src={BASE}O%27r.jpg>",
        php_json(f"{BASE}a;b|c.jpg"),
        f"<img srcset='{BASE}plain.jpg 1x, {BASE}next.jpg 2x'>",
        f"{BASE}plain.jpg?size=full#top, and so on",
    )
    names = ["(1) x.jpg"], ["a, b.jpg"], ["O'r.jpg"], ["a;b|c.jpg"], ["plain.jpg", "next.jpg"], ["plain.jpg"]
    assert found == [[f"{FOLDER}/{name}" for name in some] for some in names]


def test_an_address_that_cannot_be_read_to_its_end_leads_nowhere_and_is_not_a_folder(folder: Site) -> None:
    (folder.place / "secret.jpg").write_bytes(media("P"))
    folder.file(media("P"), f"{FOLDER}/a.jpg")
    nowhere = (
        php_json(BASE)[:-1] + "\\ud83d.jpg",  # half a letter
        f"{BASE}\\0540.jpg",  # an escape of style sheets
        f"{BASE}a.jpg\\x.jpg",
        f"{BASE}not-there.jpg",
        f"{BASE}%00a.jpg",
        f"{BASE}../../../secret.jpg",
        BASE + "a" * 1100 + ".jpg",
    )
    assert shown(folder, *nowhere) == [[""]] * len(nowhere)
    folders = (
        f'"{BASE}"',
        f"{BASE} and {BASE[:-1]}.",
        php_json({"base": "/wp-content/uploads/"}),
        "/wp-content/uploads",
    )
    assert shown(folder, *folders)[::2] == [[], []] and shown(folder, folders[3]) == [[]]


def test_ids_in_markup_are_found_in_fields_too(folder: Site) -> None:
    folder.attach(41, media("R"), "smuggled.jpg")
    block = '<!-- wp:image {"id":41,"note":"\\u003e"} -->'
    markup = '<img class="wp-image-41">'
    for text in (
        block,
        markup,
        php_json([block]),
        php_json([markup]),
        serialized(markup),
        '[gallery ids="41"]',
    ):
        assert shown(folder, text) == [[41]], text


def test_a_text_that_cannot_be_searched_is_not_one_without_addresses(folder: Site) -> None:
    text = "<img src='/wp-content/uploads/x.jpg'> [gallery " + "x" * 200
    limits = {"pcre.jit": "0", "pcre.backtrack_limit": "1"}
    data = {"post_status": "publish", "post_content": text, "post_excerpt": ""}
    assert folder.run("store", data=data, ini=limits)["post_status"] == "pending"
    (notice,) = [text for key, text in folder.read()["transients"].items() if "notice" in key]
    assert "fault of its own" in notice
