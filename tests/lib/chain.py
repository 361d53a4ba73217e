# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recipe for a disk with a whole chain of trust that builds in a second: no packages, and what stands for the kernel is a
program for UEFI."""

import json
import shutil

from particleos import EPOCH, environment, particleos, test_tree
from tap import Skip
from tiny import CONF, Tiny

PARTS = {"00": "Type=esp\nFormat=vfat\nCopyFiles=/efi:/\nCopyFiles=/boot:/\nSizeMinBytes=64M\n",
         "10": "Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nMinimize=best\nVerity=data\nVerityMatchKey=usr\n",
         "20": "Type=usr-verity\nVerity=hash\nVerityMatchKey=usr\nMinimize=best\n",
         "30": "Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=usr\n"}
SIGNED = """[Validation]
SecureBoot=yes
SecureBootAutoEnroll=yes
Verity=signed
SignExpectedPcr=yes
Checksum=yes
"""


class Chain(Tiny):
    """Keys are those that genkey leaves in the directory, or that the settings in mkosi.local.conf name."""

    def __init__(self, name):
        super().__init__(name)
        shutil.rmtree(self.path / "mkosi.repart")
        for number, text in PARTS.items():
            self.write(f"mkosi.repart/{number}.conf", f"[Partition]\n{text}")
        self.write("mkosi.conf", CONF.replace("Bootable=no", "Bootable=yes\nInitrds=initrd")
                   + SIGNED)
        self.write("initrd", "stands for one")
        programs = test_tree() / "usr/lib/systemd/boot/efi"
        if not (programs / "linuxx64.efi.stub").exists():
            raise Skip("the judges' tree has no systemd-stub")
        shutil.copytree(programs, self.path / "mkosi.skeleton/usr/lib/systemd/boot/efi")
        target = self.path / "mkosi.skeleton/usr/lib/modules/6.12.0-test/vmlinuz"
        target.parent.mkdir(parents=True)
        shutil.copyfile(programs / "systemd-bootx64.efi", target)

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
