# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the scenarios of tests/vm share: versions of ParticleOS to install and update, and a machine that is set up.

Everything is made at its first use, kept, and made again when the program or the recipe is another one. Scripts that run
side by side wait for each other's making.

    v2 = bench.version("0.2")                      # directory with its artifacts: disk image, split artifacts, SHA256SUMS
    sick = bench.version("0.3", bench.Variant("sick", tree={"usr/lib/particleos/boot-check.d/50-sick": (0o755, "...")}))
    state = bench.machine(scratch / "machine")     # version 0.1, first boot done, keys enrolled, Secure Boot on
"""

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import particleos
import scenario
from machine import CONSOLE, Machine, State

RELEASE = os.environ.get("PARTICLEOS_TEST_RELEASE", "trixie")
LONG = bool(os.environ.get("PARTICLEOS_TEST_LONG"))  # all there is, not only what is for every change
TESTING = RELEASE != "trixie"
FIRST = "0.1"
PLACE = particleos.WORK / f"bench-{RELEASE}"


def long(test):
    """A method or class of tests that is left out (not even skipped) unless all there is was asked for."""
    return test if LONG else None


@dataclass
class Variant:
    """What makes a version different. TREE and INITRD hold files by path: (mode, text or bytes), or the target of a link
    as text; OPTIONS go to the build."""

    name: str
    tree: dict = field(default_factory=dict)
    initrd: dict = field(default_factory=dict)
    options: list = field(default_factory=list)

    def apply(self, recipe):
        for top, files in ((recipe / "mkosi.extra", self.tree), (recipe / "mkosi.initrd.conf/mkosi.extra", self.initrd)):
            for path, content in files.items():
                target = top / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                if isinstance(content, str):
                    target.symlink_to(content)
                    continue
                mode, data = content
                target.write_bytes(data.encode() if isinstance(data, str) else data)
                target.chmod(mode)


# The strict flavour. Nothing may be added to its command line, so what tests want on it is in the signed one.
TALK = "systemd.journald.forward_to_console=yes systemd.journald.max_level_console=info"
ENFORCED = Variant("enforced", options=["--profile", "enforced",
                                        *(f"--kernel-command-line={word}" for word in f"{CONSOLE} {TALK} loglevel=6".split())])


@contextlib.contextmanager
def making(name):
    """Whether NAME has to be made (again); it counts as made when the block ends without an error."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with particleos.locked(f"bench-{RELEASE}-{name}"):
        stamp = PLACE / f"{name}.stamp"
        digest = particleos.digest_of_inputs()
        if stamp.exists() and stamp.read_text() == digest:
            yield False
            return
        stamp.unlink(missing_ok=True)
        yield True
        stamp.write_text(digest)


def keys():
    """The directory with mkosi.key and mkosi.crt: those of the image that all tests share."""
    return particleos.built_image()


def cache():
    """Where the builds of versions leave what they can use again."""
    return PLACE / "cache" if TESTING else particleos.built_image() / "mkosi.cache"


def version(number=FIRST, variant=None):
    """The directory of the artifacts of a version of ParticleOS (minimal flavour), all by the same keys."""
    if number == FIRST and variant is None and not TESTING:
        return particleos.built_image() / "mkosi.output"
    name = number if variant is None else f"{number}-{variant.name}"
    with making(name) as needed:
        recipe = PLACE / f"recipe-{name}"
        if needed:
            shutil.rmtree(recipe, ignore_errors=True)
            particleos.copy_recipe(recipe, keys())
            if variant:
                variant.apply(recipe)
            cache().mkdir(exist_ok=True)
            print(f"# building version {name} for {RELEASE}", file=sys.stderr, flush=True)
            with particleos.locked(f"bench-{RELEASE}-build"):  # one at a time fills the cache for the others
                particleos.particleos(
                    "-C", recipe, *particleos.build_options(), *particleos.package_options(), "--release", RELEASE,
                    "--incremental=yes", "--cache-dir", cache(), "--image-version", number,
                    *(variant.options if variant else []), "build",
                    env=particleos.environment(SOURCE_DATE_EPOCH=particleos.EPOCH), timeout=1800)
    return recipe / "mkosi.output"


def disk_image(directory):
    """The disk image among artifacts: the largest of them."""
    return max(directory.glob("*.raw"), key=lambda path: (path.is_symlink(), path.stat().st_size)).resolve()


def artifacts(directory, target):
    """A directory with what a vendor publishes of a version: split artifacts and manifest."""
    target.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.name.startswith("SHA256SUMS") or ".usr-" in path.name or path.suffix == ".efi":
            shutil.copyfile(path, target / path.name)
    return target


def machine(directory, variant=None):
    """A copy of a machine on which version 0.1 has gone through its first boot: keys enrolled, disk encrypted."""
    image = disk_image(version(FIRST, variant))
    name = "machine" if variant is None else f"machine-{variant.name}"
    with making(name) as needed:
        born = State(PLACE / name)
        if needed:
            shutil.rmtree(born.directory, ignore_errors=True)
            State.from_image(born.directory, image, scenario.DISK_SIZE)
            with Machine(born, scenario.CREDENTIALS, log=PLACE / f"{name}.console",
                         arguments=None if variant is ENFORCED else "") as first:
                first.expect("Enrolling secure boot keys")
                scenario.login(first)
                first.output("systemctl is-system-running --wait || systemctl --failed")
                first.power_off()
    return born.copy(directory)
