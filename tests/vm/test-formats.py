#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots trees that are packed as UKI, as ESP and as addon: a program of some lines as init, the kernel of the image that
other tests boot. Merging extensions is a part of test-tamper.py, on a machine that runs anyway."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import disk
import tap
from machine import Machine, State, missing_tools
from particleos import EPOCH, PROGRAM, built_disk, built_image, environment, test_tree
from tap import Skip

VERSION = "1-test"
CONSOLE = "console=ttyS0 loglevel=4"
CONF = """[Distribution]
Distribution=custom
Release=trixie

[Output]
Format={kind}
Output={kind}
OutputDirectory=../out

[Content]
KernelCommandLine={arguments}

[Validation]
SecureBoot=yes
SecureBootKey={key}
SecureBootCertificate={certificate}

[Build]
WorkspaceDirectory=.
"""


def setUpModule():
    global scratch, programs
    scratch = Path(tempfile.mkdtemp(prefix="particleos-vm-", dir=os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")))
    programs = test_tree() / "usr/lib/systemd/boot/efi"


def tearDownModule():
    if not os.environ.get("PARTICLEOS_TEST_KEEP"):
        shutil.rmtree(scratch)


def build(kind, arguments, files, key=None, certificate=None):
    """Output of a recipe whose tree has FILES: path → file, or text; stubs are not left in it."""
    recipe = scratch / f"recipe-{kind}"
    shutil.rmtree(recipe, ignore_errors=True)
    for path, content in files.items():
        target = recipe / "mkosi.extra" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, target)
        else:
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
    shutil.copytree(programs, recipe / "mkosi.extra/usr/lib/systemd/boot/efi")
    if kind != "addon":
        (recipe / "mkosi.skeleton/usr/lib").mkdir(parents=True)
        (recipe / "mkosi.skeleton/usr/lib/os-release").write_text("ID=test\n")
    (recipe / "mkosi.conf").write_text(
        CONF.format(kind=kind, arguments=arguments, key=key or built_image() / "mkosi.key",
                    certificate=certificate or built_image() / "mkosi.crt")
        + "[Content]\nRemoveFiles=/usr/lib/systemd/boot/efi/\nRemoveFiles=/usr/lib/modules/*/vmlinuz\n")
    subprocess.run([PROGRAM, "-C", recipe, "--force", "build"], check=True, env=environment(SOURCE_DATE_EPOCH=EPOCH))
    return scratch / "out" / (kind + (".raw" if kind == "esp" else ".efi"))


def tree_files():
    """The tree to boot: init and the kernel of the shared image."""
    init = scratch / "init"
    if not init.exists():
        subprocess.run(["cc", "-static", "-O1", "-o", init, Path(__file__).parent / "init.c"], check=True)
    esp = disk.Esp(built_disk())
    uki = esp.read(esp.uki_paths()[0])
    name, size, offset = next(x for x in disk.pe_sections(uki) if x[0] == ".linux")
    return {"init": init, f"usr/lib/modules/{VERSION}/vmlinuz": disk.strip_signature(uki[offset:offset + size])}


class Direct(Machine):
    """Nothing but the firmware and its disk: the command line is what the image says."""

    def _command(self, *ends):
        command = super()._command(*ends)
        while "-smbios" in command:
            at = command.index("-smbios")
            del command[at:at + 2]
        return command


def report(machine, timeout=None):
    """What init says, as {name: value}."""
    machine.expect("test init runs", **({"timeout": timeout} if timeout else {}))
    start = machine.seen
    machine.expect("test init ends")
    return dict(re.findall(r"^([a-z0-9 ]+): (.*?)\s*$", machine.text[start:machine.seen], re.M))


def extended(*command_lines):
    """PCR 12 after the stub measured these, as UTF-16 with a NUL (systemd-stub(7))."""
    value = bytes(32)
    for text in command_lines:
        value = hashlib.sha256(value + hashlib.sha256((text + "\0").encode("utf-16-le")).digest()).digest()
    return value.hex().upper()


class Formats(unittest.TestCase):
    def test_1_uki_with_addon(self):
        """The output of Format=uki, started by the firmware itself, with an unsigned addon beside it."""
        uki = build("uki", f"{CONSOLE} from-the-uki", tree_files())
        addon = build("addon", "from-the-addon", {"from-the-addon": "a file of the addon\n"})
        image = scratch / "fat.raw"
        with open(image, "wb") as file:
            file.truncate(256 << 20)
        subprocess.run(["mkfs.vfat", "-F", "32", image], check=True, capture_output=True)
        for directory in ("EFI", "EFI/BOOT", "EFI/BOOT/BOOTX64.EFI.extra.d"):
            subprocess.run(["mmd", "-i", image, f"::{directory}"], check=True)
        subprocess.run(["mcopy", "-i", image, uki, "::EFI/BOOT/BOOTX64.EFI"], check=True)
        subprocess.run(["mcopy", "-i", image, addon, "::EFI/BOOT/BOOTX64.EFI.extra.d/more.addon.efi"], check=True)
        state = State.from_image(scratch / "uki", image, 256 << 20)
        with Direct(state, log=scratch / "uki.console", memory=1024) as machine:
            said = report(machine)
        self.assertEqual(said["command line"], f"{CONSOLE} from-the-uki from-the-addon")
        self.assertEqual(said["file"], "a file of the addon")
        self.assertEqual(said["secure boot"], "disabled")
        self.assertNotEqual(said["pcr 12"], "0" * 64)

    def test_2_esp_under_secure_boot(self):
        """The output of Format=esp enrols its keys; then a signed addon is applied and a stranger's is not."""
        files = tree_files()
        files["efi/loader/loader.conf"] = "secure-boot-enroll force\ntimeout 0\n"
        esp = build("esp", f"{CONSOLE} from-the-esp", files)
        good = build("addon", "good-addon", {})
        good = good.rename(scratch / "good.efi")
        key, certificate = disk.make_key(scratch)
        bad = build("addon", "bad-addon", {}, key, certificate)
        state = State.from_image(scratch / "esp", esp, os.path.getsize(esp))
        target = disk.Esp(state.disk)
        extra = target.uki_paths()[0] + ".extra.d"
        target._mtools("mmd", f"::{extra}")
        target.write(f"{extra}/good.addon.efi", good.read_bytes(), scratch)
        target.write(f"{extra}/bad.addon.efi", bad.read_bytes(), scratch)
        with Direct(state, log=scratch / "esp.console", memory=1024) as machine:
            machine.expect("Enrolling secure boot keys")
            said = report(machine)
        self.assertEqual(said["secure boot"], "enabled")
        self.assertEqual(said["command line"], f"{CONSOLE} from-the-esp good-addon")
        self.assertEqual(said["pcr 12"], extended("good-addon"))


def missing():
    try:
        stub = (test_tree() / "usr/lib/systemd/boot/efi/addonx64.efi.stub").exists()
    except Skip as reason:
        return str(reason)
    return missing_tools() or ("" if shutil.which("cc") else "a C compiler") or (
        "" if stub else "a judges' tree with the addon stub")


if __name__ == "__main__":
    tap.run_cases(missing())
