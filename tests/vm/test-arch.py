#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ParticleOS of Arch, from a stand-in for Arch (tests/lib/standin_arch.py), lives as the one of Debian does: keys are enrolled,
the kernel verifies /usr and its signature, the first boot encrypts the disk for the TPM, and the second one asks nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import scenario
import tap
from machine import missing_tools
from pacman_repository import served
from particleos import EPOCH, WORK, copy_recipe, environment, fresh, particleos
from standin_arch import StandIn


def build(archive, number):
    """The artifacts of a version."""
    recipe = copy_recipe(fresh(f"arch-recipe-{number}") / "recipe", bench.keys())
    with served(archive) as url:
        particleos("-C", recipe, "--force", "--distribution=arch", f"--mirror={url}", "--profile", "minimal",
                   f"--sandbox-tree={archive / 'keyrings'}:/usr/share/pacman/keyrings", "--package-cache-dir", WORK / "arch-packages",
                   "--incremental=no", "--image-version", number, "build", env=environment(SOURCE_DATE_EPOCH=EPOCH), timeout=1800)
    return recipe / "mkosi.output"


class Arch(scenario.Life):
    name = "arch"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        archive = WORK / "standin-arch"
        with bench.making("standin-arch") as needed:
            if needed:
                StandIn(fresh(archive.name)).close()
        cls.first = build(archive, "0.1")
        cls.life.state = scenario.State.from_image(cls.life.scratch / "machine", bench.disk_image(cls.first), scenario.DISK_SIZE)

    def test_1_first_boot(self):
        machine = self.turn_on("first")
        machine.expect("Enrolling")
        scenario.login(machine)
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
        self.assertEqual(scenario.version(machine), "0.1")
        self.assertIn("ID=arch", machine.output("cat /usr/lib/os-release").splitlines())
        self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))
        self.assertEqual(machine.output("findmnt -no FSTYPE /usr"), "erofs")
        self.assertIn("crypt", machine.output("lsblk -sno TYPE $(findmnt -no SOURCE /)"))
        machine.power_off()

    def test_2_second_boot_without_a_question(self):
        machine = self.turn_on("second")
        scenario.login(machine)
        self.assertNotRegex(machine.text, scenario.QUESTIONS)
        self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
        machine.power_off()


if __name__ == "__main__":
    tap.run_cases(missing_tools(), failfast=True)
