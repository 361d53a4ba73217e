# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recipe for a disk with a whole chain of trust that builds in a second: no packages, and what stands for the kernel is a
program for UEFI."""

import json

from bootable import ESP, Bootable
from particleos import EPOCH, environment, particleos

PARTS = (ESP,
         "Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nMinimize=best\nVerity=data\nVerityMatchKey=usr\n",
         "Type=usr-verity\nVerity=hash\nVerityMatchKey=usr\nMinimize=best\n",
         "Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=usr\n")
SIGNED = """[Validation]
SecureBoot=yes
SecureBootAutoEnroll=yes
Verity=signed
SignExpectedPcr=yes
Checksum=yes
"""


class Chain(Bootable):
    """Keys are those that genkey leaves in the directory, or that the settings in mkosi.local.conf name."""

    def __init__(self, name):
        super().__init__(name, *PARTS)
        self.write("mkosi.conf", (self.path / "mkosi.conf").read_text() + SIGNED)

    @property
    def image(self):
        return self.output / "tiny.raw"

    def genkey(self, *arguments, env=None, status=0):
        """What genkey said; the settings that it printed become those of this checkout."""
        result = particleos("-C", self.path, "genkey", *arguments, env=env, status=status)
        text = result.stdout + result.stderr
        if "[Validation]" in text:
            self.write("mkosi.local.conf", text[text.index("[Validation]"):].split("\n\n")[0].replace("\n    ", "\n") + "\n")
        return text

    def make(self, *arguments, env=None):
        self.build(*arguments, env=env or environment(SOURCE_DATE_EPOCH=EPOCH))
        return self.image

    def inspect(self, *arguments, status=0):
        """What inspect says of each link: {identifiers: (verdict, text)}."""
        result = particleos("inspect", "--json", *arguments, self.image, status=None)
        assert result.returncode == status, f"{result.returncode}\n" + self.says(*arguments)
        return json.loads(result.stdout)

    def says(self, *arguments):
        return particleos("inspect", *arguments, self.image, status=None).stdout
