"""The files of an attachment in the WordPress plugin: what is shown is what was judged, or was made of it."""

import pytest
from wordpress_site import Site, media

MADE = {"photo-scaled.jpg": media("R", 20), "photo-300x200.jpg": media("R", 21)}
"""Bytes that would be refused if they were judged: they pass only as made of what passed."""
WAYS = (
    '<img class="wp-image-41">',
    "<img src='/wp-content/uploads/photo.jpg'>",
    "<img src='/wp-content/uploads/photo-scaled.jpg'>",
    "<img src='/wp-content/uploads/photo-300x200.jpg'>",
)


@pytest.fixture
def large(site: Site) -> Site:
    """A large photo that passed at its upload; WordPress attached a smaller one in its place."""
    assert site.upload(media("P", 22), "photo.jpg", id=41) == ""
    site.sizes(41, MADE, file="photo-scaled.jpg", original_image="photo.jpg")
    return site


def told(site: Site) -> str:
    (notice,) = [text for key, text in site.read()["transients"].items() if "notice" in key]
    return str(notice)


def test_what_wordpress_made_of_a_file_that_passed_is_not_judged_again(large: Site) -> None:
    large.address = "http://127.0.0.1:9"
    assert [large.shown(way) for way in WAYS] == ["publish"] * len(WAYS)


@pytest.mark.parametrize("name", ["photo.jpg", *MADE])
def test_a_file_of_an_attachment_that_was_overwritten_is_judged_whatever_shows_it(
    large: Site, name: str
) -> None:
    large.file(media("R", 23), name)
    assert [large.shown(way) for way in WAYS] == ["pending"] * len(WAYS)
    assert "photo" not in told(large) and ("smaller sizes" in told(large)) == (name != "photo.jpg")
    large.file(media("P", 24), name)
    assert large.shown(WAYS[0]) == ("pending" if name == "photo.jpg" else "publish"), (
        "what was made of another file is not known"
    )


def test_a_file_that_is_only_named_like_a_size_is_judged(large: Site) -> None:
    show = "<img src='/wp-content/uploads/photo-123x456.jpg'>"
    assert large.shown(show) == "publish", "it is not there: its attachment stands in for it"
    large.file(media("R", 25), "photo-123x456.jpg")
    assert large.shown(show) == "pending"
    assert [large.shown(way) for way in WAYS] == ["publish"] * len(WAYS), "it is no part of the attachment"
    large.file(media("P", 25), "photo-123x456.jpg")
    assert large.shown(show) == "publish"


def test_a_listed_size_that_wordpress_did_not_write_is_judged(site: Site) -> None:
    site.attach(
        41, media("P", 26), "photo.jpg", metadata={"sizes": {"medium": {"file": "photo-300x200.jpg"}}}
    )
    assert site.shown(WAYS[0]) == "publish", "a size that is not there shows nothing"
    site.file(media("R", 26), "photo-300x200.jpg")
    assert site.shown(WAYS[0]) == "pending"
    sources = {"sources": {"image/webp": {"file": "photo-300x200.webp"}}}
    site.attach(41, media("P", 26), "photo.jpg", metadata={"sizes": {"medium": sources}})
    assert site.shown(WAYS[0]) == "publish"
    site.file(media("R", 26), "photo-300x200.webp")
    assert site.shown(WAYS[0]) == "pending"
    site.sizes(41, {"photo-300x200.webp": media("R", 26)})
    assert site.shown(WAYS[0]) == "publish", "made anew"


def test_sizes_that_were_lacking_are_added_to_what_is_known(large: Site) -> None:
    more = {**MADE, "photo-150x150.jpg": media("R", 27)}
    sizes = {name: {"file": name} for name in more}
    large.sizes(
        41,
        {"photo-150x150.jpg": media("R", 27)},
        "update",
        file="photo-scaled.jpg",
        original_image="photo.jpg",
        sizes=sizes,
    )
    assert large.shown(WAYS[0]) == "publish"
    large.sizes(41, {}, file="photo-scaled.jpg", original_image="photo.jpg", sizes=sizes)
    assert large.shown(WAYS[0]) == "publish", "nothing was made"


def test_a_crop_is_judged_once_and_what_is_made_of_it_is_known_as_is_what_it_is_restored_to(
    large: Site,
) -> None:
    crop = {"photo-scaled-e1.jpg": media("P", 30), "photo-scaled-e1-300x200.jpg": media("R", 30)}
    large.sizes(41, crop, "edit", file="photo-scaled-e1.jpg", original_image="photo.jpg")
    assert large.shown(WAYS[0]) == "publish"
    large.file(media("P", 31), "photo-scaled-e1.jpg")
    assert large.shown(WAYS[0]) == "pending", "overwritten: the sizes are of another crop"
    large.sizes(41, {"photo-scaled-e2.jpg": media("R", 31)}, "edit", file="photo-scaled-e2.jpg")
    assert large.shown(WAYS[0]) == "pending", "a crop that does not pass"
    state = large.read()
    listed = {
        "file": "photo-scaled.jpg",
        "original_image": "photo.jpg",
        "sizes": {name: {"file": name} for name in MADE},
    }
    state["posts"]["41"] |= {"file": str(large.uploads / "photo-scaled.jpg"), "metadata": listed}
    large.write(state)
    assert large.shown(WAYS[0]) == "publish", "restored"


def test_what_is_known_of_sizes_is_of_one_attachment_and_signed(large: Site) -> None:
    kept = large.read()["posts"]["41"]["meta"]["_redact_gate_sizes"]
    large.attach(42, media("P", 22), "twin.jpg", metadata={"sizes": {"a": {"file": "twin-1x1.jpg"}}})
    large.file(MADE["photo-300x200.jpg"], "twin-1x1.jpg")
    state = large.read()
    state["posts"]["42"]["meta"] = {"_redact_gate_sizes": kept}
    large.write(state)
    assert large.shown('<img class="wp-image-42">') == "pending"
    state["posts"]["41"]["meta"]["_redact_gate_sizes"] = kept[:-1] + ("0" if kept[-1] != "0" else "1")
    large.write(state)
    assert large.shown(WAYS[0]) == "pending"


def test_what_was_made_of_another_file_than_the_attachments_is_not_written_down(site: Site) -> None:
    site.attach(41, media("P", 28), "photo.jpg")
    site.sizes(41, {"other-300x200.jpg": media("R", 28)}, file="other.jpg")
    assert site.shown(WAYS[0]) == "pending"


def test_a_name_that_the_database_takes_for_that_of_an_attachment_is_a_file_of_its_own(site: Site) -> None:
    site.attach(41, media("P", 29), "photo.jpg")
    show = "<img src='/wp-content/uploads/Photo.jpg'>"
    site.file(media("R", 29), "Photo.jpg")
    if (site.uploads / "photo.jpg").read_bytes() == media("P", 29):  # else this disk, too, takes them for one
        assert site.shown(show) == "pending" and site.shown(WAYS[1]) == "publish"
