"""The WordPress plugin before publishing: a post that shows a file without a pass does not go out."""

import hashlib

import pytest
from wordpress_site import Site, media


@pytest.mark.parametrize(
    "text",
    [
        '<img class=\\"alignleft wp-image-41\\" src=\\"x\\" />',
        '<!-- wp:image {\\"id\\":41,\\"sizeSlug\\":\\"large\\"} --><!-- /wp:image -->',
        '<!-- wp:media-text {\\"mediaId\\":41} /-->',
        '<!-- wp:gallery {\\"ids\\":[1,41]} /-->',
        '[gallery ids=\\"1,41\\"]',
        "<a href='https://news.example/wp-content/uploads/smuggled.jpg'>x</a>",
        "<video poster='//cdn.example/wp-content/uploads/smuggled-300x200.jpg'></video>",
        "<img srcset='/wp-content/uploads/smuggled-1x1.jpg 1x, /wp-content/uploads/smuggled.jpg 2x'>",
        "<img src='/wp-content/uploads/%73muggled.jpg?x=1'>",
        "<div style='background:url(/wp-content/uploads/unknown.jpg)'></div>",
        '{\\"url\\":\\"https:\\\\/\\\\/news.example\\\\/wp-content\\\\/uploads\\\\/unknown.jpg\\"}',
        "<img src='/wp-content/uploads/not-there.jpg'>",
        "<img src='/wp-content/uploads/../secret.jpg'>",
    ],
)
def test_a_post_that_shows_a_file_without_a_pass_is_not_published(site: Site, text: str) -> None:
    site.attach(41, media("R"), "smuggled.jpg")
    site.file(media("R", 5), "unknown.jpg")
    (site.place / "secret.jpg").write_bytes(media("P"))
    assert site.shown(text) == "pending"
    (notice,) = [text for key, text in site.read()["transients"].items() if "notice" in key]
    assert notice.startswith("Not published.") and "smuggled" not in notice and "unknown" not in notice
    answer = site.run("rest", post={"post_status": "publish", "post_content": text.replace("\\", "")})
    assert answer["code"] == "redact_gate" and answer["data"] == {"status": 422}


@pytest.mark.parametrize(("asked", "given"), [("future", "pending"), ("draft", "draft")])
def test_such_a_post_is_not_scheduled_either_and_a_draft_stays_one(
    site: Site, asked: str, given: str
) -> None:
    site.attach(41, media("R"), "smuggled.jpg")
    assert site.shown("<img src='/wp-content/uploads/smuggled.jpg'>", asked) == given


def test_featured_and_attached_files_need_a_pass_too(site: Site) -> None:
    site.attach(41, media("R"), "smuggled.jpg")
    assert site.shown("", _thumbnail_id=41) == "pending"
    assert site.shown("", meta_input={"_thumbnail_id": 41}) == "pending"
    refused = site.run("rest", post={"post_status": "publish"}, request={"featured_media": 41})
    assert refused["code"] == "redact_gate"
    site.attach(42, media("R"), "child.jpg", post_parent=8)
    assert site.shown("", ID=8) == "pending"
    assert site.shown("", ID=9) == "publish"
    site.post(9, status="publish")
    assert site.run("feature", id=9, value=41)["featured"] == ""


def test_what_comes_as_a_field_of_a_new_post_needs_a_pass_too(site: Site) -> None:
    site.attach(41, media("R"), "smuggled.jpg")
    address = '{"image":"\\/wp-content\\/uploads\\/smuggled.jpg"}'
    site.post(9, meta={"_builder": address})
    assert site.shown("", ID=9) == "pending", "a field that is stored already"
    assert site.shown("", meta_input={"_builder": address.replace("\\", "\\\\")}) == "pending"
    assert site.shown(
        "", meta_input={"_builder": [{"deep": [{"image": "/wp-content/uploads/smuggled.jpg"}]}]}
    ) == ("pending")
    assert site.shown("", meta_input={"_builder": '<img class=\\"wp-image-41\\">'}) == "pending"
    assert site.shown("", meta_input={"_builder": "nothing", "count": 41}) == "publish"
    sent = {"meta": {"builder": address}}
    assert site.run("rest", post={"post_status": "publish"}, request=sent)["code"] == "redact_gate"


