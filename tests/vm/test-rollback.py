#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Version 0.2 revokes version 0.1: once it has come up, the firmware does not start 0.1 any more, although its signature is
good, whatever name and place somebody gives it. The disks, sealed to what the firmware measures, go on opening without a
question, even when the power fails right after the change.

All is the life of one machine, so a test needs those before it, and the first failure is the last.
"""

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import particleos
import scenario
import tap
from machine import missing_tools
from scenario import KERNEL_RUNS, login

OLD, NEW, LATER = bench.FIRST, "0.2", "0.3"
DBX = "/sys/firmware/efi/efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
REFUSAL = r"(?i)access denied|security violation"
DISKS = 3  # swap, root, home


class Rollback(scenario.Life):
    name = "rollback"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = bench.version(OLD)
        cls.old_uki = next(cls.old.glob("ParticleOS_*.efi"))

        recipe = particleos.copy_recipe(cls.life.scratch / "recipe", bench.keys())
        table = particleos.particleos("-C", recipe, "--image-version", NEW, "--json", "revoke", cls.old_uki,
                                      env=particleos.environment(SOURCE_DATE_EPOCH=particleos.EPOCH)).stdout
        cls.digest = json.loads(table)["revoked"][0]["sha256"]
        place = Path("usr/lib/particleos")
        revoking = bench.Variant("revoking", tree={
            str(place / name): (0o644, (recipe / "mkosi.extra" / place / name).read_bytes())
            for name in ("revoked.auth", "revoked.list")})
        new = bench.version(NEW, revoking)

        cls.life.state = bench.machine(cls.life.scratch / "machine")
        cls.before = cls.life.scratch / "variables-before.fd"
        shutil.copyfile(cls.life.state.variables, cls.before)
        disk.fill_slots(cls.life.state.disk, new, NEW)
        disk.Esp(cls.life.state.disk).write(f"/EFI/Linux/ParticleOS_{NEW}_x86-64+3-0.efi",
                                            next(new.glob("ParticleOS_*.efi")).read_bytes(), cls.life.scratch)

    def keys(self, machine):
        """How many keys in the TPM each encrypted disk has."""
        return [int(n) for n in machine.output(
            "for d in $(blkid -t TYPE=crypto_LUKS -o device); do systemd-cryptenroll $d | grep -c tpm2; done").split()]

    def dbx(self, machine):
        return machine.output(f"[ ! -e {DBX} ] || basenc --base16 -w 0 {DBX}").lower()

    def good_boot(self, machine):
        login(machine)
        self.assertNotRegex(machine.text, scenario.QUESTIONS)
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
        self.assertEqual(scenario.version(machine), NEW)
        return machine.output("journalctl -b -o cat --no-pager -u particleos-revoke.service")

    def test_1_revocation_when_healthy(self):
        with self.life.boot("revoking") as machine:
            journal = self.good_boot(machine)
            self.assertRegex(journal, r"The encrypted disks will open when PCR 7 is [0-9A-F]{64}, too\.")
            self.assertRegex(journal, r"From now on the firmware refuses to start:\n *version 0\.1 "
                                      r"\(ParticleOS_0\.1_x86-64\.efi\)")
            self.assertIn(self.digest, self.dbx(machine))
            self.assertEqual(self.keys(machine), [2] * DISKS)
            type(self).predicted = machine.output("cat /var/lib/particleos/pcr7/expected")
            self.assertNotEqual(machine.output("cat /sys/class/tpm/tpm0/pcr-sha256/7"), self.predicted)
            machine.kill()

    def test_2_disks_open_without_question(self):
        with self.life.boot("after") as machine:
            journal = self.good_boot(machine)
            self.assertEqual(machine.output("cat /sys/class/tpm/tpm0/pcr-sha256/7"), self.predicted)
            self.assertIn("the encrypted disks do not open at its former value any more", journal)
            self.assertNotIn("From now on", journal)
            self.assertEqual(self.keys(machine), [1] * DISKS)
            machine.power_off()

    def spoil(self, name, path):
        """A copy of the machine whose boot partition has the old version instead of the new one, as PATH. The volume of the
        old version is in the other slot still."""
        state = self.life.state.copy(self.life.scratch / name)
        self.addCleanup(state.remove)
        esp = disk.Esp(state.disk)
        for uki in esp.uki_paths():
            esp.remove(uki)
        esp.write(path, self.old_uki.read_bytes(), state.directory)
        return state

    def test_3_old_version_by_another_name(self):
        with self.life.boot("renamed", self.spoil("renamed", f"/EFI/Linux/ParticleOS_{LATER}_x86-64.efi")) as machine:
            machine.expect(REFUSAL, refuse=KERNEL_RUNS)

    @bench.long
    def test_3_old_version_in_place_of_the_boot_loader(self):
        state = self.spoil("loader", f"/EFI/Linux/{self.old_uki.name}")
        esp = disk.Esp(state.disk)
        for path in esp.boot_loader_paths():
            esp.write(path, self.old_uki.read_bytes(), state.directory)
        with self.life.boot("loader", state) as machine:
            machine.expect(r"BdsDxe: failed to load .*Access Denied", refuse=KERNEL_RUNS)

    def test_4_without_revocation_the_old_version_starts(self):
        """So the refusals were by the revocation, and not by something that copying spoiled."""
        state = self.spoil("before", f"/EFI/Linux/ParticleOS_{LATER}_x86-64.efi")
        shutil.copyfile(self.before, state.variables)
        with self.life.boot("before", state) as machine:
            machine.expect(KERNEL_RUNS, refuse=REFUSAL)


if __name__ == "__main__":
    tap.run_cases(missing_tools() or ("" if shutil.which("sfdisk") else "sfdisk"), failfast=True)
