#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images whose keys nobody can read start: made inside a TPM, and inside of an HSM behind PKCS#11. The firmware enrols their
certificate and runs with Secure Boot, the kernel knows the signature of the root hash, and the TPM of the machine opens what
the signed PCR policy allows."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import scenario
import tap
from hsm import Hsm, tpm
from machine import Machine, State, missing_tools
from particleos import EPOCH, build_options, copy_recipe, environment, package_options, particleos



class Tokens(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="particleos-tokens-", dir=os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")))
        if not os.environ.get("PARTICLEOS_TEST_KEEP"):
            self.addCleanup(shutil.rmtree, self.scratch)

    def make(self, env, *genkey):
        """The minimal image of the recipe, with a key that genkey makes where the options say."""
        recipe = copy_recipe(self.scratch / "recipe")
        options = ("-C", recipe, *build_options(), *package_options())
        said = particleos("-C", recipe, *genkey, "genkey", env=env)
        text = said.stdout + said.stderr
        settings = text[text.index("[Validation]"):].split("\n\n")[0].replace("\n    ", "\n")
        (recipe / "mkosi.local.conf").write_text(settings + "\n")
        key = recipe / "mkosi.key"
        self.assertTrue(not key.exists() or key.read_text().startswith("-----BEGIN TSS2 PRIVATE KEY-----"))
        bench.cache().mkdir(exist_ok=True, parents=True)
        particleos(*options, "--incremental=yes", "--cache-dir", bench.cache(), "--image-version", "0.1", "build",
                   env=env, timeout=1800)
        particleos(*options, "--image-version", "0.1", "inspect", "--certificate", recipe / "mkosi.crt", env=env)
        return bench.disk_image(recipe / "mkosi.output")

    def live(self, image):
        state = State.from_image(self.scratch / "machine", image, scenario.DISK_SIZE)
        with Machine(state, scenario.CREDENTIALS, log=self.scratch / "first.console", arguments="") as machine:
            machine.expect("Enrolling secure boot keys")
            scenario.login(machine)
            self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))
            self.assertEqual(machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")
            self.assertIn("verified (with signature)", machine.output("veritysetup status usr"))
            machine.power_off()
        with Machine(state, log=self.scratch / "second.console", arguments="") as machine:
            # Nobody types anything: the policy that the token signed lets the TPM give the key.
            scenario.login(machine)
            self.assertIn("crypto_LUKS", machine.output("lsblk -no FSTYPE"))
            machine.power_off()

    def test_tpm(self):
        with tpm(self.scratch / "tpm") as settings:
            image = self.make(environment(SOURCE_DATE_EPOCH=EPOCH, **settings), "--genkey-source=provider:tpm2")
        self.live(image)

    def test_hsm(self):
        hsm = Hsm(f"vm-{self.scratch.name}")
        hsm.make("boot")
        image = self.make(hsm.env(SOURCE_DATE_EPOCH=EPOCH), "--genkey-source=engine:pkcs11", f"--genkey-key={hsm.uri('boot')}")
        self.live(image)


if __name__ == "__main__":
    tap.run_cases(missing_tools())
