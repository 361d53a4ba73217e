# SPDX-License-Identifier: LGPL-2.1-or-later
"""Editing disk images byte by byte, as somebody would who wants readers to see different things: GPT and FAT32 by the
specifications, without our own code."""

import os
import struct
import subprocess
import uuid
import zlib
from pathlib import Path

SECTOR = 512
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
XBOOTLDR = "bc13c2ff-59e6-4262-a352-b275fd6f7172"
USR = "8484680c-9521-48c6-9c11-b0720656f69e"
USR_VERITY = "77ff5f63-e7b6-4633-acf4-1565b864c0e6"
USR_VERITY_SIG = "e7bb33fb-06cf-4e81-8273-e543b413e2e2"
ROOT = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
SWAP = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
SRV = "3b8f8425-20e0-4f3b-907f-1a25a76f98e8"
VAR = "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
TMP = "7ec6f557-3bc5-4aca-b293-16ef5df639d1"
USR_ARM64 = "b0e01050-ee5f-4390-949a-9101b17104e9"
HOME = "933ac7e1-2eb4-4f13-b844-0e14e2aef915"
GENERIC = "0fc63daf-8483-4772-8e79-3d69d8477de4"
BASIC_DATA = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"


def refill(file, source, offset, end):
    """Makes FILE from OFFSET to END the same as SOURCE, holes included."""
    subprocess.run(["fallocate", "--punch-hole", "--offset", str(offset), "--length", str(end - offset), file.name],
                   check=True)
    while offset < end:
        try:
            start = os.lseek(source.fileno(), offset, os.SEEK_DATA)
        except OSError:
            return
        stop = min(os.lseek(source.fileno(), start, os.SEEK_HOLE), end)
        while start < stop:
            start += os.copy_file_range(source.fileno(), file.fileno(), stop - start, start, start)
        offset = stop


