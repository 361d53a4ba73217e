#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small programs link what their rooms use and nothing else. Arguments: the sandbox's program, a unit test of
format/verity, a program with what a client on a device uses, and the map that the linker wrote of that."""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/lib"))

from tap import run, test  # noqa: E402

SANDBOX, VERITY, UPDATE, MAP = sys.argv[1:5]
del sys.argv[1:5]
SYSTEM = {"c", "m", "pthread", "gcc_s", "ld-linux-x86-64", "ld-linux-aarch64", "asan", "ubsan", "lsan"}
GLIB = {"glib-2.0", "gobject-2.0", "gio-2.0"}
# What the reader of EROFS decompresses with.
DECOMPRESSORS = {"lz4", "lzma", "z", "zstd"}


def needed(program):
    """The libraries that PROGRAM says it needs, without those of every program."""
    text = subprocess.run(["readelf", "-dW", program], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"\(NEEDED\).*\[(?:lib)?([^\]]+?)\.so[^\]]*\]", text)
    assert found, f"{program} needs nothing at all"
    return set(found) - SYSTEM


def rooms(path):
    """The rooms of which the linker took something, by its map."""
    text = Path(path).read_text(errors="replace")
    return set(re.findall(r"^\S*?src/([\w/]+)/lib[\w-]+\.a[.(]", text, re.M))


@test("the program of the sandbox needs libseccomp alone")
def _():
    assert needed(SANDBOX) == {"seccomp"}, needed(SANDBOX)


@test("hash trees need GLib and digests")
def _():
    assert needed(VERITY) <= GLIB | {"crypto"}, needed(VERITY)


@test("a client needs the decompressors of the reader of EROFS besides, but no JSON and no archives")
def _():
    assert needed(UPDATE) <= GLIB | {"crypto"} | DECOMPRESSORS, needed(UPDATE)
    assert "zstd" in needed(UPDATE), "the program was linked without the reader"


@test("a client takes from few rooms")
def _():
    assert rooms(MAP) == {"format/erofs", "format/verity", "crypto", "events", "base"}, rooms(MAP)


run()
