# SPDX-License-Identifier: LGPL-2.1-or-later
"""Suites of tests that meson knows, run by meson; and what they said."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
# One for each processor: an emulated machine that gets less than one misses its deadlines.
AT_A_TIME = os.cpu_count()
# How a test ended for meson, when it did not say itself what is wrong.
BAD_ENDS = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT"}


@dataclass
class Verdict:
    """What one test program said, in TAP: the lines of its results."""

    suite: str
    name: str
    seconds: float
    output: str
    passed: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)


def judge(entry):
    """The Verdict of ENTRY, a line of meson's log."""
    output = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    suites, name = entry["name"].split(" / ", 1)  # "particleos:vm+long / reset"
    verdict = Verdict(suites.split(":")[-1].split("+")[0], name, entry["duration"], output)
    for line in (x.strip() for x in (entry.get("stdout") or "").splitlines()):
        skip = re.match(r"(ok\b.*|1\.\.0 *)# SKIP", line, re.I)
        if skip:
            verdict.skipped.append(line)
        elif re.match(r"ok\b", line):
            verdict.passed.append(line)
        elif re.match(r"not ok\b", line):
            verdict.failed.append(line)
    if entry["result"] in BAD_ENDS and not verdict.failed:
        verdict.failed.append(f"not ok - {verdict.name} ended with {entry['result']}, status {entry['returncode']}")
    if not verdict.passed and not verdict.failed and not verdict.skipped:
        verdict.failed.append(f"not ok - {verdict.name} reported nothing")
    return verdict


def configure(build, *options):
    """Sets BUILD up unless it is, and builds. Whether both succeeded."""
    if not (build / "build.ninja").exists():
        if subprocess.run(["meson", "setup", *options, build], cwd=SOURCE, stdout=subprocess.DEVNULL).returncode:
            return False
    return subprocess.run(["ninja", "--quiet", "-C", build], cwd=SOURCE, stdout=sys.stderr).returncode == 0


def _read(log, begun):
    """Entries that the file LOG got since the last call. BEGUN keeps the beginning of one that is not complete."""
    begun += log.read()
    while (end := begun.find(b"\n")) >= 0:
        line = bytes(begun[:end])
        del begun[:end + 1]
        yield json.loads(line)


def run(build, suites, **env):
    """Runs SUITES beside each other, and yields a Verdict for each of their tests as soon as it has ended. BUILD is built
    already."""
    setup = "long" if os.environ.get("PARTICLEOS_TEST_LONG") else "short"
    base = "suite-" + "-".join(suites)
    log = build / f"meson-logs/{base}-{setup}.json"
    log.parent.mkdir(exist_ok=True)
    log.write_text("")
    command = ["meson", "test", "-C", build, "--no-rebuild", "--setup", setup, "--num-processes", str(AT_A_TIME),
               "--logbase", base, *(word for suite in suites for word in ("--suite", suite))]
    if setup == "short":
        # A suite that is asked for has all its tests, whatever the setup leaves out.
        command += ["--no-suite", "long"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               env={**os.environ, **env})
    begun = bytearray()
    with log.open("rb") as file:
        running = True
        while running:
            running = process.poll() is None
            yield from map(judge, _read(file, begun))
            time.sleep(0.2 if running else 0)
