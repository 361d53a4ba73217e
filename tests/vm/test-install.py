#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a medium onto an empty disk, without a question: the machine that comes up from that disk alone partitions and
encrypts it, with nothing on its ESP that somebody left on that of the medium; a user who came as a credential logs in, later boots ask nothing, and when the TPM is lost each volume opens
with its recovery key.

All is the life of one machine, so a test needs those before it, and the first failure is the last.
"""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import scenario
import tap
from machine import State, copy_sparse, missing_tools
from scenario import login

TARGET = "/dev/vda"
VOLUMES = ("root", "swap", "home")
QUESTION = r"(?i)please enter (?:passphrase|\w+ for)|passphrase for|please press|-- press any key"
USER, USER_PASSWORD = "ann", "Correct-horse-7-battery"


def user_record():
    hashed = subprocess.run(["openssl", "passwd", "-6", USER_PASSWORD], check=True, capture_output=True,
                            text=True).stdout.strip()
    return json.dumps({
        "userName": USER, "disposition": "regular", "storage": "directory", "enforcePasswordPolicy": False,
        "privileged": {"hashedPassword": [hashed]}, "secret": {"password": [USER_PASSWORD]}})


class Install(scenario.Life):
    name = "install"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.life.state = State.blank(cls.life.scratch / "machine", scenario.DISK_SIZE)
        cls.medium = cls.life.scratch / "medium.raw"
        copy_sparse(bench.disk_image(bench.version()), cls.medium)
        disk.Esp(cls.medium).choose("installer", cls.life.scratch)
        cls.tamper_with_medium()

    @classmethod
    def tamper_with_medium(cls):
        """What somebody could leave on a stick without keeping it from starting the installer."""
        esp = disk.Esp(cls.medium)
        cls.uki = esp.uki_paths()[0]
        # Older than the one that is chosen, so that the firmware's refusal of it does not end the test.
        esp.write("/EFI/Linux/ParticleOS_0.0_x86-64.efi", disk.strip_signature(esp.read(cls.uki)), cls.life.scratch)
        for directory in ("/loader/entries", "/loader/credentials", "/loader/addons", f"{cls.uki}.extra.d", "/EFI/evil"):
            with contextlib.suppress(subprocess.CalledProcessError):
                esp.make_directory(directory)
        for name in ("/loader/entries/evil.conf", "/loader/credentials/systemd.extra-unit.evil.service.cred",
                     "/loader/addons/evil.addon.efi", f"{cls.uki}.extra.d/evil.sysext.raw", "/EFI/evil/evil.efi"):
            esp.write(name, b"evil\n", cls.life.scratch)

    def files_of_esp(self, path):
        """Names of all files of the ESP."""
        drive = disk.Esp(path).drive
        listing = subprocess.run(["mdir", "-i", drive, "-/", "-b", "::/"], check=True, capture_output=True, text=True).stdout
        return sorted(line.removeprefix("::") for line in listing.splitlines() if not line.endswith("/"))

    def test_1_installs_unattended(self):
        self.life.credentials = {
            "particleos.install.target": TARGET, "particleos.install.then": "poweroff",
            f"particleos.install.credential.home.create.{USER}": user_record()}
        machine = self.turn_on("install", medium=self.medium)
        machine.expect("Enrolling secure boot keys")
        machine.expect(f"Installing onto {TARGET}", refuse=scenario.QUESTIONS)
        machine.expect(f"Installed onto {TARGET}", refuse="Not installed|without a partition table")
        machine.expect("reboot: Power down|Powering off")
        with contextlib.suppress(OSError):
            machine.qemu.wait(60)

        installed, medium = (disk.read_partitions(path) for path in (self.life.state.disk, self.medium))
        self.assertEqual([(p.type, p.label, p.size) for p in installed],
                         [(p.type, p.label, p.size) for p in medium])
        for mine, theirs in zip(installed, medium):
            if mine.type != disk.ESP:
                with open(self.life.state.disk, "rb") as a, open(self.medium, "rb") as b:
                    a.seek(mine.offset)
                    b.seek(theirs.offset)
                    self.assertEqual(a.read(mine.size), b.read(theirs.size), mine.label)
        esp = disk.Esp(self.life.state.disk)
        self.assertNotIn("default", esp.read("/loader/loader.conf").decode())
        files = [name for name in self.files_of_esp(self.life.state.disk) if not name.endswith("/random-seed")]
        self.assertEqual(files, sorted([
            "/EFI/BOOT/BOOTX64.EFI", "/EFI/systemd/systemd-bootx64.efi", self.uki, "/loader/entries.srel", "/loader/loader.conf",
            f"/loader/credentials/home.create.{USER}.cred", *(f"/loader/keys/auto/{name}.auth" for name in ("PK", "KEK", "db"))]))
        self.assertEqual(esp.read(self.uki), disk.Esp(self.medium).read(self.uki))
        self.assertEqual(esp.read("/loader/loader.conf"),
                         (Path(__file__).parents[2] / "recipes/particleos/mkosi.extra/usr/lib/particleos/loader.conf").read_bytes())
        carried = esp.read(f"/loader/credentials/home.create.{USER}.cred").decode()
        self.assertNotIn(USER_PASSWORD, carried)
        seed = "/loader/random-seed"  # at most the empty one that tells the boot loader to make none
        self.assertEqual(esp.read(seed) if "random-seed" in esp.list("/loader") else b"", b"")

    def test_2_first_boot_from_the_disk_alone(self):
        self.life.credentials = scenario.CREDENTIALS
        machine = self.turn_on("first")
        machine.expect(r"\w login: ", refuse=QUESTION)
        machine.send("\n")
        login(machine)
        self.assertEqual(scenario.version(machine), bench.FIRST)
        type(self).machine_id = machine.output("cat /etc/machine-id")
        self.assertIn("enabled", machine.output("bootctl status 2>/dev/null | grep -m1 'Secure Boot:'"))
        table = [(p.label, p.type) for p in disk.read_partitions(self.life.state.disk)]
        labels = [label for label, _ in table]
        for volume in VOLUMES:
            self.assertIn(f"ParticleOS-{volume}", labels)
            self.assertEqual(machine.output(f"blkid -s TYPE -o value /dev/disk/by-partlabel/ParticleOS-{volume}"),
                             "crypto_LUKS")
            self.assertRegex(machine.output(f"cryptsetup luksDump /dev/disk/by-partlabel/ParticleOS-{volume}"),
                             r"tpm2-pubkey-pcrs: +11\n")
        self.assertEqual(labels.count("_empty"), 3, labels)

    def test_3_recovery_keys(self):
        machine = self.machine
        type(self).keys = {}
        for volume in VOLUMES:
            output = machine.output("systemd-cryptenroll --recovery-key --unlock-tpm2-device=auto "
                                    f"/dev/disk/by-partlabel/ParticleOS-{volume}")
            self.keys[volume] = re.search(r"\b[cbdefghijklnrtuv]{8}(?:-[cbdefghijklnrtuv]{8}){7}\b", output).group()
        self.assertEqual(len(set(self.keys.values())), len(VOLUMES))

    def test_4_user_logs_in(self):
        self.user_logs_in("exec login\n")

    def user_logs_in(self, leave):
        machine = self.machine
        machine.send(leave)
        machine.expect(r"\w login: ")
        machine.send(f"{USER}\n")
        machine.expect("Password: ")
        machine.send(USER_PASSWORD + "\n")
        machine.expect(r"[#$] $")
        machine.send("echo I am $(id -un) in $PWD, $(homectl inspect $USER 2>/dev/null | grep -o 'State:.*')\n")
        machine.expect(rf"I am {USER} in /home/{USER}, State: active")

    def test_5_second_boot_without_a_question(self):
        self.life.credentials = {}
        machine = self.turn_on("second")
        machine.expect(r"\w login: ", refuse=QUESTION)
        machine.send("\n")
        login(machine)
        self.assertEqual(machine.output("cat /etc/machine-id"), self.machine_id)
        if bench.TESTING:  # systemd 257 does not know this credential
            self.assertEqual(machine.output("cat /etc/hostname"), scenario.CREDENTIALS["firstboot.hostname"])
        self.user_logs_in("exit\n")

    @bench.long
    def test_6_recovery_keys_open_the_volumes_without_the_tpm(self):
        self.running.close()
        self.life.state.reset_tpm()
        machine = self.turn_on("recovery")
        left = set(VOLUMES)
        while left:
            volume = machine.expect(r"(?i)please enter [^\n]*ParticleOS-(\w+)[^\n]*:", refuse=r"emergency mode|\w login: ")[1]
            self.assertIn(volume, left)
            left.remove(volume)
            machine.send(self.keys[volume] + "\n")
        login(machine)
        self.assertEqual(machine.output("cat /etc/machine-id"), self.machine_id)


if __name__ == "__main__":
    tap.run_cases(missing_tools(), failfast=True)
