"""Makes samples/media and samples/expected.toml.

Every person is the same one: NASA's portrait of Eileen Collins (public domain), cut out, mirrored, toned and
scaled; the man with the camera is scikit-image's `camera` (CC0), other backgrounds are its `coffee` and
`rocket` (CC0 and NASA). All of them ship inside scikit-image. Every name is invented. Needs ffmpeg, exiftool
and the DejaVu fonts; the product needs none of this to run.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from skimage import data

Picture = npt.NDArray[np.uint8]
HERE = Path(__file__).resolve().parent
MEDIA = HERE / "media"
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

NAME_HY = "Գևորգ Օրինակյան"
NAME_RU = "Нарине Оринакян"
NAME_AZ = "Gevorq Örnəkyan"
NAME_EN = "Gevorg Orinakyan"
CANARY = "CANARY-Orinakyan"


def cut_out() -> tuple[Picture, npt.NDArray[np.float32]]:
    """The portrait (RGB) and its soft mask, by GrabCut."""
    portrait = np.asarray(data.astronaut(), np.uint8)
    mask = np.full(portrait.shape[:2], cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(mask, (222, 120), (85, 115), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(mask, (222, 115), (48, 65), 0, 0, 360, cv2.GC_FGD, -1)
    cv2.fillPoly(
        mask, [np.array([[60, 511], [95, 290], [190, 200], [270, 200], [385, 290], [430, 511]])], cv2.GC_FGD
    )
    mask[:10] = cv2.GC_BGD
    mask[:, :30] = cv2.GC_BGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(portrait, mask, None, background, foreground, 4, cv2.GC_INIT_WITH_MASK)
    solid = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return portrait, cv2.GaussianBlur(solid, (0, 0), 2)


PORTRAIT, MASK = cut_out()


def place(
    scene: Picture,
    x: int,
    y: int,
    height: int,
    *,
    mirror: bool = False,
    tone: tuple[float, ...] = (1, 1, 1),
    angle: float = 0.0,
) -> None:
    """Paste the person into `scene` (RGB) with the top left corner at x, y."""
    size = (height, height)
    person = cv2.resize(PORTRAIT, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = cv2.resize(MASK, size, interpolation=cv2.INTER_AREA)
    if angle:
        turn = cv2.getRotationMatrix2D((height / 2, height / 2), angle, 1)
        person, mask = cv2.warpAffine(person, turn, size), cv2.warpAffine(mask, turn, size)
    if mirror:
        person, mask = person[:, ::-1], mask[:, ::-1]
    person = np.clip(person * np.array(tone, np.float32), 0, 255)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + height, scene.shape[1]), min(y + height, scene.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    cut = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    share = mask[cut][..., None]
    area = scene[y0:y1, x0:x1]
    area[...] = (area * (1 - share) + person[cut] * share).astype(np.uint8)


def room(width: int, height: int, shade: int = 0) -> Picture:
    """A blurred interior."""
    image = cv2.resize(np.asarray(data.coffee(), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    image = cv2.GaussianBlur(image, (0, 0), width / 40)
    return np.clip(image.astype(int) + 40 + shade, 0, 255).astype(np.uint8)


def lower_third(scene: Picture, lines: list[str], top: float = 0.76) -> Picture:
    """A caption bar with a name and a role."""
    image = Image.fromarray(scene)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    y = int(height * top)
    draw.rectangle((int(width * 0.05), y, int(width * 0.62), y + int(height * 0.17)), fill=(20, 40, 110))
    for n, line in enumerate(lines):
        font = ImageFont.truetype(FONT, int(height * (0.065 if n == 0 else 0.042)))
        draw.text(
            (int(width * 0.07), y + int(height * (0.015 + 0.09 * n))), line, font=font, fill=(255, 255, 255)
        )
    return np.array(image)


def group() -> Picture:
    scene = room(1500, 1000)
    tones = [(1, 1, 1), (0.85, 0.75, 0.7), (1.1, 1.05, 0.9), (0.6, 0.55, 0.55), (0.95, 1, 1.1)]
    for n, (x, y, size) in enumerate(
        [(0, 330, 520), (250, 260, 420), (560, 300, 560), (930, 280, 440), (1120, 380, 480)]
    ):
        place(scene, x, y, size, mirror=n % 2 == 1, tone=tones[n])
    place(scene, 480, 180, 150, tone=(0.8, 0.8, 0.85))
    return scene


def hard() -> Picture:
    """A face on a laptop screen, one in profile, one behind a hand, one cut by the frame."""
    scene = room(1400, 930, -20)
    screen = room(480, 300, 10)
    place(screen, 110, 20, 300)
    corners = np.array([[560, 420], [980, 450], [960, 720], [575, 720]], np.float32)
    cv2.fillPoly(scene, [np.array([[545, 405], [995, 437], [975, 735], [560, 735]])], (30, 30, 34))
    cv2.fillPoly(scene, [np.array([[560, 735], [975, 735], [1060, 860], [500, 860]])], (70, 70, 76))
    lens = cv2.getPerspectiveTransform(
        np.array([[0, 0], [480, 0], [480, 300], [0, 300]], np.float32), corners
    )
    warped = cv2.warpPerspective(screen, lens, (1400, 930))
    inside = cv2.warpPerspective(np.full((300, 480), 255, np.uint8), lens, (1400, 930)) > 127
    scene[inside] = warped[inside]
    camera = cv2.resize(np.asarray(data.camera(), np.uint8)[0:330, 120:400], (380, 448))
    scene[482:930, 1020:1400] = cv2.cvtColor(camera, cv2.COLOR_GRAY2RGB)
    place(scene, 40, 330, 600, tone=(0.9, 0.85, 0.85), angle=12)
    for n in range(4):  # a hand before the mouth
        cv2.ellipse(scene, (235 + 26 * n, 545 + 6 * n), (15, 62), 12, 0, 360, (196, 150, 128), -1)
        cv2.ellipse(scene, (235 + 26 * n, 545 + 6 * n), (15, 62), 12, 0, 360, (150, 105, 90), 2)
    place(scene, -190, 200, 420, tone=(0.7, 0.65, 0.6), mirror=True)
    return scene


def portrait(width: int = 900, height: int = 600, mirror: bool = False, shade: int = 0) -> Picture:
    scene = room(width, height, shade)
    place(scene, width // 2 - height * 45 // 100, height // 10, height * 9 // 10, mirror=mirror)
    return scene


def save(picture: Picture, name: str, **options: object) -> Path:
    path = MEDIA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)
    return path


def exiftool(path: Path, *arguments: str) -> None:
    subprocess.run(["exiftool", "-q", "-overwrite_original", *arguments, str(path)], check=True)


def photos() -> None:
    save(group(), "group.jpg", quality=88)
    save(hard(), "hard.jpg", quality=88)
    save(lower_third(portrait(1280, 720), [NAME_HY, "Զինվորի մայրը"]), "lower-third-hy.jpg", quality=88)
    save(
        lower_third(portrait(960, 540, mirror=True), [NAME_RU, "сестра пленного"]),
        "lower-third-ru.png",
        optimize=True,
    )
    save(np.asarray(data.rocket(), np.uint8), "no-face.jpg", quality=85)
    save(portrait(700, 525, shade=-30), "Գորիս/Օրինակյան.jpg", quality=85)
    metadata()
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", f"{CANARY}-png-text")
    text.add_itxt("Description", f"{CANARY}-png-itxt {NAME_HY}")
    save(portrait(480, 360), "archive/chunks.png", pnginfo=text, optimize=True)
    exif = Image.Exif()
    exif[0x010E] = f"{CANARY}-heic-description"
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 30.0, 40.0), 3: "E", 4: (46.0, 20.0, 20.0)})
    turned = np.ascontiguousarray(np.rot90(portrait(640, 480)))
    pillow_heif.from_pillow(Image.fromarray(turned)).save(
        MEDIA / "phone.heic", quality=70, exif=exif.tobytes()
    )
    save(portrait(640, 427, mirror=True), "web.webp", quality=80, xmp=f"<x>{CANARY}-webp-xmp</x>".encode())
    save(
        portrait(400, 300),
        "archive/scan.tif",
        compression="tiff_deflate",
        description=f"{CANARY}-tiff {NAME_EN}",
    )
    frames = []
    for n in range(12):
        scene = room(240, 180)
        place(scene, -40 + 16 * n, 30, 150)
        frames.append(Image.fromarray(scene).quantize(64))
    frames[0].save(
        MEDIA / "moving.gif",
        save_all=True,
        append_images=frames[1:],
        duration=[80, 120] * 6,
        loop=0,
        comment=b"x",
    )
    whole = save(portrait(600, 400), "broken/cut-short.jpg", quality=85)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])


def metadata() -> None:
    """Everything a photo can hide, and a thumbnail that shows the bare face."""
    path = save(portrait(1200, 800), "metadata.jpg", quality=88, comment=f"{CANARY}-comment")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "thumb.jpg"
        Image.fromarray(cv2.resize(portrait(1200, 800), (160, 107), interpolation=cv2.INTER_AREA)).save(small)
        exiftool(
            path,
            f"-ThumbnailImage<={small}",
            f"-EXIF:Artist={CANARY}-artist",
            f"-EXIF:ImageDescription={CANARY}-description {NAME_HY}",
            "-EXIF:Make=Example",
            f"-EXIF:SerialNumber={CANARY}-serial",
            f"-EXIF:OwnerName={CANARY}-owner",
            "-GPSLatitude=39.51",
            "-GPSLatitudeRef=N",
            "-GPSLongitude=46.34",
            "-GPSLongitudeRef=E",
            f"-IPTC:Caption-Abstract={CANARY}-caption",
            f"-IPTC:Keywords={CANARY}-keyword",
            "-IPTC:By-line=Example Agency",
            "-IPTC:CopyrightNotice=(c) Example Agency",
            f"-XMP-iptcExt:PersonInImage={CANARY}-person {NAME_AZ}",
            f"-XMP-mwg-rs:RegionInfo={{AppliedToDimensions={{W=1200,H=800,Unit=pixel}},RegionList=[{{Area={{X=0.5,Y=0.4,W=0.2,H=0.3,Unit=normalized}},Name={CANARY}-region,Type=Face}}]}}",
            "-XMP-photoshop:Credit=Example Agency",
        )
    with path.open("ab") as file:
        file.write(f"{CANARY}-trailing".encode() + b"\xff\xd8\xff\xe0")


def encode(
    target: Path,
    frames: list[Picture],
    times: list[int],
    tick: Fraction,
    *,
    crf: str = "24",
) -> None:
    """H.264 MP4 with the given presentation times."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": crf, "preset": "medium"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick
        for picture, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def entering(frames: int = 110, width: int = 640, height: int = 360) -> list[Picture]:
    """A face enters, stays, leaves; a cut; another one with a caption that fades in."""
    base, other = room(width, height), room(width, height, -60)[:, ::-1].copy()
    made = []
    for n in range(frames):
        if n < 70:
            scene = base.copy()
            x = -540 + 22 * n if n < 28 else 76 if n < 42 else 76 + 24 * (n - 42)
            place(scene, x, 70, 560)
        else:
            scene = other.copy()
            place(scene, 170 - (n - 70), 70, 560, mirror=True, tone=(0.9, 0.85, 0.8))
            shown = min(max((n - 80) / 8, 0), 1)
            if shown:
                scene = cv2.addWeighted(
                    scene, 1 - shown, lower_third(scene, [NAME_AZ, "əsirin bacısı"]), shown, 0
                )
        made.append(scene)
    return made