def test_a_scheduled_post_is_judged_when_its_time_comes(site: Site) -> None:
    site.attach(41, media("R"), "smuggled.jpg")
    site.post(50, '<img class="wp-image-41">', "future")
    site.post(51, "text", "future")
    assert site.run("publish", id=50) == {"status": "pending"}
    assert site.run("publish", id=51) == {"status": "publish"}


def test_a_post_that_is_published_unstored_is_not_public_while_it_is_judged(site: Site) -> None:
    """`wp_publish_post` writes `publish` into the row and only then tells anybody."""
    site.attach(41, media("R"), "smuggled.jpg")
    site.attach(42, media("P"), "fine.jpg")
    site.post(50, '<img class="wp-image-41">')
    site.post(51, '<img class="wp-image-42">')
    assert site.run("publish_now", id=50) == {"status": "pending", "told": "pending"}
    assert site.run("publish_now", id=51) == {"status": "publish", "told": "publish"}
    site.attach(43, media("P"), "long.jpg", ends=True)
    site.post(52, '<img class="wp-image-43">')
    assert site.run("publish_now", id=52) == {"ended": True}, "PHP was ended in the middle of it"
    assert site.read()["posts"]["52"]["post_status"] == "pending"


@pytest.mark.parametrize("change", [{"post_status": "draft"}, {"post_modified_gmt": "2024-01-01 00:00:09"}])
def test_a_post_that_somebody_stored_while_it_was_judged_stays_as_it_was_stored(
    site: Site, change: dict[str, str]
) -> None:
    site.attach(41, media("P"), "fine.jpg", meanwhile={"50": change})
    site.post(50, '<img class="wp-image-41">')
    told = site.run("publish_now", id=50)
    assert told == {"status": change.get("post_status", "pending"), "told": "pending"}


def test_what_was_there_before_is_judged_once_and_a_changed_file_again(site: Site) -> None:
    path = site.attach(41, media("P", 6), "older.jpg")
    site.sizes(41, {"older-300x200.jpg": media("S")})
    site.attach(43, media("P", 6), "twin.jpg")
    text = '<img class="wp-image-41" src="/wp-content/uploads/older-300x200.jpg">'
    assert site.shown(text) == "publish" and site.has_pass(41)
    right, site.address = site.address, "http://127.0.0.1:9"
    assert site.shown(text) == "publish", "a pass holds while the service is away"
    state = site.read()
    state["posts"]["43"]["meta"] = dict(state["posts"]["41"]["meta"])
    site.write(state)
    assert site.shown('<img class="wp-image-43">') == "pending", "a pass is of one attachment"
    state["posts"]["41"]["meta"]["_redact_gate_pass"] = (
        hashlib.sha256(media("P", 6)).hexdigest() + " 1 " + "0" * 64
    )
    site.write(state)
    assert site.shown(text) == "pending", "a pass that the site did not sign is none"
    site.address = right
    assert site.shown(text) == "publish"
    path.write_bytes(media("R", 6))
    assert site.shown(text) == "pending"


def test_a_text_without_media_and_one_with_a_pass_are_published_as_they_are(site: Site) -> None:
    site.upload(media("P", 7), "ok.jpg", id=44)
    site.attach(45, b"%PDF-1.4 ", "paper.pdf", mime="application/pdf")
    text = (
        '<img class="wp-image-44"> https://elsewhere.example/a.jpg <a href="/wp-content/uploads/paper.pdf">'
    )
    assert site.shown(text) == "publish"
    prepared = site.run("rest", post={"post_status": "publish", "post_content": text})
    assert prepared == {"post_status": "publish", "post_content": text}
