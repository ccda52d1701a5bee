"""What may be told of a cleaned file: a short list of tags that describe pixels, codec and container alone.

`beyond` names every kind of tag, stream or side data that exiftool or ffprobe tells of a file and that is not
on the list. The list is by name and the same for every tool; where a harmless name could carry a word or a
date, only fixed values pass. exiftool's groups System, ExifTool and Composite are left out: the file system's
facts are the run's own, and composites are worked out from tags that are judged themselves.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TIMEOUT_S = 60
LEFT_OUT = ("System:", "ExifTool:", "Composite:", "SourceFile")
_BY_SUBJECT = {
    "file": "FileType FileTypeExtension MIMEType ExifByteOrder ByteOrder GIFVersion JFIFVersion "
    "BMPVersion VP8Version WebP_Flags MajorBrand MinorVersion CompatibleBrands DocType "
    "DocTypeVersion DocTypeReadVersion PDFVersion Linearized OpusVersion VorbisVersion "
    "EBMLVersion EBMLReadVersion MovieHeaderVersion TrackHeaderVersion MediaHeaderVersion",
    "size": "ImageWidth ImageHeight ImageLength ExifImageWidth ExifImageHeight SourceImageWidth "
    "SourceImageHeight ImageSpatialExtent CleanAperture PixelAspectRatio AspectRatio XResolution "
    "YResolution ResolutionUnit PixelUnits PixelsPerUnitX PixelsPerUnitY PixelsPerMeterX "
    "PixelsPerMeterY DisplayWidth DisplayHeight HorizontalScale VerticalScale Rotation "
    "Orientation MatrixStructure",
    "colour": "BitDepth BitsPerSample BitsPerPixel ImagePixelDepth ColorComponents ColorType ColorSpace "
    "ColorResolutionDepth Palette ColorMap HasColorMap BackgroundColor NumColors "
    "NumImportantColors Planes Components ComponentsConfiguration PhotometricInterpretation "
    "SamplesPerPixel SampleFormat ExtraSamples YCbCrPositioning YCbCrSubSampling "
    "YCbCrCoefficients ReferenceBlackWhite Gamma SRGBRendering Transparency ColorProfiles "
    "ColorPrimaries TransferCharacteristics MatrixCoefficients VideoFullRangeFlag ColorTransform "
    "Monochrome GraphicsMode OpColor AuxiliaryImageType",
    "coding": "Compression Filter Interlace Predictor FillOrder EncodingProcess Progressive "
    "DCTEncodeVersion APP14Flags0 APP14Flags1 AlphaCompression AlphaFiltering AlphaPreprocessing "
    "HEVCConfigurationVersion GeneralProfileSpace GeneralTierFlag GeneralProfileIDC "
    "GeneralLevelIDC GenProfileCompatibilityFlags ConstraintIndicatorFlags "
    "MinSpatialSegmentationIDC ParallelismType ChromaFormat ChromaSamplePosition BitDepthLuma "
    "BitDepthChroma AverageFrameRate ConstantFrameRate NumTemporalLayers TemporalIDNested "
    "AVCConfiguration AV1ConfigurationVersion SeqProfile SeqLevelIdx0 SeqTier0 HighBitDepth "
    "TwelveBit InitialDelaySamples CompressorID VideoCodec AudioCodec CodecID VideoScanType "
    "Encoding OtherFormat InitialObjectDescriptor Unknown_av1C Unknown_hvcC Unknown_esds "
    "Unknown_dac3 Unknown_btrt Unknown_ccst Unknown_colr Unknown_clli Unknown_auxi Unknown_auxl",
    "place of the data": "StripOffsets StripByteCounts RowsPerStrip TileWidth TileLength PlanarConfiguration "
    "PrimaryItemReference MediaData MediaDataSize MediaDataOffset SampleSizes SampleToChunk "
    "ChunkOffset SyncSampleTable SampleGroupDescription SampleToGroup BufferSize Unknown_edts "
    "Unknown_grpl",
    "time": "TimeScale Duration PreferredRate PreviewTime PreviewDuration PosterTime SelectionTime "
    "SelectionDuration CurrentTime TrackDuration MediaTimeScale MediaDuration VideoFrameRate "
    "FrameRate FrameCount VideoFrameCount AverageBitrate MaxBitrate MaxDataRate NominalBitrate "
    "TimeToSample TimeToSampleTable CompositionTimeToSample TimecodeScale DefaultDuration "
    "AnimationFrames AnimationPlays AnimationIterations",
    "tracks and sound": "NextTrackID TrackID TrackLayer TrackVolume TrackNumber TrackType StreamType "
    "StreamCount PreferredVolume Balance AudioFormat AudioChannels AudioBitsPerSample AudioSampleRate "
    "AudioSampleCount NumSampleFrames TotalSamples BlockSizeMin BlockSizeMax FrameSizeMin "
    "FrameSizeMax MD5Signature Channels OutputGain SampleRate SampleCount SampleSize NumChannels "
    "AvgBytesPerSec",
}
TECHNICAL = frozenset(name for names in _BY_SUBJECT.values() for name in names.split())
"""Names of tags that pass whatever their value."""
FIXED = {
    "HandlerType": r"Video Track|Audio Track|Metadata|Picture|Unknown \(auxv\)",
    "HandlerDescription": r"(Video|Sound)Handler|libavif|",  # what FFmpeg and libavif write into every file
    "HandlerVendorID": r"Apple",  # as does FFmpeg
    "Quality": r"Default",
    "MediaLanguageCode": r"und",
    "Free": r"\(Binary data 0 bytes.*",
    **dict.fromkeys(
        (
            "CreateDate",
            "ModifyDate",
            "TrackCreateDate",
            "TrackModifyDate",
            "MediaCreateDate",
            "MediaModifyDate",
        ),
        r"0000:00:00 00:00:00",
    ),
}
"""Names whose value could tell something, and the values that tell nothing."""
STREAM_TAGS = {
    "major_brand": r".*",
    "minor_version": r".*",
    "compatible_brands": r".*",
    "language": r"und",
    "handler_name": FIXED["HandlerDescription"],
    "vendor_id": r"\[0\]\[0\]\[0\]\[0\]",
    "encoder": r"AOM Coding",  # what libavif writes into every file
    "duration": r".*",
}
"""The same for ffprobe, which tells an MP4's brands as tags."""
SIDE_DATA = {"Display Matrix", "CPB properties", "Audio Service Type"}


