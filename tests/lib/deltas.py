# SPDX-License-Identifier: LGPL-2.1-or-later
"""Versions whose differences are small, and deltas: read and written by somebody else than the program."""

import lzma
import random
import struct
import subprocess

import particleos as lib

HEADER = 96


def text(seed, size, changes=0):
    """Lines of words; of every 40 lines one is another when CHANGES is."""
    chosen = random.Random(f"text {seed}")
    words = ["".join(chosen.choices("abcdefghijklmnopqrstuvwxyz", k=chosen.randrange(3, 9))) for _ in range(500)]
    other = random.Random(f"{seed} {changes}")
    lines, length = [], 0
    while length < size:
        line = " ".join(chosen.choices(words, k=8))
        if changes and len(lines) % 40 == 7:
            line = " ".join(other.choices(words, k=8))
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines).encode()[:size]


def file_name(number):
    return f"file-{number:03}.ko.xz" if number % 4 == 1 else f"file-{number:03}"


def file_content(variant, number, last):
    """Text, a quarter of it packed with xz; what changes, changes in some lines."""
    content = text(f"{variant}{number}", 30000 + number * 997, last)
    small = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
    return lzma.compress(content, check=lzma.CHECK_CRC32, filters=small) if number % 4 == 1 else content


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, check=True, stdout=subprocess.PIPE).stdout


def cpio(files):
    out = bytearray()
    for number, (name, content) in enumerate([*files.items(), ("TRAILER!!!", b"")]):
        fields = (number, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + "".join(f"{x:08X}" for x in fields).encode() + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + content
        out += bytes(-len(out) % 4)
    return bytes(out)


def uki_content(version):
    """A PE program of two sections: text, and an initrd as our builds make it."""
    minor = int(version.split(".")[1])
    initrd = zstd(cpio({f"usr/lib/{x}": text(f"initrd {x}", 50000, minor) for x in range(8)}), "-3", "-T2", "-B4MiB", "--check")
    initrd += bytes(-len(initrd) % 512)
    linux = text("linux", 40960, minor)
    header = bytearray(1024)
    header[:2], header[60:64] = b"MZ", struct.pack("<I", 64)
    struct.pack_into("<4sHHIIIHH", header, 64, b"PE\0\0", 0x8664, 2, 0, 0, 0, 240, 0x22)
    struct.pack_into("<HBBIIIII", header, 88, 0x20b, 0, 0, 0, 0, 0, 4096, 4096)
    struct.pack_into("<QIIHHHHHHIIIIHH", header, 112, 0, 4096, 512, 0, 0, 0, 0, 0, 0, 0, 1 << 24, 1024, 0, 10, 0)
    struct.pack_into("<QQQQII", header, 160, 0, 0, 0, 0, 0, 16)
    at, address = 1024, 4096
    for number, (name, data) in enumerate(((b".linux", linux), (b".initrd", initrd))):
        struct.pack_into("<8sIIIIIIHHI", header, 328 + 40 * number, name, len(data), address, len(data), at, 0, 0, 0, 0, 0x40000040)
        at += len(data)
        address += -(-len(data) // 4096) * 4096
    return bytes(header) + linux + initrd


def make(old, new, to, *options, status=0):
    """Deltas from the directory OLD to NEW, in TO, by the program."""
    return lib.particleos("-C", "", *options, "delta", old, new, to, status=status)


# ---- what is in a delta ----

def number(value):
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


class Delta:
    """Header, index and frames: all numbers may be changed, and bytes() puts it together again."""

    def __init__(self, data):
        self.header = bytearray(data[:HEADER])
        packed, _ = struct.unpack_from("<II", data, 88)
        index = subprocess.run(["zstd", "-dqc"], input=data[HEADER:HEADER + packed], check=True, stdout=subprocess.PIPE).stdout
        self.index, self.at = index, 0
        self.pieces = [self.take(6) for _ in range(self.take(1)[0])]
        self.units, frame = [], HEADER + packed
        for _ in range(self.take(1)[0]):
            size = self.take(1)[0]
            references = [self.take(6) for _ in range(self.take(1)[0])]
            members = []
            for _ in range(self.take(1)[0]):
                length, xz = self.take(2)
                parameters = self.take(8) if xz else []
                members.append([length, xz, parameters, [self.take(3) for _ in range(self.take(1)[0])]])
            self.units.append([data[frame:frame + size], references, members])
            frame += size
        assert self.at == len(index) and frame == len(data), "not all of the delta was read"

    def take(self, n):
        out = []
        for _ in range(n):
            value = shift = 0
            while True:
                byte = self.index[self.at]
                self.at += 1
                value |= (byte & 127) << shift
                shift += 7
                if not byte & 128:
                    break
            out.append(value)
        return out

    def bytes(self):
        out = number(len(self.pieces)) + b"".join(number(x) for piece in self.pieces for x in piece) + number(len(self.units))
        for frame, references, members in self.units:
            out += number(len(frame)) + number(len(references)) + b"".join(number(x) for r in references for x in r)
            out += number(len(members))
            for length, xz, parameters, segments in members:
                out += number(length) + number(xz) + b"".join(number(x) for x in parameters) + number(len(segments))
                out += b"".join(number(x) for segment in segments for x in segment)
        packed = zstd(out)
        struct.pack_into("<II", self.header, 88, len(packed), len(out))
        return bytes(self.header) + packed + b"".join(frame for frame, _, _ in self.units)
