# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests that speak the Test Anything Protocol.

    @test("a name")
    def _():
        assert ..., "what went wrong"

    run()

A test passes by returning, fails by raising, and is skipped by raising Skip with a reason."""

import os
import sys
import time
import traceback


class Skip(Exception):
    pass


_tests = []


def test(name):
    def register(function):
        _tests.append((name, function))
        return function
    return register


def diagnose(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def _origin(error):
    """The line of the test (or of the library) that failed."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}"


def run():
    """Runs the tests whose name contains one of the words on the command line (default: all)."""
    wanted = [t for t in _tests if not sys.argv[1:] or any(word in t[0] for word in sys.argv[1:])]
    failed = False
    print(f"1..{len(wanted)}", flush=True)
    for number, (name, function) in enumerate(wanted, 1):
        start = time.monotonic()
        try:
            function()
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            continue
        except Exception as error:
            failed = True
            print(f"not ok {number} - {name}", flush=True)
            diagnose(_origin(error))
            diagnose(f"{type(error).__name__}: {error}")
            continue
        print(f"ok {number} - {name}", flush=True)
        if time.monotonic() - start > 5:
            diagnose(f"{time.monotonic() - start:.0f} s")
    sys.exit(1 if failed else 0)
