# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looking into disk images and spoiling them: GPT, files of the ESP, PE binaries."""

import base64
import json
import struct
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
USR = uuid.UUID("8484680c-9521-48c6-9c11-b0720656f69e")
USR_VERITY = uuid.UUID("77ff5f63-e7b6-4633-acf4-1565b864c0e6")
USR_VERITY_SIG = uuid.UUID("e7bb33fb-06cf-4e81-8273-e543b413e2e2")
ROOT = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
HOME = uuid.UUID("933ac7e1-2eb4-4f13-b844-0e14e2aef915")
SWAP = uuid.UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f")


@dataclass
class Partition:
    type: uuid.UUID
    uuid: uuid.UUID
    offset: int
    size: int
    label: str
    flags: int = 0
    number: int = 0


def read_partitions(path):
    """The partitions of the primary GPT (UEFI specification, chapter 5)."""
    with open(path, "rb") as disk:
        disk.seek(SECTOR)
        header = disk.read(SECTOR)
        if header[:8] != b"EFI PART":
            raise ValueError(f"{path} has no GPT")
        lba, count, length = struct.unpack_from("<QII", header, 72)
        disk.seek(lba * SECTOR)
        table = disk.read(count * length)
    partitions = []
    for i in range(count):
        entry = table[i * length:(i + 1) * length]
        kind = uuid.UUID(bytes_le=entry[:16])
        if kind.int == 0:
            continue
        first, last = struct.unpack_from("<QQ", entry, 32)
        label = entry[56:128].decode("utf-16-le").split("\0")[0]
        partitions.append(
            Partition(kind, uuid.UUID(bytes_le=entry[16:32]), first * SECTOR, (last - first + 1) * SECTOR, label,
                      struct.unpack_from("<Q", entry, 48)[0], i + 1))
    return partitions


def find_partition(path, kind):
    """The one of this type that is in use (the slots for updates are called _empty)."""
    found = [p for p in read_partitions(path) if p.type == kind and p.label != "_empty"]
    if len(found) != 1:
        raise ValueError(f"{path} has {len(found)} partitions of type {kind}, not one")
    return found[0]


def fill_slots(path, artifacts, version):
    """Puts a version of ParticleOS into the free slots, as an update does: its volume, hash tree and signature."""
    for kind, infix, suffix in ((USR, ".usr-x86-64.", ""), (USR_VERITY, ".usr-x86-64-verity.", "_verity"),
                                (USR_VERITY_SIG, ".usr-x86-64-verity-sig.", "_verity_sig")):
        source = next(file for file in Path(artifacts).iterdir() if infix in file.name)
        slot = next(p for p in read_partitions(path) if p.type == kind and p.label == "_empty")
        data = source.read_bytes()
        if len(data) > slot.size:
            raise ValueError(f"{source.name} does not fit into partition {slot.number}")
        with open(path, "r+b") as disk:
            disk.seek(slot.offset)
            disk.write(data)
        call = ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel"]
        subprocess.run([*call, "--part-label", str(path), str(slot.number), f"ParticleOS_{version}{suffix}"], check=True)
        subprocess.run([*call, "--part-attrs", str(path), str(slot.number), "GUID:60"], check=True)  # read-only, in use
        identifier = source.name.split(infix)[1].removesuffix(".raw")
        if len(identifier) == 32:  # half of the root hash; the signature has none
            subprocess.run([*call, "--part-uuid", str(path), str(slot.number), str(uuid.UUID(identifier))], check=True)


def flip_byte(path, offset):
    with open(path, "r+b") as disk:
        disk.seek(offset)
        byte = disk.read(1)[0]
        disk.seek(offset)
        disk.write(bytes([byte ^ 0xFF]))