def videos() -> None:
    clip = entering()
    tick = Fraction(1, 12800)
    encode(MEDIA / "entering.mp4", clip, [n * 512 for n in range(len(clip))], tick)
    uneven, now = [], 0
    for n in range(50):
        uneven.append(now)
        now += (400, 700, 512, 1500)[n % 4]
    encode(MEDIA / "vfr.mp4", clip[20:70], uneven, tick)
    with tempfile.TemporaryDirectory() as folder:
        upright = Path(folder) / "upright.mp4"
        sideways = [np.ascontiguousarray(np.rot90(picture)) for picture in clip[28:68]]
        encode(upright, sideways, [n * 512 for n in range(40)], tick)
        with av.open(str(upright)) as source, av.open(str(MEDIA / "rotated.mp4"), "w") as target:
            video = source.streams.video[0]
            stream = target.add_stream_from_template(video)
            stream.set_display_rotation(-90)
            for packet in source.demux(video):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        plain = Path(folder) / "plain.mp4"
        encode(plain, clip[25:65], [n * 512 for n in range(40)], tick)
        words = Path(folder) / "words.srt"
        words.write_text(f"1\n00:00:00,000 --> 00:00:01,500\n{CANARY}-subtitle {NAME_HY}\n", encoding="utf-8")
        notes = Path(folder) / "notes.txt"
        notes.write_text(
            f";FFMETADATA1\ntitle={CANARY}-title\nartist={CANARY}-artist\nlocation=+39.5100+046.3400/\n"
            f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle={CANARY}-chapter\n",
            encoding="utf-8",
        )
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-y",
            "-i",
            plain,
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:duration=1.6",
        ]
        command += [
            "-i",
            words,
            "-i",
            notes,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-map",
            "2:s",
            "-map_metadata",
            "3",
        ]
        command += [
            "-c:v",
            "copy",
            "-c:a",
            "aac",
            "-b:a",
            "64k",
            "-c:s",
            "mov_text",
            "-timecode",
            "01:00:00:00",
        ]
        command += ["-metadata:s:v:0", f"handler_name={CANARY}-handler", MEDIA / "subtitled.mp4"]
        subprocess.run([str(part) for part in command], check=True)
    (MEDIA / "subtitled.srt").write_text(
        f"1\n00:00:00,000 --> 00:00:01,500\n{CANARY}-sidecar {NAME_HY}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    shutil.rmtree(MEDIA, ignore_errors=True)
    MEDIA.mkdir()
    photos()
    videos()
    size = sum(path.stat().st_size for path in MEDIA.rglob("*") if path.is_file())
    print(f"{size / 1e6:.1f} MB")
