"""One invented name planted everywhere at once, in every script: nothing that leaves may say it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from in_process import Done, command, workers_here
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from redact.detect.modes import gate_text_ensemble
from redact.detect.reading import TextReader, read_codes
from redact.detect.weights import ModelStore
from redact.errors import ExitCode
from redact.names.watchlist import WatchList

SPELLINGS = ("Orinakyan", "Օրինակյան", "Оринакян", "Orinakjan", "Örinakyan", "ორინაქიან", "Օրինակեան")
LIST = "# people\nGevorg Orinakyan, Գևորգ Օրինակյան\n"
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def as_typed(*arguments: object, private: Path) -> Done:
    """The command in a process of its own, and its workers in theirs."""
    done = subprocess.run(
        [sys.executable, "-c", "from redact.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        env={**os.environ, "REDACT_PRIVATE_DIR": str(private), "COLUMNS": "200"},
        timeout=300,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def says_the_name(blob: bytes) -> bool:
    """In any of its spellings, upper or lower case, in 8 or 16 bits a letter, or with zero bytes between."""
    for spelling in SPELLINGS:
        for form in (spelling, spelling.upper(), spelling.lower()):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                if form.encode(encoding) in blob:
                    return True
            if form.encode() in blob.replace(b"\0", b""):
                return True
    return False


def captioned(image: np.ndarray) -> np.ndarray:
    """The picture (H x W x 3, BGR) above captions in four scripts and a QR code."""
    height, width = image.shape[:2]
    page = Image.new("RGB", (width, height + 240), (24, 40, 90))
    page.paste(Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])))
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(str(FONT), 30)
    for n, spelling in enumerate(SPELLINGS[:4]):
        draw.text((16, height + 16 + 52 * n), spelling, (255, 255, 255), font)
    code = cv2.QRCodeEncoder.create().encode(f"https://example.org/?q={SPELLINGS[0]}")
    side = 4 * code.shape[0]
    code = cv2.resize(code, (side, side), interpolation=cv2.INTER_NEAREST)
    page.paste(Image.fromarray(code), (width - side - 16, height + 16))
    return np.asarray(page)[:, :, ::-1].copy()


def plant_photo(path: Path) -> None:
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), captioned(data.astronaut()[:, :, ::-1]))
    latin, armenian, russian = SPELLINGS[:3]
    subprocess.run(
        [
            *("exiftool", "-q", "-overwrite_original", "-codedcharacterset=utf8"),
            *(f"-EXIF:Artist={latin}", f"-EXIF:ImageDescription={russian}", f"-EXIF:UserComment={armenian}"),
            *(f"-IPTC:By-line={armenian}", f"-IPTC:Caption-Abstract={russian}", "-IPTC:Credit=Agency"),
            *(f"-XMP-dc:Creator={latin}", f"-XMP-iptcExt:PersonInImage={armenian}"),
            *(f"-XMP-dc:Rights=(c) {russian}", f"-XMP-photoshop:Source={latin}", f"-Comment={latin}"),
            str(path),
        ],
        check=True,
    )


def plant_video(path: Path, work: Path, tag: str) -> None:
    """A still of the portrait for a second, with a subtitle stream, a chapter, tags and a cover picture."""
    frame, cover = work / "frame.png", work / "cover.png"
    small = captioned(data.astronaut()[:, :, ::-1])
    small = cv2.copyMakeBorder(small, 0, 0, 0, 512, cv2.BORDER_CONSTANT, value=(120, 110, 100))
    cv2.imwrite(str(frame), small)
    cv2.imwrite(str(cover), cv2.resize(small, None, fx=0.5, fy=0.5))
    subtitles, tags = work / "s.srt", work / "tags.txt"
    subtitles.write_text(f"1\n00:00:00,000 --> 00:00:00,900\n{SPELLINGS[1]}\n", encoding="utf-8")
    tags.write_text(
        f";FFMETADATA1\ntitle={SPELLINGS[0]}\n{tag}={SPELLINGS[2]}\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle={SPELLINGS[1]}\n",
        encoding="utf-8",
    )
    command = ["ffmpeg", "-v", "error", "-loop", "1", "-t", "1", "-r", "4", "-i", frame, "-i", subtitles]
    command += ["-i", tags, "-i", cover, "-map", "0:v", "-map", "1", "-map", "3:v", "-map_metadata", "2"]
    command += ["-map_chapters", "2", "-c:v:0", "libx264", "-pix_fmt", "yuv420p", "-c:s", "mov_text"]
    command += ["-c:v:1", "png", "-disposition:v:1", "attached_pic", "-y", path]
    subprocess.run(list(map(str, command)), check=True)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """IN with the name everywhere, and OUT, the list and the private folder beside it."""
    root = tmp_path_factory.mktemp("planted")
    places = {name: root / name for name in ("in", "out", "private", "work", "names.txt", "log")}
    places["work"].mkdir()
    places["names.txt"].write_text(LIST, encoding="utf-8")
    folder = places["in"] / f"{SPELLINGS[2]} family"
    plant_photo(folder / f"{SPELLINGS[0]}_01.jpg")
    plant_video(folder / f"{SPELLINGS[1]}.mp4", places["work"], "comment")
    plant_video(folder / f"{SPELLINGS[3]}.mp4", places["work"], "artist")
    shutil.copy(folder / f"{SPELLINGS[0]}_01.jpg", places["in"] / "plain.jpg")
    cue = "1\n00:00:00,000 --> 00:00:00,800\nMy son <i>Gevorg\n{}</i> is there\n"
    (folder / f"{SPELLINGS[1]}.srt").write_text(cue.format(SPELLINGS[1]), encoding="utf-8")
    (folder / f"{SPELLINGS[1]}.ru.vtt").write_text(
        f"WEBVTT\n\nNOTE {SPELLINGS[2]}\n\n00:00.000 --> 00:00.800\nмой сын {SPELLINGS[2]}\n",
        encoding="utf-16",
    )
    for ending in (".txt", ".xmp", ".json"):
        text = json.dumps({"name": SPELLINGS[:3]}, ensure_ascii=False)
        (folder / f"{SPELLINGS[0]}_01{ending}").write_text(text, encoding="utf-8")
    return places


@pytest.fixture(scope="module")
def ran(planted: dict[str, Path]) -> list[Done]:
    """The commands a user types, all allowed that may carry a name out; the batch in real processes."""
    settings = (
        "metadata.rights=keep",
        "output.filenames=keep",
        "sidecars=redact",
        "text=names",
        "faces=fast",
    )
    common = ["--names", planted["names.txt"], *(f"--set={each}" for each in settings)]
    article = planted["work"] / "article.txt"
    article.write_text(f"Mother of {SPELLINGS[0]} waits.\nՄայրը՝ {SPELLINGS[1]}ի\n{SPELLINGS[2]}а ждут\n")
    file = planted["in"] / "plain.jpg"
    plan, by_hand = planted["work"] / "plan.json", planted["out"] / "by-hand.jpg"
    private = planted["private"]
    with workers_here():
        return [
            as_typed("run", planted["in"], planted["out"], *common, private=private),
            command("run", planted["in"], planted["out"], *common, private=private),
            command("check", file, "--text", article, *common, private=private),
            command("plan", file, "--out", plan, *common, private=private),
            command("render", file, "--plan", plan, "--out", by_hand, *common, private=private),
        ]


def test_what_comes_of_it(planted: dict[str, Path], ran: list[Done]) -> None:
    files = [path for path in (planted["out"] / "published").rglob("*") if path.is_file()]
    waiting = [path for path in (planted["out"] / "review").rglob("*") if path.is_file()]
    assert ran[0].returncode == ExitCode.NEEDS_REVIEW, ran[0].stdout + ran[0].stderr
    assert "Nothing to do" in ran[1].stdout
    assert ran[3].returncode == ExitCode.PUBLISHED, ran[3].stderr
    # rights that held the name were dropped, which a person is told; what had none went out
    assert sorted(path.suffix for path in files) == [".mp4", ".srt", ".vtt"], ran[0].stdout
    assert sorted(path.suffix for path in waiting) == [".jpg", ".jpg", ".mp4"]
    assert "listed_name_in_rights" in ran[0].stdout
    assert "3 companion files set aside" in ran[0].stdout
    subtitle = next(path for path in files if path.suffix == ".srt").read_text(encoding="utf-8")
    assert "█████ is there" in subtitle
    assert "00:00:00,000 --> 00:00:00,800" in subtitle
    (film,) = [path for path in files if path.suffix == ".mp4"]
    assert {path.name.split(".")[0] for path in files} == {film.stem}


def test_nothing_that_leaves_says_the_name(planted: dict[str, Path], ran: list[Done]) -> None:
    for done in ran:
        assert not says_the_name(done.stdout.encode())
        assert not says_the_name(done.stderr.encode())
    seen = 0
    for path in planted["out"].rglob("*"):
        assert not says_the_name(str(path.relative_to(planted["out"])).encode())
        if path.is_file():
            seen += 1
            assert not says_the_name(path.read_bytes()), path.suffix
    assert seen > 10
    assert not says_the_name((planted["work"] / "plan.json").read_bytes())


def test_the_search_finds_what_was_planted(planted: dict[str, Path]) -> None:
    planted_files = [path for path in planted["in"].rglob("*") if path.is_file()]
    assert len(planted_files) == 9
    assert all(says_the_name(path.read_bytes()) for path in planted_files)


def test_the_text_check_names_lines_of_list_and_text_only(
    ran: list[Done],
) -> None:
    lines = ran[2].stdout.splitlines()
    assert ran[2].returncode in (ExitCode.NEEDS_REVIEW, ExitCode.BLOCKED)
    for line in (1, 2, 3):
        assert any(f"watch list line 2 at line {line} column" in each for each in lines), lines
    assert any("watch list line 2 in a code" in each for each in lines)


def test_no_reader_reads_the_name_on_finished_pixels(planted: dict[str, Path], ran: list[Done]) -> None:
    del ran
    store, watch = ModelStore(), WatchList(tuple(LIST.splitlines()))
    reader = TextReader(store)
    assert reader.whole, "Tesseract with hye, rus, aze and eng is missing; run `make setup`."
    pictures = [path for path in planted["out"].rglob("*.jpg") if path.is_file()]
    for path in (*pictures, *planted["out"].rglob("*.mp4")):
        _, image = cv2.VideoCapture(str(path)).read()
        picture = _Picture(image)
        boxes = [region.box for region in gate_text_ensemble(store).look(picture)]
        for text in reader.read(picture, boxes):
            assert not watch.find(text, ocr=True)
        for text, _ in read_codes(picture):
            assert not watch.find(text)
    assert len(pictures) == 3


class _Picture:
    def __init__(self, image: np.ndarray) -> None:
        self._image = image
        self.height, self.width = image.shape[:2]

    def bgr(self, long_side: int | None = None) -> np.ndarray:
        if long_side is None:
            return self._image
        scale = long_side / max(self.width, self.height)
        return cv2.resize(self._image, (round(self.width * scale), round(self.height * scale)))
