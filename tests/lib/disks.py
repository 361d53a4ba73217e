# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading built images without our own code."""

import contextlib
import json
import shutil
import struct
import tempfile
from pathlib import Path

from particleos import call

TYPES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "esp",
    "8484680c-9521-48c6-9c11-b0720656f69e": "usr",
    "77ff5f63-e7b6-4633-acf4-1565b864c0e6": "usr-verity",
    "e7bb33fb-06cf-4e81-8273-e543b413e2e2": "usr-verity-sig",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "root",
    "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5": "root-verity",
    "41092b05-9fc8-4523-994f-2def0408b176": "root-verity-sig",
}


def partition_table(image):
    """Partitions in the order of the table: type (our word), name, uuid, start and size in bytes."""
    table = json.loads(call("sfdisk", "--json", image).stdout)["partitiontable"]
    sector = table.get("sectorsize", 512)
    return [{"type": TYPES.get(p["type"].lower(), p["type"].lower()), "name": p.get("name", ""), "uuid": p["uuid"].lower(),
             "start": p["start"] * sector, "size": p["size"] * sector} for p in table["partitions"]]


def carve(image, partition, target):
    """Copies a partition into the file TARGET, keeping holes."""
    with open(image, "rb") as source, open(target, "wb") as output:
        source.seek(partition["start"])
        left = partition["size"]
        while left > 0:
            block = source.read(min(left, 1 << 20))
            assert block, "the image ends inside the partition"
            if block.count(0) == len(block):
                output.seek(len(block), 1)
            else:
                output.write(block)
            left -= len(block)
        output.truncate(partition["size"])
    return Path(target)


def carve_all(image, directory):
    """{type: file} of all partitions."""
    return {p["type"]: carve(image, p, Path(directory) / f"{p['type']}.raw") for p in partition_table(image)}


def pe_sections(data):
    """[(name, content)] of a PE image, in the order of its section headers."""
    header = struct.unpack_from("<I", data, 0x3C)[0]
    assert data[header:header + 4] == b"PE\0\0"
    count, optional = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
    sections = []
    for i in range(count):
        name, virtual, _, raw, offset = struct.unpack_from("<8sIIII", data, header + 24 + optional + 40 * i)
        sections.append((name.rstrip(b"\0").decode(), data[offset:offset + min(virtual, raw)]))
    return sections


def uki_profiles(data):
    """Per profile the sections that count: {name: content}, the base profile first."""
    base, profiles = {}, []
    current = base
    for name, content in pe_sections(data):
        if name == ".profile":
            current = {}
            profiles.append(current)
        current[name] = content
    return [{**base, **profile} for profile in profiles] or [base]


@contextlib.contextmanager
def mounted(image, kind, options="ro"):
    """Mounts an image file with the kernel's file system for the time of the block (needs root)."""
    where = tempfile.mkdtemp(prefix="particleos-test-")
    try:
        call("mount", "-t", kind, "-o", f"loop,{options}", image, where)
        try:
            yield Path(where)
        finally:
            call("umount", where)
    finally:
        shutil.rmtree(where, ignore_errors=True)
