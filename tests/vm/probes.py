# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk with programs for a machine whose integrity policy may refuse them: signed and unsigned volumes, kernel modules."""

import lzma
import shutil
import subprocess
from pathlib import Path

import bench
import disk
import particleos

LABEL = "PROBES"
TRAILER = b"~Module signature appended~\n"
SIGNED = """[Distribution]
Distribution=custom
Release=trixie

[Output]
Format=sysext
Output=signed
OutputDirectory=output

[Validation]
Verity=signed
VerityKey={keys}/mkosi.key
VerityCertificate={keys}/mkosi.crt

[Build]
WorkspaceDirectory=.
"""


def run(*command):
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def unsigned_module(scratch):
    """A kernel module of the image without its signature."""
    packed = sorted(bench.cache().glob("*/usr/lib/modules/*/kernel/net/key/af_key.ko.xz"))
    if not packed:
        raise AssertionError("the kernel of the image has no module af_key to take the signature from")
    module = lzma.decompress(packed[0].read_bytes())
    if not module.endswith(TRAILER):
        raise AssertionError(f"{packed[0]} is not signed")
    length = int.from_bytes(module[-len(TRAILER) - 4:-len(TRAILER)], "big")
    path = scratch / "unsigned.ko"
    path.write_bytes(module[:-len(TRAILER) - 12 - length])
    return path


def signed_volume(scratch, program):
    """A disk image with PROGRAM, verity and a signature by the key of the image."""
    recipe = scratch / "recipe"
    target = recipe / "mkosi.extra/usr/bin/probe"
    target.parent.mkdir(parents=True)
    shutil.copy2(program, target)
    (recipe / "mkosi.conf").write_text(SIGNED.format(keys=bench.keys()))
    particleos.particleos("-C", recipe, "--force", "build", env=particleos.environment(SOURCE_DATE_EPOCH=particleos.EPOCH))
    return recipe / "output/signed.raw"


def make_disk(scratch):
    """What there is: signed.raw, ext4.img, squashfs.img, other.p7b (a good policy, signed by somebody else), unsigned.ko."""
    scratch.mkdir()
    tree = scratch / "tree"
    tree.mkdir()
    program = tree / "probe"
    run("cc", "-static", "-O1", "-o", program, Path(__file__).parent / "probe.c")
    files = [signed_volume(scratch, program), unsigned_module(scratch)]
    for name, command in (("ext4.img", ("mkfs.ext4", "-q", "-d", tree, scratch / "ext4.img", "8M")),
                          ("squashfs.img", ("mksquashfs", tree, scratch / "squashfs.img", "-quiet"))):
        run(*command)
        files.append(scratch / name)
    key, certificate = disk.make_key(scratch)
    policy = scratch / "policy"
    policy.write_text("policy_name=other policy_version=9.0.0\nDEFAULT action=ALLOW\n")
    run("openssl", "smime", "-sign", "-nocerts", "-noattr", "-nodetach", "-binary", "-in", policy, "-inkey", key,
        "-signer", certificate, "-outform", "der", "-out", scratch / "other.p7b")
    files.append(scratch / "other.p7b")
    image = scratch / "probes.img"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    run("mkfs.vfat", "-n", LABEL, image)
    run("mcopy", "-i", image, *files, "::")
    return image
