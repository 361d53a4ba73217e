# SPDX-License-Identifier: LGPL-2.1-or-later
"""Extensions for a running system: made by particleos, on a disk of their own, merged or refused by systemd."""

import shutil
import subprocess
import sys
from pathlib import Path

import disk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))
from particleos import EPOCH, PROGRAM, built_image, environment  # noqa: E402

ROOT = disk.uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
CONF = """[Distribution]
Distribution=custom
Release=trixie

[Output]
Format={kind}
Output={name}
OutputDirectory={output}

[Validation]
Verity=signed
VerityKey={key}
VerityCertificate={certificate}

[Build]
WorkspaceDirectory=.
"""
FILES = {"sysext": "usr/share/from-sysext", "confext": "etc/from-confext"}


def make(directory, kind, name, key, certificate):
    """A signed extension with one file in which its name is written."""
    recipe, output = directory / f"recipe-{name}", directory / "extensions"
    target = recipe / "mkosi.extra" / FILES[kind]
    target.parent.mkdir(parents=True)
    target.write_text(f"{name}\n")
    (recipe / "mkosi.conf").write_text(CONF.format(kind=kind, name=name, output=output, key=key, certificate=certificate))
    subprocess.run([PROGRAM, "-C", recipe, "--force", "build"], check=True, capture_output=True,
                   env=environment(SOURCE_DATE_EPOCH=EPOCH))
    shutil.rmtree(recipe)
    return output / f"{name}.raw"


def make_disk(directory):
    """A disk with a good sysext and a good confext, one that was tampered with and one by somebody else."""
    directory = Path(directory)
    directory.mkdir()
    ours = (built_image() / "mkosi.key", built_image() / "mkosi.crt")
    make(directory, "sysext", "good", *ours)
    make(directory, "confext", "config", *ours)
    tampered = make(directory, "sysext", "tampered", *ours)
    # The superblock, so that whoever mounts it has to look.
    disk.flip_byte(tampered, disk.find_partition(tampered, ROOT).offset + 1024 + 16)
    make(directory, "sysext", "stranger", *disk.make_key(directory))
    image = directory / "extensions.raw"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.vfat", "-n", "EXTENSIONS", str(image)], check=True, capture_output=True)
    files = sorted((directory / "extensions").glob("*.raw"))
    subprocess.run(["mcopy", "-i", str(image), *map(str, files), "::"], check=True)
    return image


def merge(machine, kind, name):
    """(exit status, output) of merging this extension alone, only if the kernel accepts its signature."""
    place = {"sysext": "/run/extensions", "confext": "/run/confexts"}[kind]
    return machine.run(f"mkdir -p {place} && rm -f {place}/* && cp /run/disk/{name}.raw {place}/ && "
                       f"systemd-{kind} --image-policy=root=signed:=absent merge")


def check(machine):
    """On a system to which the disk is attached as well."""
    machine.output("mkdir -p /run/disk && mount -o ro LABEL=EXTENSIONS /run/disk")
    for kind, name in (("sysext", "good"), ("confext", "config")):
        status, output = merge(machine, kind, name)
        if status != 0 or machine.output(f"cat /{FILES[kind]}") != name:
            machine.fail(f"the {kind} is not merged: {output}")
        machine.output(f"systemd-{kind} unmerge")
        if machine.run(f"test -e /{FILES[kind]}")[0] == 0:
            machine.fail(f"the {kind} is still there")
    for name in ("tampered", "stranger"):
        status, output = merge(machine, "sysext", name)
        if status == 0 or machine.run(f"test -e /{FILES['sysext']}")[0] == 0:
            machine.fail(f"the {name} sysext was merged: {output}")
