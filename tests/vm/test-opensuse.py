#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ParticleOS of openSUSE, from a stand-in for openSUSE (tests/lib/standin_rpm.py), lives as the one of Debian does; see family.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import family
import standin_rpm
import tap
from machine import missing_tools


class Life(family.RpmLife):
    name = "opensuse"
    ID = "opensuse-tumbleweed"
    RELEASE = "tumbleweed"
    STAND_IN = standin_rpm.OpenSuse


if __name__ == "__main__":
    tap.run_cases(missing_tools(), failfast=True)
