#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine with data: the live system leaves its disk as it is, bit for bit, whatever the installer is asked to do to other
disks there; a factory reset takes everything back to the first boot, with new keys.

All is the life of one machine, so a test needs those before it, and the first failure is the last.
"""

import hashlib
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bench
import disk
import scenario
from machine import missing_tools
from scenario import login

SKIPPED = 77
VOLUMES = ("root", "swap", "home")
INSTALL = "/usr/lib/particleos/install"


def digest(path):
    """Over every byte of a sparse file; zeros count the same whether they take space or not."""
    block = 1 << 20
    zeros, sha256 = bytes(block), hashlib.sha256()
    with open(path, "rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA) // block * block
            except OSError:  # nothing but holes follows
                break
            data = os.pread(file.fileno(), block, at)
            if data != zeros:
                sha256.update(at.to_bytes(8, "little") + data)
            at += block
    return size, sha256.hexdigest()


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

    def test_2_factory_reset(self):
        machine = self.boot("reset", None)
        login(machine)
        old = self.identities()
        machine.output("echo mine >/root/data; mkdir -p /home/ann; echo mine >/home/ann/data; sync")
        entry = machine.output("bootctl list --json=short | tr ',' '\\n' | "
                               "sed -n 's/.*\"id\":\"\\(.*@factory-reset\\)\".*/\\1/p'")
        machine.output(f"bootctl set-oneshot '{entry}'")
        machine.reboot()
        login(machine)
        self.assertIn("systemd.factory_reset=yes", machine.output("cat /proc/cmdline"))
        new = self.identities()
        for what in old:
            self.assertTrue(new[what])
            self.assertNotEqual(new[what], old[what], what)
        self.assertEqual(machine.output("ls /root/data /home/ann 2>&1 | grep -c 'No such file'"), "2")
        self.assertIn("first boot", machine.output("journalctl -b -o cat | grep -i -m1 'first boot'").lower())
        self.assertEqual(machine.output("journalctl --list-boots -q | wc -l"), "1")


if __name__ == "__main__":
    missing = missing_tools()
    if missing:
        print(f"SKIP: needs {missing}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2, failfast=True)
