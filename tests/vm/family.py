# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of a ParticleOS of another distribution than Debian, from a stand-in for it: keys are enrolled, the kernel verifies /usr and
its signature, the first boot encrypts the disk for the TPM, the second one asks nothing, an update takes the other slot, and the entry
of the boot menu with the integrity policy enforces it."""

import contextlib
import shutil

import bench
import disk
import pacman_repository
import scenario
from particleos import EPOCH, WORK, copy_recipe, environment, fresh, particleos
from standin import making

IPE = "/sys/kernel/security/ipe"


class FamilyLife(scenario.Life):
    """ID: of os-release; RELEASE: of the recipe; STAND_IN: the class that makes the repositories."""

    ID = RELEASE = STAND_IN = None

    @classmethod
    @contextlib.contextmanager
    def mirror(cls, archive):
        """Options that name what is in ARCHIVE, and its keys."""
        raise NotImplementedError
        yield

    @classmethod
    def build(cls, number):
        """The artifacts of a version."""
        recipe = copy_recipe(fresh(f"{cls.name}-recipe-{number}") / "recipe", bench.keys())
        packages = WORK / f"{cls.name}-packages"
        packages.mkdir(exist_ok=True)
        with making(f"standin-{cls.name}") as (archive, needed):
            if needed:
                cls.STAND_IN(archive).close()
        with cls.mirror(archive) as options:
            particleos("-C", recipe, "--force", f"--distribution={cls.name}", f"--release={cls.RELEASE}", "--profile", "minimal", *options,
                       "--package-cache-dir", packages, "--incremental=no", "--image-version", number, "build",
                       env=environment(SOURCE_DATE_EPOCH=EPOCH), timeout=3600)
        return recipe / "mkosi.output"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.build("0.1")
        cls.life.state = scenario.State.from_image(cls.life.scratch / "machine", bench.disk_image(cls.first), scenario.DISK_SIZE)

    def healthy(self):
        self.assertEqual(self.machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")

    def test_1_first_boot(self):
        machine = self.turn_on("first")
        machine.expect("Enrolling")
        scenario.login(machine)
        self.healthy()
        self.assertEqual(scenario.version(machine), "0.1")
        self.assertIn(f"ID={self.ID}", machine.output("tr -d '\"' </usr/lib/os-release").splitlines())
        self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))
        self.assertEqual(machine.output("findmnt -no FSTYPE /usr"), "erofs")
        self.assertIn("crypt", machine.output("lsblk -sno TYPE $(findmnt -no SOURCE /)"))
        # The profile that the recipe chose when it was built: accounts of systemd-homed are found.
        self.assertIn("systemd", machine.output("grep ^passwd: /etc/nsswitch.conf"))
        machine.power_off()

    def test_2_second_boot_without_a_question(self):
        machine = self.turn_on("second")
        scenario.login(machine)
        self.assertNotRegex(machine.text, scenario.QUESTIONS)
        self.healthy()

    def test_3_update_to_the_other_slot(self):
        machine = self.machine
        second = self.build("0.2")
        with self.life.serve(bench.artifacts(second, self.life.scratch / "vendor")) as url:
            done, journal = scenario.update_from_url(machine, url, verify=False)
        self.assertTrue(done, journal)
        machine.power_off()
        machine = self.turn_on("updated")
        scenario.login(machine)
        self.assertEqual(scenario.version(machine), "0.2")
        self.healthy()
        machine.power_off()

    def test_4_integrity_policy(self):
        disk.Esp(self.life.state.disk).choose("ipe", self.life.state.directory)
        machine = self.turn_on("ipe")
        scenario.login(machine)
        self.assertEqual(machine.output(f"grep -h . {IPE}/enforce {IPE}/policies/particleos/active").split(), ["1", "1"])
        self.assertEqual(machine.run("cp /usr/bin/true /var/tmp/copy && /var/tmp/copy")[0], 126)
        machine.power_off()


class RpmLife(FamilyLife):
    @classmethod
    @contextlib.contextmanager
    def mirror(cls, archive):
        keys = fresh(f"{cls.name}-keys")
        for key in archive.glob("RPM-GPG-KEY-*"):
            shutil.copy(key, keys)
        with pacman_repository.served(archive / "repo") as url:
            yield [f"--local-mirror={url}", f"--sandbox-tree={keys}:/etc/pki/rpm-gpg"]
