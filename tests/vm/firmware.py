# SPDX-License-Identifier: LGPL-2.1-or-later
"""The variables that OVMF keeps in its flash file, written from outside: what somebody can do who opens the machine.

The store is the one of the UEFI platform initialization specification (volume 3, firmware volumes) with the
authenticated variables of EDK II in it.
"""

import datetime
import struct
import subprocess
import uuid

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")
OWNER = uuid.UUID("5e7f1a7e-5e7f-4a7e-8e7f-5e7f1a7e5e7f")

START, ADDED, IN_DELETED_TRANSITION = 0x55AA, 0x3F, 0xFE
HEADER = struct.Struct("<HBBIQ16sIII16s")
# Kept, for boot and run time, authenticated by time.
ATTRIBUTES = 0x1 | 0x2 | 0x4 | 0x20
KEY_DATABASES = (("db", IMAGE_SECURITY), ("KEK", GLOBAL), ("PK", GLOBAL))


def signature_list(certificate):
    """An EFI_SIGNATURE_LIST with one X.509 certificate (path of a PEM file)."""
    der = subprocess.run(["openssl", "x509", "-in", str(certificate), "-outform", "der"], check=True,
                         capture_output=True).stdout
    entry = OWNER.bytes_le + der
    return X509.bytes_le + struct.pack("<III", 28 + len(entry), 0, len(entry)) + entry


def certificates(lists):
    """The X.509 certificates (DER) in EFI_SIGNATURE_LISTs."""
    found = []
    while lists:
        size, head, each = struct.unpack_from("<III", lists, 16)
        if lists[:16] == X509.bytes_le:
            found += [lists[at + 16:at + each] for at in range(28 + head, size, each)]
        lists = lists[size:]
    return found


class Variables:
    """The variable store of a flash file."""

    def __init__(self, path):
        self.path = path
        self.flash = bytearray(path.read_bytes())
        if self.flash[40:44] != b"_FVH":
            raise ValueError(f"{path} has no firmware volume")
        self.store = struct.unpack_from("<H", self.flash, 48)[0]
        if self.flash[self.store:self.store + 16] != STORE.bytes_le:
            raise ValueError(f"{path} has no store of authenticated variables")
        self.end = self.store + struct.unpack_from("<I", self.flash, self.store + 16)[0]

    def _walk(self):
        """(offset, name, vendor, data) of the variables that count; at last (offset of free space, None, None, None)."""
        offset = self.store + 28
        while struct.unpack_from("<H", self.flash, offset)[0] == START:
            _, state, _, _, _, _, _, name_size, data_size, vendor = HEADER.unpack_from(self.flash, offset)
            name = offset + HEADER.size
            data = name + name_size
            if state == ADDED or state == ADDED & IN_DELETED_TRANSITION:
                yield (offset, self.flash[name:data].decode("utf-16-le").rstrip("\0"), uuid.UUID(bytes_le=vendor),
                       bytes(self.flash[data:data + data_size]))
            offset = (data + data_size + 3) & ~3
        yield offset, None, None, None

    def get(self, name, vendor):
        return next((data for _, n, v, data in self._walk() if n == name and v == vendor), None)

    def set(self, name, vendor, data):
        """Adds or replaces a variable."""
        for offset, found, its_vendor, _ in self._walk():
            if found == name and its_vendor == vendor:
                self.flash[offset + 2] &= 0xFD  # deleted
        offset = next(offset for offset, found, _, _ in self._walk() if found is None)
        encoded = name.encode("utf-16-le") + b"\0\0"
        now = datetime.datetime(2026, 1, 1)
        time = struct.pack("<HBBBBBBIhBB", now.year, now.month, now.day, 0, 0, 0, 0, 0, 0, 0, 0)
        record = HEADER.pack(START, ADDED, 0, ATTRIBUTES, 0, time, 0, len(encoded), len(data), vendor.bytes_le)
        record += encoded + data
        if offset + len(record) > self.end:
            raise ValueError("the variable store is full")
        self.flash[offset:offset + len(record)] = record

    def write(self):
        self.path.write_bytes(self.flash)


def enrol(path, certificate):
    """Makes CERTIFICATE the only key of a flash file in setup mode, so that it is in user mode."""
    variables = Variables(path)
    for name, vendor in KEY_DATABASES:
        variables.set(name, vendor, signature_list(certificate))
    variables.write()


def add_to_db(path, certificate):
    """Lets the firmware trust one more signer."""
    variables = Variables(path)
    known = variables.get("db", IMAGE_SECURITY)
    if not known:
        raise ValueError(f"{path} has no db")
    variables.set("db", IMAGE_SECURITY, known + signature_list(certificate))
    variables.write()
