"""A film for every place in which a film can hide something: each with a token, or a face, of its own."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from hidden_boxes import box, insert, places
from hidden_photos import HEIGHT, WIDTH, Sample, scene, xmp
from hidden_search import canary, face_image, face_jpeg

Filter = Callable[[int, bytes], bytes]
FRAMES = 6
MILLISECOND = Fraction(1, 1000)
A53_HEAD = b"\xb5\x00\x31GA94\x03"
UUID_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
STAMP = "2019-07-13T09:08:07.000000Z"
QUICK = {
    "libx264": {"preset": "ultrafast", "bf": "0"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:info=0:bframes=0"},
    "mjpeg": {},
}


def film(
    *,
    face: bool = False,
    container: str = "mp4",
    codec: str = "libx264",
    units: Filter | None = None,
    audio: str = "",
    sound: Filter | None = None,
    tags: dict[str, str] | None = None,
    stream_tags: dict[str, str] | None = None,
    second: bool = False,
    telemetry: bytes = b"",
    options: dict[str, str] | None = None,
    first: int = 0,
) -> bytes:
    """A tiny film of the scene, or of the face, or of the face for the `first` frames. `units` and `sound`
    change the coded packets on their way."""
    picture = np.asarray(face_image().resize((WIDTH, HEIGHT))) if face else scene()
    sink = io.BytesIO()
    with av.open(sink, "w", format=container, options=options or {}) as target:
        pictures = [(target.add_stream(codec, rate=25, options=QUICK[codec]), picture)]
        if second:
            other = np.asarray(face_image().resize((WIDTH, HEIGHT)))
            pictures.append((target.add_stream(codec, rate=25, options=QUICK[codec]), other))
        for stream, _ in pictures:
            stream.width, stream.height = WIDTH, HEIGHT
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for key, value in (stream_tags or {}).items():
            pictures[0][0].metadata[key] = value
        heard = target.add_stream(audio, rate=48000, layout="stereo") if audio else None
        told = target.add_data_stream("bin_data") if telemetry else None
        target.metadata.update(tags or {})
        target.start_encoding()
        for stream, shown in pictures:
            count = 0
            bare = np.asarray(face_image().resize((WIDTH, HEIGHT)))
            frames = [
                av.VideoFrame.from_ndarray(bare if number < first else shown, format="rgb24")
                for number in range(FRAMES)
            ]
            for number, frame in enumerate([*frames, None]):
                if frame is not None:
                    frame.pts = number
                for packet in stream.encode(frame):
                    target.mux(_changed(packet, units, count))
                    count += 1
        if heard is not None:
            count = 0
            size = heard.codec_context.frame_size or 1024
            for number in range(8):
                block = av.AudioFrame.from_ndarray(
                    np.zeros((2, size), np.float32), format="fltp", layout="stereo"
                )
                block.sample_rate, block.pts = 48000, number * size
                for packet in heard.encode(block):
                    target.mux(_changed(packet, sound, count))
                    count += 1
            for packet in heard.encode(None):
                target.mux(packet)
        if told is not None:
            packet = av.Packet(telemetry)
            packet.stream, packet.pts, packet.dts, packet.duration = told, 0, 0, 1
            packet.time_base = told.time_base or MILLISECOND
            target.mux(packet)
    return sink.getvalue()


def _changed(packet: av.Packet, change: Filter | None, number: int) -> av.Packet:
    if change is None:
        return packet
    made = av.Packet(change(number, bytes(packet)))
    made.stream, made.pts, made.dts = packet.stream, packet.pts, packet.dts
    made.time_base, made.duration, made.is_keyframe = packet.time_base, packet.duration, packet.is_keyframe
    return made


def sei(kind: int, payload: bytes, head: bytes = b"\x06") -> bytes:
    """One SEI unit with a start code, emulation prevented."""
    body = bytes([kind]) + b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255]) + payload + b"\x80"
    safe, zeros = bytearray(), 0
    for byte in body:
        if zeros >= 2 and byte <= 3:
            safe.append(3)
            zeros = 0
        safe.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + head + bytes(safe)


def _odd(byte: int) -> int:
    return byte if byte.bit_count() % 2 else byte | 0x80


def cea608(text: str) -> bytes:
    """Closed captions of line 21 as triplets: paint on, then the text."""
    pairs = [(0x14, 0x29), (0x14, 0x29), *zip(text[::2].encode(), text[1::2].encode(), strict=True)]
    return b"".join(bytes([0xFC, _odd(a), _odd(b)]) for a, b in pairs)


def cea708(text: str) -> bytes:
    """One packet of digital captions for service 1 as triplets."""
    body = bytes([1 << 5 | len(text)]) + text.encode()
    packet = bytes([(len(body) + 2) // 2]) + body
    packet += bytes(len(packet) % 2)
    pairs = [packet[at : at + 2] for at in range(0, len(packet), 2)]
    return b"".join(bytes([0xFF if n == 0 else 0xFE]) + pair for n, pair in enumerate(pairs))


def captioned(triplets: bytes) -> Filter:
    """Puts closed captions in front of the first picture."""
    payload = A53_HEAD + bytes([0x40 | len(triplets) // 3, 0xFF]) + triplets + b"\xff"
    return lambda number, data: sei(4, payload) + data if number == 0 else data


def unregistered(token: str, head: bytes = b"\x06") -> Filter:
    return lambda number, data: sei(5, bytes(range(16)) + token.encode(), head) + data


def aac_data(token: str) -> Filter:
    """An AAC data stream element in front of each frame (ISO/IEC 14496-3, 4.5.2.1)."""
    return lambda number, data: bytes([0x81, len(token)]) + token.encode() + data


def aac_fill(token: str) -> Filter:
    """A fill element whose payload is the token: 15 escapes to a count of 15 + 16 - 1 bytes; type 0 first."""
    size = len(token) + 1
    bits = f"110{15:04b}{size - 14:08b}" + "".join(f"{byte:08b}" for byte in b"\0" + token.encode())

    def change(number: int, data: bytes) -> bytes:
        whole = bits + "".join(f"{byte:08b}" for byte in data)
        whole += "0" * (-len(whole) % 8)
        return int(whole, 2).to_bytes(len(whole) // 8, "big")

    return change


def ac3_auxiliary(token: str) -> Filter:
    """Auxiliary data at the end of each AC-3 frame (ATSC A/52, 5.4.4), where silence leaves room."""

    def change(number: int, data: bytes) -> bytes:
        text = token.encode()
        tail = (8 * len(text) << 18 | 1 << 17).to_bytes(4, "big")[:2]
        body = data[: -4 - len(text)] + text + tail
        five_eighths = ((len(data) >> 2) + (len(data) >> 4)) << 1
        crc = 0
        for byte in body[five_eighths:]:
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
        return body + crc.to_bytes(2, "big")

    return change


def _text_atom(kind: bytes, token: str) -> bytes:
    return box(kind, struct.pack(">HH", len(token), 0) + token.encode())


def _item_atom(kind: bytes, token: bytes, form: int = 1) -> bytes:
    return box(kind, box(b"data", struct.pack(">II", form, 0) + token))


def _item_list(*atoms: bytes) -> bytes:
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    return box(b"meta", bytes(4) + handler + box(b"ilst", b"".join(atoms)))


def _user_data(data: bytes, token: str) -> bytes:
    atoms = b"".join(_text_atom(kind, token) for kind in (b"\xa9nam", b"\xa9cmt", b"\xa9inf", b"\xa9mak"))
    for kind in (b"titl", b"dscp", b"perf", b"gnre", b"kywd", b"albm"):
        atoms += box(kind, bytes(4) + struct.pack(">H", 0x55C4) + token.encode() + b"\0")
    return insert(data, (b"moov",), box(b"udta", atoms + box(b"name", token.encode())))


def _in_track(data: bytes, token: str) -> bytes:
    data = insert(data, (b"moov", b"trak"), box(b"udta", box(b"name", token.encode())))
    data = insert(data, (b"moov", b"trak"), box(b"meta", bytes(4) + box(b"xml ", bytes(4) + token.encode())))
    data = insert(
        data, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"), box(b"orIn", token.encode())
    )
    return insert(data, (b"moov", b"trak", b"mdia"), box(b"elng", bytes(4) + token.encode() + b"\0"))


def _place(data: bytes, token: str) -> bytes:
    loci = (
        struct.pack(">IH", 0, 0x55C4) + token.encode() + b"\0\0" + struct.pack(">iii", 46 << 16, 39 << 16, 0)
    )
    atoms = _text_atom(b"\xa9xyz", "+39.5111+046.3412/") + box(b"loci", loci + b"earth\0\0")
    return insert(data, (b"moov",), box(b"udta", atoms))


def _compressor(data: bytes, token: str) -> bytes:
    at = places(data, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"))[-1][0]
    name = bytes([len(token)]) + token.encode() + bytes(31 - len(token))
    return data[: at + 50] + name + data[at + 82 :]


def _in_mdat(data: bytes, token: str) -> bytes:
    """Bytes at the end of `mdat` that no sample refers to; `moov` follows it."""
    return insert(data, (b"mdat",), token.encode() + face_jpeg())


def _edited(data: bytes, frames: int) -> bytes:
    """The film with an edit list that starts after so many frames: no player shows them."""
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    at = data.index(b"elst") + 16
    return data[:at] + struct.pack(">I", scale * frames // 25) + data[at + 4 :]


def _riff(data: bytes, token: str) -> bytes:
    """An AVI with an INFO list, a date, padding with content and bytes at its end."""
    info = b"".join(
        kind + struct.pack("<I", len(token)) + token.encode() for kind in (b"INAM", b"ISBJ", b"ICMT")
    )
    extra = b"LIST" + struct.pack("<I", len(info) + 4) + b"INFO" + info
    for kind in (b"JUNK", b"IDIT", b"_PMX"):
        extra += kind + struct.pack("<I", len(token)) + token.encode()
    return (
        data[:4]
        + struct.pack("<I", struct.unpack_from("<I", data, 4)[0] + len(extra))
        + data[8:]
        + extra
        + token.encode()
    )


def _ffmpeg(folder: Path, name: str, data: bytes, *arguments: str) -> bytes:
    """`data` through the system's ffmpeg; `{}` in an argument is the working folder."""
    source, target = folder / "source.bin", folder / name
    source.write_bytes(data)
    words = [argument.replace("{}", str(folder)) for argument in arguments]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), *words, str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target.read_bytes()


