#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An image of Debian 12, whose systemd 252 is the oldest one that images are made of here, starts: its boot loader enrols
the keys, firmware accepts boot loader and UKI, and the system comes up without a failed unit."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import tap
from machine import Machine, State, missing_tools
from particleos import EPOCH, environment, package_options, particleos
from scenario import PASSWORD

CONF = f"""[Distribution]
Distribution=debian
Release=bookworm

[Output]
Format=disk

[Content]
Bootable=yes
Bootloader=systemd-boot
Packages=
        dbus
        libtss2-esys-3.0.2-0
        libtss2-mu0
        libtss2-rc0
        libtss2-tcti-device0
        linux-image-cloud-amd64
        login
        systemd-boot
        systemd-sysv
        udev
KernelCommandLine=console=ttyS0 loglevel=4
RootPassword={PASSWORD}
Hostname=particle
Keymap=us
Locale=C.UTF-8
Timezone=UTC

[Validation]
SecureBoot=yes
SecureBootAutoEnroll=yes
SecureBootKey=mkosi.key
SecureBootCertificate=mkosi.crt
"""


class Bookworm(unittest.TestCase):
    def test_boots(self):
        scratch = Path(tempfile.mkdtemp(prefix="particleos-bookworm-", dir=os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")))
        if not os.environ.get("PARTICLEOS_TEST_KEEP"):
            self.addCleanup(shutil.rmtree, scratch)
        state = State.from_image(scratch / "machine", self.build(scratch / "recipe"), 2 << 30)
        with Machine(state, log=scratch / "console") as machine:
            machine.expect("Enrolling")
            self.look_at(machine)
            machine.power_off()
        if bench.LONG:
            with Machine(state, log=scratch / "second.console") as machine:
                self.look_at(machine)
                machine.power_off()

    @staticmethod
    def build(recipe):
        loader = recipe / "mkosi.extra/efi/loader/loader.conf"
        loader.parent.mkdir(parents=True)
        loader.write_text("timeout 0\nsecure-boot-enroll force\n")  # 252 knows no "if-safe", which is what later ones do
        (recipe / "mkosi.conf").write_text(CONF)
        for name in ("mkosi.key", "mkosi.crt"):
            shutil.copy2(bench.keys() / name, recipe)
        particleos("-C", recipe, *package_options(), "build", env=environment(SOURCE_DATE_EPOCH=EPOCH), timeout=1800)
        return recipe / "image.raw"

    def look_at(self, machine):
        machine.login(PASSWORD)
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
        self.assertIn("systemd 252", machine.output("systemctl --version"))
        self.assertIn("VERSION_ID=\"12\"", machine.output("cat /etc/os-release"))
        self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))


if __name__ == "__main__":
    tap.run_cases(missing_tools())
