#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine is updated, over HTTP and from a directory, and goes back by itself.

Version 0.1 refuses what is not as the vendor signed it, and what does not fit. It is updated to 0.2, which gets three tries
and needs one. Then come 0.3, whose /usr is spoiled, 0.4, whose health check fails, and 0.5, which hangs in its initrd: the
machine returns to 0.2 each time, and the journal there says what was given up, and why. (0.5 only with PARTICLEOS_TEST_LONG.)

All is the life of one machine, so a test needs those before it, and the first failure is the last.

Another machine, with Debian 13, gets what the next release is going to be. (Only with PARTICLEOS_TEST_LONG.)
"""

import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import scenario
import tap
from machine import missing_tools
from scenario import login, slots, update, update_from_url, version


SICK = bench.Variant("sick", tree={
    "usr/lib/particleos/boot-check.d/50-sick": (0o755, "#!/bin/sh\necho 'The patient has a fever.' >&2\nexit 1\n")})
HANG = bench.Variant("hang", initrd={
    "usr/lib/systemd/system/never.service": (
        0o644, "[Unit]\nDescription=What never ends\nDefaultDependencies=no\nBefore=sysinit.target\n"
               "[Service]\nType=oneshot\nExecStart=sleep infinity\n"),
    "usr/lib/systemd/system/sysinit.target.wants/never.service": "../never.service",
    "usr/lib/systemd/system/particleos-boot-timeout.timer.d/short.conf": (0o644, "[Timer]\nOnBootSec=\nOnBootSec=20s\n")})

GIVEN_UP = r"This version did not come up \(ParticleOS_{}_x86-64\+{}\.efi\): [^\n]*"
INVALID_CHECKSUM = (r"DOWNLOAD INVALID: Checksum of \S+-verity-sig\.raw file did not check out|"
                    "Checksum of downloaded resource does not match expected checksum")
KINDS = (disk.USR, disk.USR_VERITY, disk.USR_VERITY_SIG)
READ_ONLY = 1 << 60
UPDATES = "/var/lib/particleos/updates"


def sign(directory, home):
    """A new OpenPGP key, or the one that HOME has, and its signature of the manifest; returns the public key."""
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


class Update(scenario.Life):
    name = "update"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scratch = cls.life.scratch

        cls.good = bench.artifacts(bench.version("0.2"), scratch / "good")
        cls.public = sign(cls.good, scratch / "gnupg")
        cls.stranger = bench.artifacts(bench.version("0.2"), scratch / "stranger")
        sign(cls.stranger, scratch / "gnupg-of-a-stranger")
        cls.unsigned = bench.artifacts(bench.version("0.2"), scratch / "unsigned")
        cls.changed = bench.artifacts(cls.good, scratch / "changed")
        disk.flip_byte(next(cls.changed.glob("*-verity-sig.raw")), 100)
        cls.short = bench.artifacts(cls.good, scratch / "short")
        os.truncate(next(cls.short.glob("*-verity-sig.raw")), 8192)

        # A medium with the directories that updates come from, and the vendor's public key.
        medium = scratch / "medium"
        bench.artifacts(bench.version("0.2"), medium / "0.2")
        bench.artifacts(bench.version("0.3"), medium / "0.3")
        spoiled = next(path for path in (medium / "0.3").glob("*.usr-*.raw") if "verity" not in path.name)
        disk.flip_byte(spoiled, 100)  # in the first block, which is read when it is mounted
        bench.artifacts(bench.version("0.4", SICK), medium / "0.4")
        if bench.LONG:
            bench.artifacts(bench.version("0.5", HANG), medium / "0.5")
        (medium / "vendor.gpg").write_bytes(cls.public)
        shutil.copytree(bench.particleos.RECIPE / "mkosi.sysupdate", medium / "mkosi.sysupdate")
        cls.medium = scratch / "medium.ext4"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "medium", "-d", str(medium), str(cls.medium), "4G"],
                       check=True, capture_output=True)
        shutil.rmtree(medium)

        cls.life.state = bench.machine(scratch / "machine")
        cls.first = cls.slot_on_disk("ParticleOS_0.1")

    def boot(self, name):
        self.turn_on(name, network=True, drives=[self.medium])
        login(self.machine)
        self.prepare()
        return self.machine

    def prepare(self):
        self.machine.output("mkdir -p /run/medium /etc/systemd; mountpoint -q /run/medium || mount -o ro -L medium /run/medium; "
                            "cp /run/medium/vendor.gpg /etc/systemd/import-pubring.gpg")
        self.machine.output("/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=60 || "
                            "networkctl status --no-pager; true")

    def ukis(self):
        return self.machine.output("ls $(bootctl -x)/EFI/Linux").split()

    def slot_of(self, label):
        """(offset, flags) of the partition with that label, and its companions, by the table on the disk. (While it writes,
        systemd 262 gives a slot another type.)"""
        self.machine.output("sync")
        return self.slot_on_disk(label)

    @classmethod
    def slot_on_disk(cls, label):
        return {p.type: (p.offset, p.flags) for p in disk.read_partitions(cls.life.state.disk)
                if p.type in KINDS and p.label in (label, label + "_verity", label + "_verity_sig")}

    def update_from_directory(self, number, tries=None):
        """The update that an administrator asks for; TRIES: (left, done) that the UKI starts with."""
        self.machine.output(f"rm -rf /run/sysupdate.d; umount -q {UPDATES}; mount --bind /run/medium/{number} {UPDATES}")
        if tries:
            self.machine.output(
                "cp -r /usr/lib/sysupdate.d /run/sysupdate.d && "
                f"sed -i -e 's/^TriesLeft=.*/TriesLeft={tries[0]}/' -e 's/^TriesDone=.*/TriesDone={tries[1]}/' "
                "/run/sysupdate.d/20-uki.transfer")
        success, journal = update(self.machine)
        self.assertTrue(success, journal)
        return journal

    def assert_refused(self, result, evidence):
        success, journal = result
        self.assertFalse(success, journal)
        self.assertRegex(journal, evidence)
        self.assertEqual(self.ukis(), ["ParticleOS_0.1_x86-64.efi"])
        self.assertEqual(self.slot_of("ParticleOS_0.2"), {})
        self.assertEqual(self.slot_of("ParticleOS_0.1"), self.first)

    def assert_returned(self, number, why):
        """The machine runs 0.2 again, NUMBER is marked as bad, and the journal says so, and why."""
        self.assertEqual(version(self.machine), "0.2")
        self.assertEqual(self.ukis(), ["ParticleOS_0.2_x86-64.efi", f"ParticleOS_{number}_x86-64+0-3.efi"])
        self.machine.output("systemctl start particleos-boot-report.service")
        journal = self.machine.output("journalctl -b -o cat --no-pager -u particleos-boot-report.service")
        self.assertIn(f"ParticleOS_{number}_x86-64 did not come up in 3 tries. It is marked as bad", journal)
        self.assertRegex(journal, why)
        self.assertEqual(self.machine.output("ls /sys/firmware/efi/efivars | grep -c ParticleOSFailure || :"), "0")
        self.prepare()

    def test_1_refused(self):
        """What is not what the vendor signed, and what does not fit, changes nothing."""
        machine = self.boot("refused")
        self.assertEqual(version(machine), "0.1")
        self.assertEqual(len(self.first), 3)

        with self.subTest("signature of somebody else"), self.life.serve(self.stranger) as url:
            self.assert_refused(update_from_url(machine, url), "DOWNLOAD INVALID: Signature verification failed")
        with self.subTest("no signature"), self.life.serve(self.unsigned) as url:
            self.assert_refused(update_from_url(machine, url), "Failed to retrieve signature file, cannot verify")
        with self.subTest("checksum"), self.life.serve(self.changed) as url:
            self.assert_refused(update_from_url(machine, url), INVALID_CHECKSUM)
        with self.subTest("short file"), self.life.serve(self.short) as url:
            self.assert_refused(update_from_url(machine, url), INVALID_CHECKSUM)
        with self.subTest("the server hangs up"), self.life.serve(self.good, cut=".usr-x86-64-verity.") as url:
            self.assert_refused(update_from_url(machine, url), "Transferred a partial file")
        with self.subTest("no room on the ESP"), self.life.serve(self.good) as url:
            machine.output("fallocate -l $(($(stat -f -c '%a * %S' $(bootctl -x)) - 4096)) $(bootctl -x)/full")
            self.life.requested.clear()
            self.assert_refused(update_from_url(machine, url), "No update: the boot partition at .* needs [0-9]+ MiB")
            self.assertEqual(self.life.requested, [])
            machine.output("rm $(bootctl -x)/full; sync")

    def test_2_update(self):
        """The version that refused them still starts, and is updated: as "particleos sysupdate" does it from a directory,
        and by its own service from a signed source."""
        machine = self.boot("update")
        self.assertEqual(version(machine), "0.1")

        if bench.TESTING:  # of those that were refused something may be left, which systemd 262 does not replace
            machine.output("/usr/lib/systemd/systemd-sysupdate vacuum")
        machine.output("/usr/lib/systemd/systemd-sysupdate --definitions=/run/medium/mkosi.sysupdate "
                       "--transfer-source=/run/medium/0.2 update")
        self.assertEqual(self.ukis(), ["ParticleOS_0.1_x86-64.efi", "ParticleOS_0.2_x86-64+3-0.efi"])
        second = self.slot_of("ParticleOS_0.2")
        self.assertEqual({kind: flags for kind, (_, flags) in second.items()},
                         {kind: READ_ONLY for kind in KINDS})

        machine.output("/usr/lib/systemd/systemd-sysupdate vacuum --instances-max=1")
        self.assertEqual(self.ukis(), ["ParticleOS_0.1_x86-64.efi"])
        with self.life.serve(self.good) as url:
            success, journal = update_from_url(machine, url)
        self.assertTrue(success, journal)
        self.assertEqual(self.ukis(), ["ParticleOS_0.1_x86-64.efi", "ParticleOS_0.2_x86-64+3-0.efi"])
        self.assertEqual(self.slot_of("ParticleOS_0.2"), second)
        self.assertEqual(self.slot_of("ParticleOS_0.1"), self.first)
        machine.reboot()

        mark = machine.seen
        login(machine)
        self.assertNotRegex(machine.text[mark:], scenario.QUESTIONS)
        self.assertEqual(version(machine), "0.2")
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
        self.assertRegex(machine.output("findmnt -no SOURCE /"), "^/dev/mapper/root")
        self.assertRegex(machine.output("cat /proc/cmdline"), r"root=(gpt-auto|dissect) ")
        machine.output("systemctl is-active boot-complete.target systemd-bless-boot.service")
        self.assertEqual(self.ukis(), ["ParticleOS_0.1_x86-64.efi", "ParticleOS_0.2_x86-64.efi"])

    def test_3_good_once(self):
        """A version that was good is not on trial any more: when a check fails later, the machine goes on."""
        machine = self.machine
        machine.output("mkdir -p /etc/particleos/boot-check.d; "
                       "ln -s /usr/bin/false /etc/particleos/boot-check.d/50-later")
        status, _ = machine.run("systemctl restart particleos-boot-check.service")
        self.assertNotEqual(status, 0)
        status, _ = machine.run("systemctl start boot-complete.target")
        self.assertNotEqual(status, 0)
        self.assertEqual(machine.output("systemctl show -P ConditionResult particleos-boot-failed.service"), "no")
        self.assertIn("50-later: failed", machine.output("journalctl -b -o cat -u particleos-boot-check.service"))
        machine.output("rm /etc/particleos/boot-check.d/50-later")

        # Without the mark that its checks made, it is: then an update would replace the way back.
        machine.output("rmdir /run/particleos/good")
        success, journal = update(machine)
        machine.output("mkdir /run/particleos/good")
        self.assertFalse(success, journal)
        self.assertIn("No update: the version that runs is on trial", journal)

    def test_4_spoiled(self):
        """Version 0.3 replaces the oldest one. Its /usr is not what its root hash says, three times; then 0.2 runs."""
        machine = self.machine
        self.prepare()
        self.update_from_directory("0.3")
        self.assertEqual(self.ukis(), ["ParticleOS_0.2_x86-64.efi", "ParticleOS_0.3_x86-64+3-0.efi"])
        self.assertEqual(self.slot_of("ParticleOS_0.1"), {})
        self.assertEqual(self.slot_of("ParticleOS_0.3"), self.first)
        machine.reboot()
        for tries in ("2-1", "1-2", "0-3"):
            machine.expect(GIVEN_UP.format("0.3", re.escape(tries)), refuse=r"\w login: ")
        login(machine)
        self.assert_returned("0.3", r"ParticleOS_0.3_x86-64, try 3: emergency mode in the initrd, "
                                    r"failed units: .*systemd-veritysetup@usr\.service")

        journal = self.update_from_directory("0.3")  # offered again
        self.assertIn("No update needed", journal)
        machine.output("systemctl start systemd-sysupdate-reboot.service")
        self.assertIn("No restart: the newest version did not come up",
                      machine.output("journalctl -b -o cat --no-pager -u systemd-sysupdate-reboot.service"))

    def test_5_sick(self):
        """The next version takes the place of the bad one. A health check of its own fails."""
        machine = self.machine
        self.prepare()
        self.update_from_directory("0.4", (1, 2))
        self.assertEqual(self.ukis(), ["ParticleOS_0.2_x86-64.efi", "ParticleOS_0.4_x86-64+1-2.efi"])
        self.assertEqual(self.slot_of("ParticleOS_0.4"), self.first)
        machine.reboot()
        machine.expect(GIVEN_UP.format("0.4", "0-3"))
        machine.expect("reboot: Restarting system")
        login(machine)
        self.assert_returned("0.4", r"ParticleOS_0.4_x86-64, try 3: health checks failed in the system, "
                                    r"failed checks: 50-sick, failed units: particleos-boot-check.service")
        # What the check said is in the journal of that boot.
        self.assertIn("The patient has a fever.",
                      machine.output("journalctl -b -1 -o cat --no-pager -u particleos-boot-check.service"))

    @bench.long
    def test_6_hang(self):
        """A version that hangs early is given up after the time that it had."""
        machine = self.machine
        self.prepare()
        self.update_from_directory("0.5", (1, 2))
        self.assertEqual(self.ukis(), ["ParticleOS_0.2_x86-64.efi", "ParticleOS_0.5_x86-64+1-2.efi"])
        machine.reboot()
        machine.expect(GIVEN_UP.format("0.5", "0-3"), refuse=r"\w login: ")
        login(machine)
        self.assert_returned("0.5", r"ParticleOS_0.5_x86-64, try 3: took too long in the initrd, unfinished: "
                                    r".*never\.service")

    def test_7_stays(self):
        """The bad version is not tried again."""
        machine = self.machine
        bad = self.ukis()[1]
        self.assertIn("+0-3.efi", bad)
        machine.reboot()
        login(machine)
        self.assertEqual(version(machine), "0.2")
        self.assertEqual(self.ukis(), ["ParticleOS_0.2_x86-64.efi", bad])
        machine.kill()
        self.assertEqual(slots(self.life.state), sorted(
            f"ParticleOS_{number}{suffix}" for number in ("0.2", bad.split("_")[1]) for suffix in ("", "_verity", "_verity_sig")))
        print(self.life.times, file=sys.stderr)


class NextRelease(unittest.TestCase):
    """The disks open for the first version of the next release, and nobody is asked."""

    def test_update(self):
        life = scenario.Scenario("next-release", None)
        self.addCleanup(life.remove)
        files = bench.artifacts(bench.version("0.2", bench.Variant("testing", options=["--release", "testing"])), life.scratch / "new")
        medium = life.scratch / "medium.ext4"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "medium", "-d", str(files), str(medium), "1G"],
                       check=True, capture_output=True)
        life.state = bench.machine(life.scratch / "machine")
        with life.boot("next release", drives=[medium]) as machine:
            login(machine)
            old = self.systemd(machine)
            machine.output(f"mkdir -p {UPDATES}; mount -o ro -L medium {UPDATES}")
            success, journal = update(machine)
            self.assertTrue(success, journal)
            machine.reboot()
            login(machine)
            self.assertNotRegex(machine.text, scenario.QUESTIONS)
            self.assertEqual(version(machine), "0.2")
            self.assertGreater(self.systemd(machine), old)
            self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
            self.assertEqual(machine.output("systemctl is-active boot-complete.target home.mount"), "active\nactive")
            machine.power_off()

    @staticmethod
    def systemd(machine):
        return int(machine.output("systemctl --version | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p'"))


if not bench.LONG or bench.TESTING:
    del NextRelease


if __name__ == "__main__":
    tap.run_cases(missing_tools() or ("" if shutil.which("gpg") and shutil.which("mke2fs") else "gpg or mke2fs"), failfast=True)
