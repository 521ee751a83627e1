"""Real picture files, made by an encoder, with the metadata that cameras and editors add."""

import io
import struct
import zlib

from PIL import Image, ImageDraw, PngImagePlugin

SECRET = b"Jane Roe, 12 Elm Street"


def drawing(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Return a picture with edges and gradients."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(image).ellipse((4, 4, 30, 24), fill=(200, 30, 90), outline=(0, 0, 255))
    return image.convert(mode)


def exif(orientation: int | None = None) -> bytes:
    """Return an Exif block with a place, an owner and perhaps an orientation."""
    block = Image.Exif()
    block[0x013B] = SECRET.decode()  # Artist
    if orientation is not None:
        block[0x0112] = orientation
    block.get_ifd(0x8825)[1] = "N"  # GPS latitude reference
    return block.tobytes()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def frames() -> list[Image.Image]:
    """Return three pictures that differ."""
    return [drawing().rotate(angle) for angle in (0, 90, 180)]


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    """Return one marker segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def dirty_jpeg(mode: str = "RGB", *, orientation: int | None = None, **options: object) -> bytes:
    """Return a JPEG with Exif, XMP, IPTC, a comment, a vendor segment, a JFXX thumbnail and a tail."""
    clean = encoded(drawing(mode), "JPEG", exif=exif(orientation), comment=SECRET, **options)
    extra = [
        jpeg_segment(0xE0, b"JFXX\0\x10" + SECRET),
        jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET),
        jpeg_segment(0xE2, b"MPF\0" + SECRET),
        jpeg_segment(0xED, b"Photoshop 3.0\x008BIM" + SECRET),
        jpeg_segment(0xE5, SECRET),
    ]
    return clean[:-2] + b"".join(extra) + b"\xff\xd9" + SECRET


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return one chunk with its checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def dirty_png(mode: str = "RGB", **options: object) -> bytes:
    """Return a PNG with texts, Exif, a time, a private chunk and a tail."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET.decode())
    texts.add_text("Long", SECRET.decode() * 50, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    image = drawing(mode)
    clean = encoded(image, "PNG", pnginfo=texts, exif=exif(), **options)
    extra = png_chunk(b"tIME", bytes(7)) + png_chunk(b"prVt", SECRET)
    return clean[:-12] + extra + clean[-12:] + SECRET


def bomb_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """Return a small PNG whose header asks for gigabytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(100_000))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def dirty_webp(**options: object) -> bytes:
    """Return a WebP with Exif, XMP, an unknown chunk and a tail."""
    orientation = options.pop("orientation", None)
    clean = encoded(drawing(), "WEBP", exif=exif(orientation), xmp=b"<x>" + SECRET, **options)  # type: ignore[arg-type]
    extra = b"SECR" + struct.pack("<I", len(SECRET)) + SECRET + b"\0" * (len(SECRET) % 2)
    return b"RIFF" + struct.pack("<I", len(clean) - 8 + len(extra)) + clean[8:] + extra + SECRET


def dirty_gif(**options: object) -> bytes:
    """Return a GIF with comments, an XMP extension, a plain text extension and a tail."""
    clean = encoded(drawing("P"), "GIF", comment=SECRET, **options)
    block = bytes((len(SECRET),)) + SECRET + b"\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + block
    plain = b"\x21\x01\x0c" + bytes(12) + block
    return clean[:-1] + xmp + plain + b"\x21\xfe" + block + b"\x3b" + SECRET