class Disk:
    """A disk image that can be made what it was before: what was written by write() is written back, and what other
    programs wrote to the ESP is copied again."""

    def __init__(self, path):
        self.path = Path(path)
        self.original = self.size
        self.journal = []
        self.touched = set()  # (offset, size): file systems that other programs wrote to

    def restore(self, pristine):
        with open(self.path, "r+b") as file, open(pristine, "rb") as source:
            for offset, old in reversed(self.journal):
                file.seek(offset)
                file.write(old)
            file.truncate(self.original)
            for offset, size in self.touched:
                refill(file, source, offset, offset + size)
        self.journal, self.touched = [], set()

    def read(self, offset, size):
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def write(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            old = file.read(len(data))
            self.journal.append((offset, old))
            file.seek(offset)
            file.write(data)

    @property
    def size(self):
        return self.path.stat().st_size


class Gpt:
    """Both copies of the table (UEFI specification, chapter 5). save() writes both, with their checksums."""

    def __init__(self, disk):
        self.disk = disk
        self.header = bytearray(disk.read(SECTOR, 92))
        self.entries = bytearray(disk.read(2 * SECTOR, 128 * 128))

    def entry(self, number):
        return slice((number - 1) * 128, number * 128)

    def find(self, kind):
        for number in range(1, 129):
            if self.entries[self.entry(number)][:16] == uuid.UUID(kind).bytes_le:
                return number
        raise ValueError(kind)

    def extent(self, number):
        """Offset and size in bytes."""
        first, last = struct.unpack_from("<QQ", self.entries, (number - 1) * 128 + 32)
        return first * SECTOR, (last - first + 1) * SECTOR

    def free(self):
        return next(n for n in range(1, 129) if not any(self.entries[self.entry(n)]))

    def end(self):
        return max(sum(self.extent(n)) for n in range(1, 129) if any(self.entries[self.entry(n)]))

    def set(self, number, kind, offset, size, label="", flags=0, identifier=None):
        self.entries[self.entry(number)] = struct.pack(
            "<16s16sQQQ72s", uuid.UUID(kind).bytes_le, (identifier or uuid.uuid4()).bytes_le, offset // SECTOR,
            (offset + size) // SECTOR - 1, flags, label.encode("utf-16-le"))

    def grow(self, size):
        """Makes the disk larger, with all that says how large it is."""
        old = self.disk.size
        self.disk.write(old - 33 * SECTOR, bytes(33 * SECTOR))
        with open(self.disk.path, "r+b") as file:
            file.truncate(old + size)
        last = (old + size) // SECTOR - 1
        struct.pack_into("<Q", self.header, 32, last)
        struct.pack_into("<Q", self.header, 48, last - 33)
        self.disk.write(446 + 12, struct.pack("<I", last))

    def add(self, kind, content, label=""):
        """A partition at the end of a disk that grows for it; returns its offset."""
        size = -(-len(content) // (1 << 20)) << 20
        offset = -(-self.end() // (1 << 20)) << 20
        self.grow(size + (1 << 20))
        self.set(self.free(), kind, offset, size, label)
        self.disk.write(offset, content)
        self.save()
        return offset

    def save(self, first=True, second=True):
        last = struct.unpack_from("<Q", self.header, 32)[0]
        struct.pack_into("<I", self.header, 88, zlib.crc32(self.entries))
        for wanted, here, other, table in ((first, 1, last, 2), (second, last, 1, last - 32)):
            header = bytearray(self.header)
            struct.pack_into("<QQ", header, 24, here, other)
            struct.pack_into("<Q", header, 72, table)
            struct.pack_into("<I", header, 16, 0)
            struct.pack_into("<I", header, 16, zlib.crc32(header))
            if wanted:
                self.disk.write(here * SECTOR, header)
                self.disk.write(table * SECTOR, self.entries)


class Fat32:
    """A FAT32 file system at OFFSET of a disk ("FAT: General Overview of On-Disk Format")."""

    def __init__(self, disk, offset):
        self.disk, self.offset = disk, offset
        boot = disk.read(offset, 512)
        self.sector, self.per_cluster, self.reserved, self.n_tables = struct.unpack_from("<HBHB", boot, 11)
        self.total, self.table_sectors = struct.unpack_from("<II", boot, 32)
        self.root = struct.unpack_from("<I", boot, 44)[0]
        self.cluster_size = self.sector * self.per_cluster
        self.data = (self.reserved + self.n_tables * self.table_sectors) * self.sector
        self.n_clusters = (self.total - self.data // self.sector) // self.per_cluster

    def read(self, at, size):
        return self.disk.read(self.offset + at, size)

    def write(self, at, data):
        self.disk.write(self.offset + at, data)

    def place(self, cluster):
        return self.data + (cluster - 2) * self.cluster_size

    def next(self, cluster):
        return struct.unpack("<I", self.read(self.reserved * self.sector + cluster * 4, 4))[0]

    def link(self, cluster, value, tables=(0, 1)):
        for table in tables:
            self.write((self.reserved + table * self.table_sectors) * self.sector + cluster * 4, struct.pack("<I", value))

    def chain(self, cluster):
        clusters = []
        while 2 <= cluster & 0xFFFFFFF < 0xFFFFFF0 and len(clusters) < 100000:
            clusters.append(cluster & 0xFFFFFFF)
            cluster = self.next(cluster & 0xFFFFFFF)
        return clusters

    def spare(self):
        """A cluster that is free, far behind what is in use."""
        return self.n_clusters - 10

    def directory(self, path):
        cluster = self.root
        for name in [x for x in path.split("/") if x]:
            cluster = self.cluster_of(self.read(self.find(cluster, name), 32))
        return cluster

    @staticmethod
    def cluster_of(entry):
        return struct.unpack_from("<H", entry, 20)[0] << 16 | struct.unpack_from("<H", entry, 26)[0]

    def find(self, cluster, name):
        """Where the 32 bytes of the entry NAME (short name, or start of the long one) are."""
        long_name = ""
        for here in self.chain(cluster):
            for at in range(self.place(here), self.place(here) + self.cluster_size, 32):
                entry = self.read(at, 32)
                if entry[11] == 0x0F:
                    part = entry[1:11] + entry[14:26] + entry[28:32]
                    long_name = part.decode("utf-16-le").split("\0")[0].rstrip("\uffff") + long_name
                    continue
                stem, extension = entry[:8].decode("latin-1").rstrip(), entry[8:11].decode("latin-1").rstrip()
                short = stem + ("." + extension if extension else "")
                if name.lower() in (long_name.lower(), short.lower()):
                    return at
                long_name = ""
        raise ValueError(name)

    def entry(self, path):
        parent, _, name = path.rpartition("/")
        return self.find(self.directory(parent), name)

    def patch(self, path, at, data):
        """Changes bytes of the entry PATH."""
        self.write(self.entry(path) + at, data)

    def end(self, path):
        """Where the end mark of a directory is."""
        for here in self.chain(self.directory(path)):
            for at in range(self.place(here), self.place(here) + self.cluster_size, 32):
                if self.read(at, 1) == b"\0":
                    return at
        raise ValueError(path)

    def append(self, path, *entries):
        at = self.end(path)
        for i, entry in enumerate(entries):
            self.write(at + 32 * i, entry)


def short_entry(name, attributes=0x20, cluster=0, size=0):
    return struct.pack("<11sB8sH4sHI", name, attributes, b"", cluster >> 16, b"", cluster & 0xFFFF, size)


def long_entry(name, short, order=0x41, checksum=None):
    """One entry of a long name of up to 13 characters."""
    if checksum is None:
        checksum = 0
        for byte in short:
            checksum = ((checksum >> 1 | checksum << 7) + byte) & 0xFF
    text = (name + "\0").encode("utf-16-le")[:26].ljust(26, b"\xff")
    return bytes([order]) + text[:10] + bytes([0x0F, 0, checksum]) + text[10:22] + b"\0\0" + text[22:26]


class Esp(Fat32):
    """The ESP of a disk; files through mtools, the rest by hand."""

    def __init__(self, disk):
        gpt = Gpt(disk)
        super().__init__(disk, gpt.extent(gpt.find(ESP))[0])
        self.drive = f"{disk.path}@@{self.offset}"

    def tool(self, *command):
        if command[0] not in ("mtype", "mdir"):
            self.disk.touched.add((self.offset, self.total * self.sector))
        return subprocess.run([command[0], "-i", self.drive, *command[1:]], check=True, capture_output=True).stdout

    def get(self, path):
        return self.tool("mtype", f"::{path}")

    def put(self, path, data):
        source = self.disk.path.with_suffix(".file")
        source.write_bytes(data)
        parts = path.split("/")[1:-1]
        for i in range(len(parts)):
            directory = "::/" + "/".join(parts[:i + 1])
            if subprocess.run(["mdir", "-i", self.drive, directory], capture_output=True).returncode:
                self.tool("mmd", directory)
        self.tool("mcopy", "-D", "o", "-o", str(source), f"::{path}")

    def rename(self, old, new):
        self.tool("mren", f"::{old}", f"::{new}")

    def remove(self, path):
        self.tool("mdel", f"::{path}")


def pe_offsets(data):
    """(optional header, section table, number of sections) of a PE32+ file."""
    header = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
    return header + 24, header + 24 + optional, count


def certificate_table(data):
    return struct.unpack_from("<II", data, pe_offsets(data)[0] + 112 + 4 * 8)
