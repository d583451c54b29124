"""Pictures of a few letters, drawn and written as PNG files with nothing but zlib."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each."""

WIDTH, HEIGHT = 5, 7
"""Dots of a letter. Letters stand one dot apart."""
FONT = {
    letter: tuple(int(rows[at : at + 2], 16) for at in range(0, 2 * HEIGHT, 2))
    for letter, rows in {
        "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E",
        "E": "1F10101E10101F", "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111",
        "I": "0E04040404040E", "J": "0702020202120C", "K": "11121418141211", "L": "1010101010101F",
        "M": "111B1515111111", "N": "11111915131111", "O": "0E11111111110E", "P": "1E11111E101010",
        "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E", "T": "1F040404040404",
        "U": "1111111111110E", "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111",
        "Y": "1111110A040404", "Z": "1F01020408101F", "0": "0E11131519110E", "1": "040C040404040E",
        "2": "0E11010204081F", "3": "1F02040201110E", "4": "02060A121F0202", "5": "1F101E0101110E",
        "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E", "9": "0E11110F01020C",
    }.items()
}  # fmt: skip
"""Seven rows of five dots for each letter, the leftmost dot in the highest bit."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A line of letters in the middle of a rectangle. `dot`: edge of one dot of a letter, in pixels."""

    text: str
    width: int = 512
    height: int = 256
    dot: int = 10
    ink: Colour = (0, 0, 0)
    paper: Colour = (255, 255, 255)

    def png(self) -> bytes:
        """The picture as a PNG file. Raises KeyError for a letter the font lacks, ValueError for too long a text."""
        line = [self._dots(row) for row in range(HEIGHT)]
        left = (self.width - len(line[0]) * self.dot) // 2
        top = (self.height - HEIGHT * self.dot) // 2
        if left < 0 or top < 0:
            raise ValueError(f"{self.text!r} does not fit into {self.width} x {self.height} pixels")
        blank = self._row([], 0)
        rows = [blank] * top
        for dots in line:
            rows += [self._row(dots, left)] * self.dot
        rows += [blank] * (self.height - len(rows))
        return _png(self.width, self.height, rows)

    def _dots(self, row: int) -> list[bool]:
        """One row of dots of the whole text."""
        dots: list[bool] = []
        for letter in self.text.upper():
            bits = FONT[letter][row]
            dots += [bool(bits >> place & 1) for place in reversed(range(WIDTH))]
            dots.append(False)
        return dots[:-1]

    def _row(self, dots: list[bool], left: int) -> bytes:
        ink, paper = bytes(self.ink), bytes(self.paper)
        drawn = b"".join((ink if dot else paper) * self.dot for dot in dots)
        right = self.width - left - len(dots) * self.dot
        return paper * left + drawn + paper * right


def _png(width: int, height: int, rows: list[bytes]) -> bytes:
    """Rows of RGB pixels as a PNG file (RFC 2083): eight bits a channel, no filter, one chunk of data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
