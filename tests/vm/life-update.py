#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Version 1 of an image is updated to version 2 over HTTP. What is not as the vendor signed it is refused and leaves
version 1 as it is; then the update succeeds, the machine restarts into version 2 without a question, and version 1 stays
in the other slot.

PARTICLEOS_TEST_IMAGE is the disk image of version 1, PARTICLEOS_TEST_UPDATE the output directory of version 2 (split
artifacts and SHA256SUMS), made by the same keys: tests/lib/build-update makes both.
"""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import scenario
from disk import Esp
from machine import missing_tools
from scenario import Scenario, login, slots, update, update_from_url, version

SKIPPED = 77


def sign(directory, home):
    """A new OpenPGP key, and its signature of the manifest; returns the public key."""
    gpg = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    if not home.exists():
        home.mkdir(mode=0o700)
        subprocess.run([*gpg, "--quick-gen-key", "Vendor <vendor@example.com>", "rsa2048", "sign", "never"],
                       check=True, capture_output=True)
    subprocess.run([*gpg, "--yes", "--output", str(directory / "SHA256SUMS.gpg"), "--detach-sign",
                    str(directory / "SHA256SUMS")], check=True, capture_output=True)
    public = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True)
    return public


def artifacts(source, target):
    """What a vendor publishes."""
    target.mkdir()
    for path in Path(source).iterdir():
        if path.name == "SHA256SUMS" or ".usr-" in path.name or path.suffix == ".efi":
            shutil.copyfile(path, target / path.name)
    return target


class Update(unittest.TestCase):
    def setUp(self):
        self.life = Scenario("update", os.environ["PARTICLEOS_TEST_IMAGE"])
        self.addCleanup(self.life.remove)
        scratch = self.life.scratch
        self.good = artifacts(os.environ["PARTICLEOS_TEST_UPDATE"], scratch / "good")
        self.public = sign(self.good, scratch / "gnupg")
        self.spoiled = artifacts(os.environ["PARTICLEOS_TEST_UPDATE"], scratch / "spoiled")
        sign(self.spoiled, scratch / "gnupg")
        with open(next(self.spoiled.glob("*-verity-sig.raw")), "r+b") as file:  # small: it arrives soon
            file.write(b"XX")
        self.stranger = artifacts(os.environ["PARTICLEOS_TEST_UPDATE"], scratch / "stranger")
        sign(self.stranger, scratch / "gnupg-of-a-stranger")

    def assert_refused(self, machine, result, evidence):
        success, journal = result
        self.assertFalse(success, journal)
        self.assertRegex(journal, evidence)
        self.assertEqual(machine.output("ls $(bootctl -x)/EFI/Linux"), self.ukis)

    def trust(self, machine):
        import base64
        text = base64.b64encode(self.public).decode()
        machine.output("mkdir -p /etc/systemd; : >/etc/systemd/import-pubring.gpg")
        for i in range(0, len(text), 512):  # shorter than a line of a terminal
            machine.output(f"echo -n {text[i:i + 512]} >>/run/key")
        machine.output("base64 -d /run/key >/etc/systemd/import-pubring.gpg")

    def test_update(self):
        life = self.life
        with life.boot("update", network=True) as machine:
            machine.expect("Enrolling secure boot keys")
            login(machine)
            first = version(machine)
            self.ukis = machine.output("ls $(bootctl -x)/EFI/Linux")
            machine.output("/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=60 || "
                           "systemctl status systemd-networkd")
            self.trust(machine)

            with life.serve(self.stranger) as url:
                self.assert_refused(machine, update_from_url(machine, url), r"(?i)signature|verif")
            with life.serve(self.spoiled) as url:
                self.assert_refused(machine, update_from_url(machine, url), r"(?i)SHA256|checksum|hash")
            with life.serve(self.good) as url:
                machine.output("fallocate -l $(($(stat -f -c '%a * %S' $(bootctl -x)) - 4096)) $(bootctl -x)/full")
                life.requested.clear()
                self.assert_refused(machine, update_from_url(machine, url), "No update: the boot partition")
                self.assertEqual(life.requested, [])
                machine.output("rm $(bootctl -x)/full")
                success, journal = update_from_url(machine, url)
                self.assertTrue(success, journal)
            # systemd-boot 257 cannot count tries of a UKI with profiles.
            counted = machine.output(". /usr/lib/os-release; echo ${VERSION_ID-}") != "13"
            self.assertEqual(counted, "+3-0.efi" in machine.output("ls $(bootctl -x)/EFI/Linux"))
            machine.reboot()

            mark = machine.seen
            login(machine)
            self.assertNotRegex(machine.text[mark:], scenario.QUESTIONS)
            second = version(machine)
            self.assertNotEqual(first, second)
            self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
            self.assertRegex(machine.output("findmnt -no SOURCE /"), "^/dev/mapper/root")
            if counted:
                machine.output("systemctl is-active boot-complete.target systemd-bless-boot.service")
            machine.power_off()

        names = sorted(Esp(life.state.disk).list("/EFI/Linux"))
        self.assertEqual([name.split("_")[1] for name in names], [first, second])
        self.assertNotIn("+", "".join(names))
        self.assertEqual(slots(life.state), sorted(
            f"ParticleOS_{version}{suffix}" for version in (first, second) for suffix in ("", "_verity", "_verity_sig")))
        print(life.times, file=sys.stderr)


if __name__ == "__main__":
    unset = [name for name in ("PARTICLEOS_TEST_IMAGE", "PARTICLEOS_TEST_UPDATE") if not os.environ.get(name)]
    if unset or missing_tools() or not shutil.which("gpg"):
        print("SKIP: " + (missing_tools() or ", ".join(unset) + " not set" if unset else "gpg is not installed"))
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
