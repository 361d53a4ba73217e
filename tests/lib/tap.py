# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests that speak the Test Anything Protocol.

    @test("a name")
    def _():
        assert ..., "what went wrong"

    run()

A test passes by returning, fails by raising, and is skipped by raising Skip with a reason. Those that are cases of Python's
unittest, because they share what takes minutes to make, end with run_cases() instead."""

import os
import sys
import time
import traceback
import unittest


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


class _Result(unittest.TestResult):
    """Says what became of each case when it is known."""

    def __init__(self):
        super().__init__()
        self.said = 0

    def say(self, word, case, remark=""):
        self.said += 1
        name = getattr(case, "_testMethodName", str(case))
        text = (case.shortDescription() or "").rstrip(".") if hasattr(case, "shortDescription") else ""
        print(f"{word} {self.said} - {name}{': ' if text else ''}{text.replace('#', '')}{remark}", flush=True)

    def startTest(self, case):
        super().startTest(case)
        self.start = time.monotonic()
        diagnose(f"{case._testMethodName} begins")

    def stopTest(self, case):
        super().stopTest(case)
        diagnose(f"{time.monotonic() - self.start:.0f} s")

    def addSuccess(self, case):
        super().addSuccess(case)
        self.say("ok", case)

    def addSkip(self, case, reason):
        super().addSkip(case, reason)
        self.say("ok", case, f" # SKIP {reason}")

    def addFailure(self, case, error):
        super().addFailure(case, error)
        self.say("not ok", case)
        diagnose(self.failures[-1][1])

    def addError(self, case, error):
        super().addError(case, error)
        self.say("not ok", case)
        diagnose(self.errors[-1][1])

    def addSubTest(self, case, part, error):
        super().addSubTest(case, part, error)
        if error is not None:
            self.say("not ok", case, f" {part._subDescription()}")
            diagnose((self.failures + self.errors)[-1][1])


class _Runner:
    def run(self, suite):
        result = _Result()
        result.failfast = _Runner.failfast
        suite(result)
        print(f"1..{result.said}", flush=True)
        return result


def run_cases(lacking="", failfast=False):
    """Runs the cases of unittest in the main module (or those that the command line names). LACKING says what they need and
    this machine does not have. FAILFAST: a failure is the last."""
    if lacking:
        print(f"1..0 # SKIP {lacking}")
        sys.exit(0)
    _Runner.failfast = failfast or bool(os.environ.get("PARTICLEOS_TEST_FAILFAST"))
    unittest.main(testRunner=_Runner)
