#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ParticleOS of Arch, from a stand-in for Arch (tests/lib/standin_arch.py), lives as the one of Debian does; see family.py."""

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import family
import standin_arch
import tap
from machine import missing_tools
from pacman_repository import served


class Life(family.FamilyLife):
    name = "arch"
    ID = "arch"
    RELEASE = "rolling"
    STAND_IN = standin_arch.Arch

    @classmethod
    @contextlib.contextmanager
    def mirror(cls, archive):
        with served(archive) as url:
            yield [f"--mirror={url}", f"--sandbox-tree={archive / 'keyrings'}:/usr/share/pacman/keyrings"]


if __name__ == "__main__":
    tap.run_cases(missing_tools(), failfast=True)
