# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges of pages that come from the npm registry: each in one version, with the digest that it has to have."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from particleos import call, environment, locked
from tap import Skip

# "dist.integrity" of the registry.
AXE = ("axe-core", "4.14.1", "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==")
VNU = ("vnu-jar", "26.9.27", "TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxBexLz9+rS2DNtjn7+RPUiZhgli0SghgBX6RJRNea0KA==")


def cache():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "particleos/npm"


def package(name, version, digest):
    """The directory of the package, fetched by npm at the first use. Nothing of it is run by npm."""
    place = cache() / f"{name}-{version}"
    with locked(f"npm-{name}"):
        if place.is_dir():
            return place
        if not shutil.which("npm"):
            raise Skip("npm is not installed")
        made = place.with_name(f"{place.name}.{os.getpid()}")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        got = call("npm", "pack", "--ignore-scripts", f"{name}@{version}", "--pack-destination", made, status=None, cwd=made)
        if got.returncode:
            raise Skip(f"npm has no {name}@{version}: {got.stderr.strip().splitlines()[-1:]}")
        archive = next(made.glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert found == digest, f"{archive.name} is not the {name} that was pinned: sha512-{found}"
        call("tar", "-xzf", archive, "-C", made)
        archive.unlink()
        try:
            made.rename(place)
        except OSError:  # another tree's test was faster
            assert place.is_dir()
            shutil.rmtree(made)
    return place


def axe():
    """The script of axe-core."""
    return (package(*AXE) / "package/axe.min.js").read_text()


def vnu():
    """The Nu HTML checker of the W3C."""
    if not shutil.which("java"):
        raise Skip("java is not installed")
    return package(*VNU) / "package/build/dist/vnu.jar"


def judge_html(jar, directory):
    """What the checker JAR says of the pages in DIRECTORY, which are *.html: a list of messages, warnings too."""
    pages = sorted(Path(directory).glob("*.html"))
    done = subprocess.run(["java", "-Xss8m", "-jar", jar, "--format", "json", "--exit-zero-always", *pages], capture_output=True,
                          text=True, timeout=600, stdin=subprocess.DEVNULL, env=environment())
    messages = json.loads(done.stderr or done.stdout)["messages"]
    return [f"{Path(m.get('url', '')).name}:{m.get('lastLine')}: {m['type']}: {m['message']} — {m.get('extract', '').strip()[:160]}" for m in messages]