class Esp:
    """The files of the ESP of a disk image, through mtools."""

    def __init__(self, disk):
        self.drive = f"{disk}@@{find_partition(disk, ESP).offset}"

    def _mtools(self, program, *arguments):
        return subprocess.run([program, "-i", self.drive, *arguments], check=True, capture_output=True).stdout

    def list(self, directory):
        """Names in a directory ("/EFI/Linux")."""
        return [Path(line).name for line in self._mtools("mdir", "-b", f"::{directory}").decode().splitlines()]

    def read(self, path):
        return self._mtools("mtype", f"::{path}")

    def write(self, path, data, scratch):
        source = Path(scratch) / "esp-file"
        source.write_bytes(data)
        self._mtools("mcopy", "-D", "o", "-o", str(source), f"::{path}")

    def remove(self, path):
        self._mtools("mdel", f"::{path}")

    def make_directory(self, path):
        self._mtools("mmd", f"::{path}")

    def uki_paths(self):
        return [f"/EFI/Linux/{name}" for name in self.list("/EFI/Linux") if name.lower().endswith(".efi")]

    def choose(self, profile, scratch):
        """Makes a profile of the UKIs what the boot loader starts; None: the normal system again."""
        lines = [line for line in self.read("/loader/loader.conf").decode().splitlines()
                 if not line.startswith("default ")]
        if profile:
            lines.append(f"default particleos_*@{profile}")
        self.write("/loader/loader.conf", ("\n".join(lines) + "\n").encode(), scratch)

    def boot_loader_paths(self):
        paths = [f"/EFI/{directory}/{name}" for directory in ("BOOT", "systemd")
                 for name in self.list(f"/EFI/{directory}") if name.lower().endswith(".efi")]
        if not paths:
            raise ValueError("the ESP has no boot loader")
        return paths


def pe_sections(data):
    """(name, virtual size, raw offset) of every section (PE/COFF specification)."""
    header = struct.unpack_from("<I", data, 0x3C)[0]
    if data[header:header + 4] != b"PE\0\0":
        raise ValueError("not a PE file")
    count, optional = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
    for i in range(count):
        entry = header + 24 + optional + i * 40
        name = data[entry:entry + 8].rstrip(b"\0").decode()
        size, _, _, offset = struct.unpack_from("<IIII", data, entry + 8)
        yield name, size, offset


def edit_command_line(uki):
    """The UKI with one argument of its first .cmdline changed, at the same length and with its old signature."""
    for name, size, offset in pe_sections(uki):
        if name == ".cmdline":
            text = uki[offset:offset + size]
            # The root hash of another /usr: what an attacker would want.
            at = text.index(b"usrhash=") + len(b"usrhash=")
            digit = b"0" if text[at:at + 1] != b"0" else b"1"
            return uki[:offset + at] + digit + uki[offset + at + 1:]
    raise ValueError("the UKI has no .cmdline")


def strip_signature(pe):
    """The PE file without its certificate table."""
    data = bytearray(pe)
    header = struct.unpack_from("<I", data, 0x3C)[0]
    entry = header + 24 + 112 + 4 * 8  # directory 4 of a PE32+ file
    offset, size = struct.unpack_from("<II", data, entry)
    if size == 0:
        raise ValueError("the file is not signed")
    struct.pack_into("<II", data, entry, 0, 0)
    return bytes(data[:offset])


def make_key(directory):
    """A stranger's key and certificate."""
    key, certificate = Path(directory) / "other.key", Path(directory) / "other.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "10", "-subj", "/CN=Somebody else",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return key, certificate


def sign_pe(pe, key, certificate, scratch):
    source, target = Path(scratch) / "unsigned.efi", Path(scratch) / "signed.efi"
    source.write_bytes(pe)
    subprocess.run(["sbsign", "--key", str(key), "--cert", str(certificate), "--output", str(target), str(source)],
                   check=True, capture_output=True)
    return target.read_bytes()


def sign_root_hash(root_hash, key, certificate):
    """A detached PKCS#7 signature of a root hash (as text), as the kernel takes it for dm-verity."""
    return subprocess.run(
        ["openssl", "smime", "-sign", "-nocerts", "-noattr", "-binary", "-inkey", str(key), "-signer",
         str(certificate), "-outform", "der"], input=root_hash.encode(), check=True, capture_output=True).stdout


def read_verity_signature(disk):
    """The JSON object of the verity signature partition."""
    partition = find_partition(disk, USR_VERITY_SIG)
    with open(disk, "rb") as file:
        file.seek(partition.offset)
        return json.loads(file.read(partition.size).rstrip(b"\0"))


def write_verity_signature(disk, root_hash, fingerprint, signature):
    partition = find_partition(disk, USR_VERITY_SIG)
    text = json.dumps({"rootHash": root_hash, "certificateFingerprint": fingerprint,
                       "signature": base64.b64encode(signature).decode()}).encode()
    if len(text) > partition.size:
        raise ValueError("the signature does not fit into its partition")
    with open(disk, "r+b") as file:
        file.seek(partition.offset)
        file.write(text.ljust(partition.size, b"\0"))