def films(folder: Path) -> Iterator[Sample]:
    """Every row of films. `folder` is for working files."""

    def one(
        name: str,
        make: Callable[[str], bytes],
        *,
        face: bool = False,
        captions: bool = False,
        marks: tuple[str, ...] = (),
    ) -> Sample:
        token = canary(name)
        return Sample(name, make(token), (token,), face, captions=captions, marks=marks)

    plain = film()
    token, artist = canary("tags.mp4"), canary("tags.mp4 artist")
    names = ("title", "comment", "description", "genre", "album", "show", "synopsis", "grouping", "lyrics")
    tags = {**dict.fromkeys(names, token), "artist": artist, "copyright": artist}
    yield Sample("tags.mp4", film(tags=tags), (token, artist), rights=(artist,))
    yield one(
        "keys.mov",
        lambda t: film(
            container="mov",
            options={"movflags": "use_metadata_tags"},
            tags={
                "com.apple.quicktime.content.identifier": t,
                "com.apple.quicktime.make": t,
                "com.apple.quicktime.location.ISO6709": "+39.5111+046.3412/",
                "note": t,
            },
        ),
        marks=("39.5111",),
    )
    yield one("user-data.mp4", lambda t: _user_data(plain, t))
    yield one("track.mp4", lambda t: _in_track(plain, t))
    yield one("place.mp4", lambda t: _place(plain, t), marks=("39 deg 30'",))
    yield one(
        "times.mp4",
        lambda t: film(tags={"creation_time": STAMP, "title": t}),
        marks=("2019:07:13", "2019-07-13"),
    )
    yield one(
        "handler.mp4", lambda t: film(stream_tags={"handler_name": t, "language": "hye"}), marks=("hye",)
    )
    yield one("compressor.mp4", lambda t: _compressor(plain, t))
    yield one("uuid.mp4", lambda t: insert(plain, (b"moov",), box(b"uuid", bytes(range(16)) + t.encode()))
              + box(b"uuid", UUID_XMP + xmp(f"<dc:title>{t}</dc:title>")))  # fmt: skip
    yield one(
        "boxes.mp4",
        lambda t: (
            insert(plain, (b"moov",), box(b"free", t.encode()) + box(b"orIn", t.encode()))
            + box(b"free", t.encode())
            + box(b"skip", t.encode())
            + box(b"priv", t.encode() + face_jpeg())
            + box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"null" + bytes(12) + t.encode()))
        ),
        face=True,
    )
    yield one("trailing.mp4", lambda t: plain + box(b"free", t.encode() + film(face=True)), face=True)
    yield one("mdat.mp4", lambda t: _in_mdat(plain, t), face=True)
    yield one("cover.mp4", lambda t: insert(plain, (b"moov",), box(b"udta", _item_list(
        _item_atom(b"\xa9nam", t.encode()), _item_atom(b"covr", face_jpeg(), 13),
        box(b"----", box(b"mean", bytes(4) + b"example") + box(b"name", bytes(4) + t.encode())
            + box(b"data", bytes(8) + t.encode()))))), face=True)  # fmt: skip
    yield Sample("second-track.mp4", film(second=True), face=True)
    yield Sample("edit-list.mp4", _edited(film(first=3), 3), face=True)
    yield one("telemetry.mp4", lambda t: film(telemetry=t.encode() + bytes(18)))
    yield one("captions-608.mp4", lambda t: film(units=captioned(cea608(t))), captions=True)
    yield one("captions-708.mp4", lambda t: film(units=captioned(cea708(t))), captions=True)
    yield one("sei.mp4", lambda t: film(units=unregistered(t)), marks=("x264 - core",))
    yield one("sei-hevc.mp4", lambda t: film(codec="libx265", units=unregistered(t, b"\x4e\x01")))
    yield one("aac-data.mp4", lambda t: film(audio="aac", sound=aac_data(t)))
    yield one("aac-fill.mp4", lambda t: film(audio="aac", sound=aac_fill(t)))
    yield one("ac3-auxiliary.mp4", lambda t: film(audio="ac3", sound=ac3_auxiliary(t)))
    yield one("chunks.avi", lambda t: _riff(film(container="avi", codec="mjpeg"), t))

    words = canary("subtitles.mp4")
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:00,200\n{words}\n")
    (folder / "note.txt").write_text(canary("everything.mkv"))
    (folder / "face.jpg").write_bytes(face_jpeg())
    for name in ("subtitles.mp4", "everything.mkv"):
        (folder / f"{name}.meta").write_text(
            f";FFMETADATA1\ntitle={canary(name)}\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\n"
            f"title={canary(name)}\n"
        )
    yield Sample("subtitles.mp4", _ffmpeg(
        folder, "subtitles.mp4", plain, "-i", "{}/words.srt", "-i", "{}/subtitles.mp4.meta", "-map", "0:v",
        "-map", "1", "-map_metadata", "2", "-c:v", "copy", "-c:s", "mov_text", "-timecode", "21:02:03:04"),
        (words,), marks=("21:02:03:04",))  # fmt: skip
    everything = canary("everything.mkv")
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:00,200\n{everything}\n")
    yield Sample("everything.mkv", _ffmpeg(
        folder, "everything.mkv", plain, "-i", "{}/words.srt", "-i", "{}/everything.mkv.meta", "-i",
        "{}/face.jpg", "-map", "0:v", "-map", "1", "-map", "3", "-map_metadata", "2", "-c", "copy", "-c:s",
        "srt", "-attach", "{}/note.txt", "-metadata:s:t:0", "mimetype=text/plain", "-attach", "{}/face.jpg",
        "-metadata:s:t:1", "mimetype=image/jpeg", "-metadata:s:t:1", "filename=cover.jpg",
        "-metadata:s:v:0", f"title={everything}", "-metadata", f"DIRECTOR={everything}", "-metadata",
        f"creation_time={STAMP}"), (everything,), face=True, marks=("2019-07-13",))  # fmt: skip


def hidden_film(token: str) -> bytes:
    """A film of the face, as a phone hides one behind a photo."""
    return film(face=True, tags={"title": token})
