# SPDX-License-Identifier: LGPL-2.1-or-later
"""What attackers do to a machine that is switched off: each function changes the State that it is given.

They may know everything but the vendor's private key: other versions that the vendor signed, a key pair of their own.
"""

import base64
import contextlib
import socket
import struct
import shutil
import subprocess
import time
import uuid
from pathlib import Path

import disk
from machine import find_firmware

USR_SET = ((disk.USR, ".usr-x86-64."), (disk.USR_VERITY, ".usr-x86-64-verity."),
           (disk.USR_VERITY_SIG, ".usr-x86-64-verity-sig."))
LUKS_HEADER = 32 << 20


def partition_file(artifacts, infix):
    return next(file for file in Path(artifacts).iterdir() if infix in file.name)


def write_partition(path, partition, data):
    if len(data) > partition.size:
        raise ValueError(f"{len(data)} bytes do not fit into {partition.label}")
    with open(path, "r+b") as file:
        file.seek(partition.offset)
        file.write(data)


def replace_usr(state, artifacts, identifiers):
    """Another version in the place of the one that is installed, hash tree included. IDENTIFIERS: artifacts of the version
    whose identifiers the partitions have afterwards."""
    for kind, infix in USR_SET[:2]:
        write_partition(state.disk, disk.find_partition(state.disk, kind), partition_file(artifacts, infix).read_bytes())
    rename_usr(state, identifiers)


def rename_partition(path, partition, identifier):
    subprocess.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--part-uuid", str(path),
                    str(partition.number), str(uuid.UUID(identifier))], check=True)


def rename_usr(state, artifacts):
    """The volume stays, but says that it is another version's."""
    for kind, infix in USR_SET[:2]:
        name = partition_file(artifacts, infix).name
        rename_partition(state.disk, disk.find_partition(state.disk, kind), name.split(infix)[1].removesuffix(".raw"))


def replace_signature(state, artifacts):
    partition = disk.find_partition(state.disk, disk.USR_VERITY_SIG)
    data = partition_file(artifacts, USR_SET[2][1]).read_bytes()
    write_partition(state.disk, partition, data.ljust(partition.size, b"\0"))


def change_ukis(state, change):
    esp = disk.Esp(state.disk)
    for path in esp.uki_paths():
        esp.write(path, change(esp.read(path)), state.directory)


def replace_uki(state, artifacts):
    """The UKI of another version as the only one."""
    esp = disk.Esp(state.disk)
    for path in esp.uki_paths():
        esp.remove(path)
    uki = next(Path(artifacts).glob("*.efi"))
    esp.write(f"/EFI/Linux/{uki.name}", uki.read_bytes(), state.directory)


def change_boot_loader(state, change):
    esp = disk.Esp(state.disk)
    for path in esp.boot_loader_paths():
        esp.write(path, change(esp.read(path)), state.directory)


def sign_anew(pe, key, state):
    """The PE file with the signature of KEY (path of key, path of certificate) instead of the vendor's."""
    return disk.sign_pe(disk.strip_signature(pe), *key, state.directory)


def change_section(pe, name, change):
    """The PE file with other bytes in its first section of this name."""
    for found, size, offset in disk.pe_sections(pe):
        if found == name:
            return pe[:offset] + change(pe[offset:offset + size]).ljust(size, b"\0")[:size] + pe[offset + size:]
    raise ValueError(f"no section {name}")


def section(pe, name):
    return next(pe[offset:offset + size] for found, size, offset in disk.pe_sections(pe) if found == name)


def make_addon(command_line):
    """An unsigned addon: a PE file without a program, with a command line to append (UAPI.5)."""
    sections = [(b".sbat", b"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"),
                (b".cmdline", command_line.encode())]
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    size = 0x1000 * (len(sections) + 1)
    # PE32+ (0x20b) for an EFI application (10), 16 empty data directories.
    optional = struct.pack("<HBBIIIII", 0x20B, 0, 0, 0, 0x200 * len(sections), 0, 0, 0x1000)
    optional += struct.pack("<QIIHHHHHHIIIIHHQQQQII", 0x10000000, 0x1000, 0x200, 0, 0, 0, 0, 0, 0, 0, size, 0x200, 0, 10, 0x100,
                            0, 0, 0, 0, 0, 16) + bytes(16 * 8)
    head = dos + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, len(optional), 0x22E) + optional
    body = b""
    for number, (name, data) in enumerate(sections):
        head += struct.pack("<8sIIIIIIHHI", name, len(data), 0x1000 * (number + 1), 0x200, 0x200 * (number + 1), 0, 0, 0, 0,
                            0x40000040)
        body += data.ljust(0x200, b"\0")
    return head.ljust(0x200, b"\0") + body


