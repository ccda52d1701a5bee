"""The list of technical tags: pixels and structure pass, nothing that tells of a person or place does."""

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.hidden_tags import beyond, beyond_exiftool, beyond_streams

needs_readers = pytest.mark.skipif(
    not (shutil.which("exiftool") and shutil.which("ffprobe")), reason="exiftool and ffprobe are not here"
)


def test_pixels_and_structure_pass() -> None:
    assert (
        beyond_exiftool(
            {
                "System:FileName": "a.jpg",
                "File:ImageWidth": 8,
                "Track1:Copy1:HandlerType": "Video Track",
                "QuickTime:CreateDate": "0000:00:00 00:00:00",
                "Composite:ImageSize": "8x8",
            }
        )
        == set()
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("GPS:GPSLatitude", "39 deg"),
        ("File:Comment", "words"),
        ("IFD0:Copy1:Artist", "Orinakyan"),
        ("Track1:HandlerDescription", "Orinakyan"),
        ("QuickTime:CreateDate", "2019:07:13 09:08:07"),
        ("QuickTime:Free", "(Binary data 14 bytes, use -b option to extract)"),
        ("Track1:MediaLanguageCode", "hye"),
        ("ICC_Profile:ProfileDescription", "words"),
    ],
)
def test_what_tells_of_a_person_or_place_is_named(key: str, value: str) -> None:
    assert beyond_exiftool({key: value}) == {key.replace(":Copy1", "")}


def test_streams_beyond_one_picture_and_one_sound_are_named() -> None:
    picture = {"codec_type": "video", "tags": {"language": "und", "handler_name": "VideoHandler"}}
    cover = {"codec_type": "video", "disposition": {"attached_pic": 1}}
    assert beyond_streams({"streams": [picture, {"codec_type": "audio"}], "format": {}}) == set()
    assert beyond_streams({"streams": [picture, cover]}) == {
        "ffprobe:cover picture",
        "ffprobe:second stream of video",
    }
    told = beyond_streams(
        {
            "streams": [
                {"codec_type": "data"},
                {"codec_type": "video", "side_data_list": [{"side_data_type": "ICC Profile"}]},
            ],
            "format": {"tags": {"title": "Orinakyan"}},
            "chapters": [{}],
        }
    )
    assert told == {
        "ffprobe:stream of data",
        "ffprobe:side data ICC Profile",
        "ffprobe:tag title",
        "ffprobe:chapters",
    }


@needs_readers
def test_both_readers_are_asked_of_real_files(tmp_path: Path) -> None:
    clean, told = tmp_path / "clean.jpg", tmp_path / "told.jpg"
    picture = Image.new("RGB", (16, 16), (90, 120, 150))
    picture.save(clean)
    exif = Image.Exif()
    exif[0x013B] = "Orinakyan"
    picture.save(told, exif=exif, comment=b"words")
    found = beyond([clean, told])
    assert found[clean] == set()
    assert found[told] == {"IFD0:Artist", "File:Comment"}
