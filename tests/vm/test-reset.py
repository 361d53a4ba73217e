#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine with data: the live system leaves its disk as it is, bit for bit, whatever the installer is asked to do to other
disks there; storage target mode offers it to the network; a factory reset takes everything back to the first boot, with new
keys, and another one asks the firmware to clear the TPM as well.

All is the life of one machine, so a test needs those before it, and the first failure is the last.
"""

import collections
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import scenario
import tap
from machine import missing_tools
from scenario import login

VOLUMES = ("root", "swap", "home")
INSTALL = "/usr/lib/particleos/install"
TPM_KEY = "/run/systemd/tpm2-srk-public-key.pem"  # the storage root key: another one after the TPM was cleared


def digest(path):
    """{partition: digest} over every byte of a sparse file; zeros count the same whether they take space or not."""
    block = 1 << 20
    zeros, digests = bytes(block), collections.defaultdict(hashlib.sha256)
    partitions = disk.read_partitions(path)
    with open(path, "rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA) // block * block
            except OSError:  # nothing but holes follows
                break
            data = os.pread(file.fileno(), block, at)
            if data != zeros:
                place = next((f"{p.number} {p.label}" for p in partitions if p.offset <= at < p.offset + p.size), "table")
                digests[place].update(at.to_bytes(8, "little") + data)
            at += block
    return {"size": size, **{place: found.hexdigest() for place, found in digests.items()}}


def greet_nvme(port, patience=300):
    """What a target answers to the first message of a host (ICReq, NVMe over TCP transport specification, 3.6.2.2)."""
    request = bytes([0, 0, 128, 0]) + (128).to_bytes(4, "little") + bytes(120)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(20)
            connection.sendall(request)
            answer = connection.recv(128)
            if answer:  # the emulated network takes every connection, and ends those that nobody wants
                return answer
        time.sleep(1)
    raise AssertionError("nobody speaks NVMe over TCP there")


class Reset(scenario.Life):
    name = "reset"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.life.state = bench.machine(cls.life.scratch / "machine")
        cls.used = cls.life.scratch / "used.raw"
        cls.used.touch()
        os.truncate(cls.used, 10 << 30)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", str(cls.used)], check=True, capture_output=True)
        cls.small = cls.life.scratch / "small.raw"
        cls.small.touch()
        os.truncate(cls.small, 1 << 30)

    def boot(self, name, profile, **options):
        disk.Esp(self.life.state.disk).choose(profile, self.life.scratch)
        self.before = digest(self.life.state.disk)
        return self.turn_on(name, **options)

    def refused(self, arguments, why):
        status, output = self.machine.run(f"{INSTALL} {arguments} </dev/null")
        self.assertNotEqual(status, 0, output)
        self.assertIn(why, output)

    def test_1_live_leaves_the_disk_alone(self):
        machine = self.boot("live", "live", disks=[self.used, self.small])
        login(machine)
        self.assertEqual(machine.output("findmnt -no FSTYPE /"), "tmpfs")
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed --no-legend"), "running")
        self.assertEqual(scenario.version(machine), bench.FIRST)
        self.assertEqual(machine.output("dmsetup ls --target crypt"), "")
        status, output = machine.run("systemd-cryptsetup attach stolen /dev/disk/by-partlabel/ParticleOS-root - "
                                     "tpm2-device=auto,headless=true")
        self.assertNotEqual(status, 0, output)

        # The installer refuses, in this order: its own medium, too small a disk, one with data, one in use.
        self.refused("--yes --erase /dev/vda", "/dev/vda is what this system runs from")
        self.refused("--yes /dev/vdc", "/dev/vdc has 1024 MiB, and at least 8192 MiB are needed")
        self.refused("--yes /dev/vdb", "/dev/vdb is not empty, and nobody allowed to erase it")
        machine.output("mkdir -p /run/used && mount /dev/vdb /run/used && echo precious >/run/used/data")
        self.refused("--yes --erase /dev/vdb", "/dev/vdb is in use: /dev/vdb on /run/used")
        self.refused("--yes --erase /dev/vdx", "/dev/vdx is not a disk")
        machine.output("umount /run/used")
        status, output = machine.run(f"echo no | {INSTALL} /dev/vdb")
        self.assertNotEqual(status, 0, output)
        self.assertIn("EVERYTHING that is on /dev/vdb now will be lost", output)
        self.assertIn("nothing was written", output)
        self.assertEqual(machine.output("mount /dev/vdb /run/used && cat /run/used/data; umount /run/used"), "precious")

        machine.power_off()
        self.assertEqual(digest(self.life.state.disk), self.before)

    def test_2_storage_target_mode(self):
        """The disk is offered, and nothing of it was opened or changed for that."""
        machine = self.boot("storage-target-mode", "storage-target-mode", network=True)
        port = machine.expect(r"Listening on ipv4 \(port (\d+)\)")[1]
        machine.expect(rf"nvme connect-all -t tcp -a 10\.0\.2\.\d+ -s {port}\n")
        self.assertEqual(greet_nvme(machine.forward(port))[:3], bytes([1, 0, 128]))  # ICResp
        machine.kill()
        self.assertEqual(digest(self.life.state.disk), self.before)

    def identities(self):
        """What a new machine has another one of."""
        found = {"machine-id": self.machine.output("cat /etc/machine-id")}
        for volume in VOLUMES:
            path = f"/dev/disk/by-partlabel/ParticleOS-{volume}"
            found[volume] = self.machine.output(f"blkid -p -s UUID -o value {path}")
            header = json.loads(self.machine.output(f"cryptsetup luksDump --dump-json-metadata {path} | tr -d '\\n'"))
            found[f"{volume} slots"] = sorted(slot["kdf"]["salt"] for slot in header["keyslots"].values())
            found[f"{volume} sealed"] = sorted(str(token.get("tpm2-blob")) for token in header["tokens"].values())
        return found

    def restart_into(self, profile):
        entry = self.machine.output("bootctl list --json=short | tr ',' '\\n' | "
                                    f"sed -n 's/.*\"id\":\"\\(.*@{profile}\\)\".*/\\1/p'")
        self.machine.output(f"bootctl set-oneshot '{entry}'")
        self.machine.reboot()

    def leave_data(self):
        self.machine.output("echo mine >/root/data; mkdir -p /home/ann; echo mine >/home/ann/data; sync")

    def assert_as_new(self, old):
        """The machine is as after its first boot, and another one than that with the identities OLD."""
        machine = self.machine
        new = self.identities()
        for what in old:
            self.assertTrue(new[what])
            self.assertNotEqual(new[what], old[what], what)
        self.assertEqual(machine.output("ls /root/data /home/ann 2>&1 | grep -c 'No such file'"), "2")
        self.assertIn("first boot", machine.output("journalctl -b -o cat | grep -i -m1 'first boot'").lower())
        self.assertEqual(machine.output("journalctl --list-boots -q | wc -l"), "1")

    def test_3_factory_reset(self):
        login(self.boot("reset", None))
        old = self.identities()
        self.leave_data()
        self.machine.output("boot=$(bootctl --print-esp-path) && mkdir -p $boot/loader/credentials $boot/EFI/Linux/evil.efi.extra.d && "
                            "echo x | systemd-creds encrypt --with-key=tpm2 --name=local.old - - | base64 -d "
                            ">$boot/loader/credentials/local.old.cred && echo x >$boot/EFI/Linux/evil.efi.extra.d/x.raw && sync")
        self.restart_into("factory-reset")
        if not bench.TESTING:
            self.machine.expect("Everything is as new. Starting again.")
        login(self.machine)
        self.assert_as_new(old)
        left = self.machine.output("boot=$(bootctl --print-esp-path); ls $boot/loader $boot/EFI/Linux")
        self.assertNotIn("credentials", left)
        self.assertNotIn("extra.d", left)

    def ask_to_clear_the_tpm(self, answer):
        """A factory reset of the machine that runs, where the firmware gets the key ANSWER. The TPM's key before that."""
        machine = self.machine
        old, before = self.identities(), machine.output(f"cat {TPM_KEY}")
        self.leave_data()
        self.restart_into("factory-reset-tpm")
        machine.expect("The firmware asks whether the TPM may be cleared", refuse=r"\w login: ")
        machine.expect("Press F12 to clear the TPM", refuse=r"\w login: ")
        machine.expect("Press ESC to reject this change request and continue\n")
        machine.press(answer)
        login(machine)
        self.assert_as_new(old)
        return before

    def test_4_factory_reset_and_clear_the_tpm(self):
        before = self.ask_to_clear_the_tpm("f12")
        self.assertNotEqual(self.machine.output(f"cat {TPM_KEY}"), before)

    def test_5_the_firmware_may_not_clear_the_tpm(self):
        """Who says no to the firmware has reset the machine nevertheless."""
        before = self.ask_to_clear_the_tpm("esc")
        self.assertEqual(self.machine.output(f"cat {TPM_KEY}"), before)


if __name__ == "__main__":
    tap.run_cases(missing_tools(), failfast=True)