def put_beside_uki(state, name, data):
    """A file of the directory that systemd-stub takes along with the UKI."""
    esp = disk.Esp(state.disk)
    for path in esp.uki_paths():
        esp.make_directory(f"{path}.extra.d")
        esp.write(f"{path}.extra.d/{name}", data, state.directory)


def configure_boot_loader(state, text):
    """Another loader.conf."""
    disk.Esp(state.disk).write("/loader/loader.conf", text.encode(), state.directory)


def add_entry(state, text):
    """An entry of type 1 that is started without asking."""
    esp = disk.Esp(state.disk)
    with contextlib.suppress(subprocess.CalledProcessError):
        esp.make_directory("/loader/entries")
    esp.write("/loader/entries/evil.conf", text.encode(), state.directory)
    configure_boot_loader(state, "timeout 1\ndefault evil.conf\n")


def luks_uuid(state, kind):
    """The identifier in the header of an encrypted volume (LUKS2 specification)."""
    with open(state.disk, "rb") as file:
        file.seek(disk.find_partition(state.disk, kind).offset + 168)
        return file.read(40).rstrip(b"\0").decode()


def erase_header(path, partition):
    with open(path, "r+b") as file:
        file.seek(partition.offset)
        file.write(bytes(min(LUKS_HEADER, partition.size)))


def make_plain_file_system(state, kind, files=None):
    """Instead of the encrypted volume one without encryption, full of somebody else's files."""
    partition = disk.find_partition(state.disk, kind)
    erase_header(state.disk, partition)
    top = state.directory / "evil"
    for name, text in (files or {"etc/evil": "from the attacker\n"}).items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(top), "-E",
                    f"offset={partition.offset},lazy_itable_init=1,lazy_journal_init=1", str(state.disk),
                    f"{partition.size >> 10}k"], check=True, capture_output=True)


def make_plain_swap(state):
    partition = disk.find_partition(state.disk, disk.SWAP)
    erase_header(state.disk, partition)
    image = state.directory / "swap.raw"
    with open(image, "wb") as file:
        file.truncate(partition.size)
    subprocess.run(["mkswap", str(image)], check=True, capture_output=True)
    with open(image, "rb") as file:
        write_partition(state.disk, partition, file.read(4096))
    image.unlink()


def make_foreign_luks(state, kind, passphrase):
    """An encrypted volume that opens with a passphrase of the attacker's."""
    partition = disk.find_partition(state.disk, kind)
    erase_header(state.disk, partition)
    image = state.directory / "luks.raw"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "pbkdf2",
                    "--pbkdf-force-iterations", "1000", "--key-file", "-", str(image)],
                   input=passphrase.encode(), check=True, capture_output=True)
    with open(image, "rb") as file:
        write_partition(state.disk, partition, file.read(LUKS_HEADER))
    image.unlink()


def clear_tpm(state):
    """TPM2_Clear by platform authorization, as the firmware's setup does: the same chip with a new storage seed."""
    path = state.directory / "tpm.socket"
    tpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state.tpm}", "--server",
                            f"type=unixio,path={path}", "--flags", "not-need-init,startup-clear"])
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    connection.connect(str(path))
                    break
                time.sleep(0.05)
            session = struct.pack(">IHBH", 0x40000009, 0, 0, 0)  # the empty password
            body = struct.pack(">II", 0x4000000C, len(session)) + session
            connection.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x126) + body)
            answer = connection.recv(4096)
            if struct.unpack_from(">I", answer, 6)[0] != 0:
                raise ValueError(f"TPM2_Clear failed: {answer.hex()}")
            # A machine that is switched off tells its TPM: TPM2_Shutdown(clear).
            connection.sendall(struct.pack(">HIIH", 0x8001, 12, 0x145, 0))
            connection.recv(4096)
    finally:
        tpm.terminate()
        tpm.wait()
        path.unlink(missing_ok=True)


def make_squashfs(tree, image):
    subprocess.run(["mksquashfs", str(tree), str(image), "-quiet", "-noappend", "-all-root"], check=True, capture_output=True)


def make_initrd(tree):
    """The bytes of an archive with the files of TREE."""
    names = "\0".join(sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))) + "\0"
    return subprocess.run(["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=tree, input=names.encode(),
                          stdout=subprocess.PIPE, check=True).stdout


def make_null_credential(name, text):
    """Encrypted with the key of machines that have no TPM, which has no secret; not in base64, because systemd would refuse that
    for its form."""
    return base64.b64decode(subprocess.run(
        ["systemd-creds", "encrypt", "--with-key=tpm2-absent", f"--name={name}", "-", "-"], input=text.encode(), check=True,
        capture_output=True).stdout)


def factory_variables(state):
    """Firmware without any keys, in setup mode."""
    shutil.copyfile(find_firmware()[1], state.variables)


def remove_keys(state):
    """Nothing to enrol on the ESP."""
    esp = disk.Esp(state.disk)
    esp.remove("/loader/keys/auto/*")
