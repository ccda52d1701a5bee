"""Says what a refused file is, so that an editor knows what to do with it.

Takes the first bytes of a file that no reader is for, and gives a fixed sentence. Decides nothing: which
formats are handled is told in `sniff` alone.
"""

from __future__ import annotations

UNKNOWN = "The content is of no photo or video format that is handled."
CAMERA_RAW = "This is a camera raw file. Develop it to TIFF or JPEG first."
OTHER_PHOTO = "Photos of this format are not handled. Export it as JPEG, PNG or TIFF first."
OTHER_VIDEO = "Videos of this format are not handled. Convert it to MP4 or MOV first."
SOUND = "This is a sound file. Only photos and videos are handled."
DOCUMENT = "This is a document or drawing. Export what it shows as JPEG or PNG first."

MARKS = (
    (8, b"CR\x02", CAMERA_RAW),
    (0, b"IIRO", CAMERA_RAW),
    (0, b"IIRS", CAMERA_RAW),
    (0, b"MMOR", CAMERA_RAW),
    (0, b"IIU\x00", CAMERA_RAW),
    (6, b"HEAPCCDR", CAMERA_RAW),
    (0, b"FUJIFILMCCD-RAW", CAMERA_RAW),
    (0, b"\x00MRM", CAMERA_RAW),
    (4, b"ftypcrx ", CAMERA_RAW),
    (0, b"II+\x00", OTHER_PHOTO),  # TIFF with 64-bit offsets
    (0, b"MM\x00+", OTHER_PHOTO),
    (4, b"jP  \r\n\x87\n", OTHER_PHOTO),
    (0, b"\xff\x4f\xff\x51", OTHER_PHOTO),  # a bare JPEG 2000 codestream
    (4, b"ftypjp2 ", OTHER_PHOTO),
    (4, b"JXL \r\n\x87\n", OTHER_PHOTO),
    (0, b"\xff\x0a", OTHER_PHOTO),  # a bare JPEG XL codestream
    (4, b"ftypjxl ", OTHER_PHOTO),
    (0, b"BPG\xfb", OTHER_PHOTO),
    (0, b"8BPS", OTHER_PHOTO),
    (0, b"\x76\x2f\x31\x01", OTHER_PHOTO),  # OpenEXR
    (0, b"#?RADIANCE", OTHER_PHOTO),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", OTHER_VIDEO),  # ASF: WMV, and WMA too
    (0, b"FLV\x01", OTHER_VIDEO),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", OTHER_VIDEO),  # MXF
    (0, b"\x1f\x07\x00", OTHER_VIDEO),  # DV
    (0, b"\x00\x00\x01\xba", OTHER_VIDEO),  # MPEG programme stream
    (0, b"ID3", SOUND),
    (0, b"fLaC", SOUND),
    (0, b"\xff\xf1", SOUND),  # AAC in ADTS
    (0, b"\xff\xf9", SOUND),
    (0, b"\xff\xfb", SOUND),  # MP3 without a tag
    (4, b"ftypM4A ", SOUND),
    (4, b"ftypM4B ", SOUND),
    (4, b"ftypM4P ", SOUND),
    (0, b"%PDF-", DOCUMENT),
    (0, b"%!PS-", DOCUMENT),
)
"""Offset, bytes and sentence: signatures by which these formats name themselves."""
RIFF_SOUND, AIFF = b"WAVE", (b"AIFF", b"AIFC")
OGG_SOUND = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
TRANSPORT_PACKETS = ((0, 188), (4, 192))
"""Offset of the sync byte and length of a packet: MPEG transport streams, bare and as cameras write them."""


def refusal(untrusted_head: bytes) -> str:
    """The sentence for a file that begins like this."""
    head = untrusted_head
    for at, mark, sentence in MARKS:
        if head[at : at + len(mark)] == mark:
            return sentence
    if (head[:4], head[8:12]) == (b"RIFF", RIFF_SOUND) or (head[:4] == b"FORM" and head[8:12] in AIFF):
        return SOUND
    if head[:4] == b"OggS":  # the first page is one packet long; its header is 28 bytes
        return SOUND if head[28:].startswith(OGG_SOUND) else OTHER_VIDEO
    if any(head[at] == head[at + size] == 0x47 for at, size in TRANSPORT_PACKETS if len(head) > at + size):
        return OTHER_VIDEO
    return DOCUMENT if b"<svg" in head[:1024] else UNKNOWN
