#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots an image and attacks it: every link of the chain of trust must hold, and every broken one must be refused.

PARTICLEOS_TEST_IMAGE is a disk image, PARTICLEOS_TEST_KEY and PARTICLEOS_TEST_CERTIFICATE are what signed it. The
first test enrols the keys; the others start from copies of the machine that it leaves.
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import disk
import extensions
from machine import BootError, Machine, State, missing_tools

SKIPPED = 77
DISK_SIZE = 16 << 30
PASSWORD = "only-for-this-test"
CREDENTIALS = {
    "passwd.plaintext-password.root": PASSWORD,
    "passwd.shell.root": "/bin/bash",
    "firstboot.locale": "C.UTF-8",
    "firstboot.keymap": "us",
    "firstboot.timezone": "UTC",
    "firstboot.hostname": "particle",
}

FIRMWARE_REFUSAL = r"(?i)access denied|security violation"
VERITY_REFUSAL = r"device-mapper: verity: \S+: (data|metadata) block \d+ is corrupted"
SIGNATURE_REFUSAL = r"(?i)root hash verification failed|key was rejected|required key not available"
# The kernel has started, or the system has.
KERNEL_RUNS = r"Linux version|EFI stub: |Welcome to|Booting initrd"
SYSTEM_RUNS = r"\w login: |Reached target \S*multi-user.target"


def setUpModule():
    global scratch, enrolled
    scratch = Path(tempfile.mkdtemp(prefix="particleos-vm-", dir=os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")))
    enrolled = None  # False when the first boot failed


def tearDownModule():
    if os.environ.get("PARTICLEOS_TEST_KEEP"):
        print(f"Machines and consoles are in {scratch}", file=sys.stderr)
        return
    import shutil
    shutil.rmtree(scratch)


def boot(state, name, **options):
    return Machine(state, CREDENTIALS, log=scratch / f"{name}.console", **options)


def enrolled_machine():
    """The state of a machine after its first boot, made once."""
    global enrolled
    if enrolled is False:
        raise unittest.SkipTest("keys could not be enrolled")
    if enrolled is None:
        enrolled = False
        state = State.from_image(scratch / "enrolled", os.environ["PARTICLEOS_TEST_IMAGE"], DISK_SIZE)
        with boot(state, "enrol") as machine:
            machine.expect("Enrolling secure boot keys")
            machine.login(PASSWORD)
            check_chain(machine)
            machine.power_off()
        enrolled = state
    return enrolled


def check_chain(machine):
    """What the kernel of a good system says."""
    log = machine.output("dmesg")
    if "Secure boot enabled" not in log:
        machine.fail("Secure Boot is not enabled")
    table = machine.output("dmsetup table --target verity")
    if "root_hash_sig_key_desc" not in table:
        machine.fail(f"/usr has no root hash signature: {table}")
    if machine.output("findmnt -no SOURCE /usr") != "/dev/mapper/usr":
        machine.fail("/usr is not the verity volume")
    expected = disk.read_verity_signature(machine.state.disk)["rootHash"]
    if expected not in table:
        machine.fail(f"the root hash is not {expected}: {table}")
    encrypted = machine.output("blkid -t TYPE=crypto_LUKS -o device").split()
    if not encrypted:
        machine.fail("nothing is encrypted")
    for device in encrypted:
        if "systemd-tpm2" not in machine.output(f"cryptsetup luksDump {device}"):
            machine.fail(f"{device} has no TPM2 token")
    if not machine.output("findmnt -no SOURCE /").startswith("/dev/mapper/root"):
        machine.fail("the root file system is not encrypted")


class Chain(unittest.TestCase):
    def spoil(self, name):
        """A copy of the enrolled machine, removed when the test is over."""
        state = enrolled_machine().copy(scratch / name)
        self.addCleanup(state.remove)
        return state

    def assert_refused(self, state, name, evidence, refuse):
        with boot(state, name) as machine:
            machine.expect(evidence, refuse=refuse)
            return machine.text

    def test_0_enrolment(self):
        enrolled_machine()

    def test_1_second_boot(self):
        drive = extensions.make_disk(scratch / "extensions")
        with boot(self.spoil("second"), "second", drives=[drive]) as machine:
            machine.login(PASSWORD)
            self.assertNotRegex(machine.text, "Enrolling secure boot keys")
            self.assertNotRegex(machine.text, r"(?i)please enter|passphrase for|recovery key")
            check_chain(machine)
            extensions.check(machine)
            machine.power_off()

    def test_2_byte_of_usr(self):
        state = self.spoil("usr")
        # The first block has the superblock of the file system, so that mounting must read it.
        disk.flip_byte(state.disk, disk.find_partition(state.disk, disk.USR).offset + 100)
        self.assert_refused(state, "usr", VERITY_REFUSAL, SYSTEM_RUNS)

    def test_2_byte_of_hash_tree(self):
        state = self.spoil("tree")
        # Block 0 has the verity superblock, block 1 the top of the tree.
        disk.flip_byte(state.disk, disk.find_partition(state.disk, disk.USR_VERITY).offset + 4096 + 7)
        self.assert_refused(state, "tree", VERITY_REFUSAL, SYSTEM_RUNS)

    def test_2_signature_of_another_root_hash(self):
        state = self.spoil("signature")
        signature = disk.read_verity_signature(state.disk)
        # A true signature by the right key, but of another image.
        other = signature["rootHash"][::-1]
        disk.write_verity_signature(
            state.disk, signature["rootHash"], signature["certificateFingerprint"],
            disk.sign_root_hash(other, os.environ["PARTICLEOS_TEST_KEY"], os.environ["PARTICLEOS_TEST_CERTIFICATE"]))
        self.assert_refused(state, "signature", SIGNATURE_REFUSAL, SYSTEM_RUNS)

    def replace_ukis(self, state, change):
        esp = disk.Esp(state.disk)
        for path in esp.uki_paths():
            esp.write(path, change(esp.read(path)), state.directory)

    def test_3_edited_command_line(self):
        state = self.spoil("cmdline")
        self.replace_ukis(state, disk.edit_command_line)
        self.assert_refused(state, "cmdline", FIRMWARE_REFUSAL, KERNEL_RUNS)

    def test_3_unsigned_uki(self):
        state = self.spoil("unsigned")
        self.replace_ukis(state, disk.strip_signature)
        self.assert_refused(state, "unsigned", FIRMWARE_REFUSAL, KERNEL_RUNS)

    def test_3_boot_loader_of_somebody_else(self):
        state = self.spoil("loader")
        key, certificate = disk.make_key(state.directory)
        esp = disk.Esp(state.disk)
        for path in esp.boot_loader_paths():
            signed = disk.sign_pe(disk.strip_signature(esp.read(path)), key, certificate, state.directory)
            esp.write(path, signed, state.directory)
        text = self.assert_refused(state, "loader", r"BdsDxe: failed to load .*Access Denied", KERNEL_RUNS)
        self.assertNotRegex(text, "Boot in [0-9]+ s")


if __name__ == "__main__":
    needed = ("PARTICLEOS_TEST_IMAGE", "PARTICLEOS_TEST_KEY", "PARTICLEOS_TEST_CERTIFICATE")
    unset = [name for name in needed if not os.environ.get(name)]
    if unset or missing_tools():
        print("SKIP: " + (missing_tools() or ", ".join(unset) + " not set; see tests/run"))
        sys.exit(SKIPPED)
    unittest.main(verbosity=2, failfast=bool(os.environ.get("PARTICLEOS_TEST_FAILFAST")))
