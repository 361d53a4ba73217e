# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recipe of a disk that firmware starts, without packages: what stands for the kernel is a program for UEFI."""

import functools
import shutil

from particleos import WORK, particleos, test_tree
from tap import Skip
from tiny import CONF, Tiny

ESP = "Type=esp\nFormat=vfat\nCopyFiles=/efi:/\nCopyFiles=/boot:/\nSizeMinBytes=64M\n"


class Bootable(Tiny):
    def __init__(self, name, *partitions):
        super().__init__(name)
        self.write("mkosi.conf", CONF.replace("Bootable=no", "Bootable=yes\nInitrds=initrd"))
        self.write("initrd", "stands for one")
        programs = test_tree() / "usr/lib/systemd/boot/efi"
        if not (programs / "linuxx64.efi.stub").exists():
            raise Skip("the judges' tree has no systemd-stub")
        shutil.copytree(programs, self.path / "mkosi.skeleton/usr/lib/systemd/boot/efi")
        target = self.path / "mkosi.skeleton/usr/lib/modules/6.12.0-test/vmlinuz"
        target.parent.mkdir(parents=True)
        shutil.copyfile(programs / "systemd-bootx64.efi", target)
        shutil.rmtree(self.path / "mkosi.repart")
        self.partitions(*partitions)

    def partitions(self, *definitions):
        shutil.rmtree(self.path / "mkosi.repart", ignore_errors=True)
        for i, text in enumerate(definitions):
            self.write(f"mkosi.repart/{i}0.conf", f"[Partition]\n{text}")


@functools.cache
def keys():
    path = WORK / "bootable-keys"
    if not (path / "mkosi.key").exists():
        path.mkdir(parents=True, exist_ok=True)
        particleos("-C", path, "genkey")
    return path


def signed(recipe):
    for name in ("mkosi.key", "mkosi.crt"):
        shutil.copy2(keys() / name, recipe.path)
    return recipe