def _passes(name: str, value: object) -> bool:
    return name in TECHNICAL or (
        name in FIXED and re.fullmatch(FIXED[name], "" if value is None else str(value)) is not None
    )


def told(paths: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """Every tag that exiftool finds, unknown and embedded ones and copies under one name too."""
    if not paths:
        return {}
    command = ["exiftool", "-a", "-G1:4", "-s", "-ee", "-u", "-j", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S * len(paths))
    return {Path(each["SourceFile"]): each for each in json.loads(done.stdout or b"[]")}


def format_of(tags: dict[str, Any]) -> str:
    """A file's format by content; exiftool calls an AVIF image sequence an MP4."""
    if "(avis)" in str(tags.get("QuickTime:MajorBrand")):
        return "AVIF sequence"
    return str(tags.get("File:FileType", "unknown"))


def beyond_exiftool(tags: dict[str, Any]) -> set[str]:
    """The kinds of tag (`Group:Name`) that are not on the list."""
    kinds = set()
    for key, value in tags.items():
        group, _, name = re.sub(r":Copy\d+:", ":", key).rpartition(":")
        if not key.startswith(LEFT_OUT) and not _passes(name, value):
            kinds.add(f"{group}:{name}")
    return kinds


def beyond_ffprobe(path: Path) -> set[str]:
    """Tags, side data, covers, and streams beyond one picture and one sound, as ffprobe tells them."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters"]
    command += ["-show_entries", "stream_side_data", "-of", "json", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return {"ffprobe: no answer in time"}
    return beyond_streams(json.loads(done.stdout or b"{}"))


def beyond_streams(answer: dict[str, Any]) -> set[str]:
    """`beyond_ffprobe` on its answer."""
    kinds = set()
    streams = answer.get("streams", [])
    for part in (answer.get("format", {}), *streams):
        for name, value in part.get("tags", {}).items():
            if not re.fullmatch(STREAM_TAGS.get(name.lower(), "(?!)"), str(value)):
                kinds.add(f"ffprobe:tag {name}")
    for stream in streams:
        side = {each.get("side_data_type", "unnamed") for each in stream.get("side_data_list", [])}
        kinds |= {f"ffprobe:side data {name}" for name in side - SIDE_DATA}
        if stream.get("disposition", {}).get("attached_pic"):
            kinds.add("ffprobe:cover picture")
    alpha = answer.get("format", {}).get("tags", {}).get("major_brand") == "avis"
    types = [stream.get("codec_type", "unknown") for stream in streams]
    kinds |= {f"ffprobe:stream of {kind}" for kind in set(types) - {"video", "audio"}}
    most = {"video": 2 if alpha else 1, "audio": 1}  # an animated AVIF keeps its alpha in a stream
    kinds |= {f"ffprobe:second stream of {kind}" for kind, count in most.items() if types.count(kind) > count}
    if answer.get("chapters"):
        kinds.add("ffprobe:chapters")
    return kinds


def beyond(paths: Sequence[Path]) -> dict[Path, set[str]]:
    """The kinds of tag, stream and side data beyond the list, for every file."""
    tags = told(paths)
    return {path: beyond_exiftool(tags.get(path, {})) | beyond_ffprobe(path) for path in paths}
