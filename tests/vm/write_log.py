# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every write that a machine makes to its disk, in order, and the disk as it was after any of them.

QEMU's blklogwrites driver records in the format of the kernel's dm-log-writes target: a superblock of one sector, then for
each operation a header of one sector and the data written, all little-endian.

    superblock   magic (8), version (8), number of entries (8), sector size (4)
    header       first sector (8), number of sectors (8), flags (8), length of a mark's text (8)
"""

import os
import struct
from dataclasses import dataclass

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


@dataclass
class Write:
    start: int  # on the disk, in bytes
    size: int
    flags: int
    where: int  # of the data, in the log

    @property
    def is_flush(self):
        return bool(self.flags & FLUSH) and not self.size

    def touches(self, start, end):
        return self.size and self.start < end and self.start + self.size > start


def read(path):
    """All operations of a log whose machine has ended."""
    writes = []
    size = os.path.getsize(path)
    with open(path, "rb") as log:
        magic, version, count, sector = struct.unpack("<QQQI", log.read(28))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{path} is no log of writes")
        where = sector
        for number in range(count):
            log.seek(where)
            header = log.read(32)
            if len(header) < 32:
                raise ValueError(f"{path} ends in operation {number} of {count}")
            first, sectors, flags, length = struct.unpack("<QQQQ", header)
            where += sector
            writes.append(Write(first * sector, sectors * sector, flags, where))
            if flags & MARK:
                where += (length + sector - 1) // sector * sector
            elif not flags & DISCARD:
                where += sectors * sector
            if where > size:
                raise ValueError(f"{path} ends in the data of operation {number} of {count}")
    return writes


def replay(path, writes, disk):
    """Does WRITES of the log at PATH to the image DISK."""
    with open(path, "rb") as log, open(disk, "r+b") as target:
        for write in writes:
            if not write.size or write.flags & MARK:
                continue
            target.seek(write.start)
            left = write.size
            log.seek(write.where)
            while left:
                step = min(left, 1 << 20)
                data = bytes(step) if write.flags & DISCARD else log.read(step)
                if not write.flags & DISCARD or any(_peek(target, step)):
                    target.write(data)
                else:
                    target.seek(step, 1)
                left -= step


def _peek(file, size):
    """What comes next in FILE; a discarded hole stays a hole."""
    here = file.tell()
    data = file.read(size)
    file.seek(here)
    return data


def survivors(writes, cut, random=None):
    """What is on the disk when the plug is pulled after CUT operations: all of them, or, with RANDOM, only a part of those
    after the last flush, because a disk may write what it holds in its cache in any order."""
    if random is None:
        return writes[:cut]
    flush = max((i for i in range(cut) if writes[i].flags & FLUSH), default=0)
    return writes[:flush] + [w for w in writes[flush:cut] if w.flags & FUA or random.random() < 0.5]
