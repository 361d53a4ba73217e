# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of the whole program share: where things are, and one built image for all of them."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tap import Skip

SOURCE = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BUILD", SOURCE / "build"))
PROGRAM = Path(os.environ.get("PARTICLEOS", BUILD / "src/cli/particleos")).resolve()
WORK = Path(os.environ.get("PARTICLEOS_TEST_WORK", BUILD / "test-work")).resolve()
RECIPE = SOURCE / "recipes/particleos"
EPOCH = "1700000000"

# Made by builds, not part of a recipe.
MADE = ("mkosi.cache", "mkosi.output", "mkosi.pkgcache", "mkosi.key", "mkosi.crt", "mkosi.*.key", "mkosi.*.crt",
        "mkosi.uefi.db", "import-pubring.gpg", "mkosi.local", "mkosi.local.conf")


def environment(**changes):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MKOSI_", "SOURCE_DATE"))}
    env["LC_ALL"] = "C.UTF-8"
    env.update(changes)
    return {name: value for name, value in env.items() if value is not None}


def call(*command, status=0, **options):
    """Runs a command; the result's stdout and stderr are text, unless they go elsewhere. STATUS None: any."""
    options.setdefault("env", environment())
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("errors", "replace")
    options.setdefault("timeout", 900)
    if "stdout" not in options:
        options["stdout"] = options["stderr"] = subprocess.PIPE
    result = subprocess.run([str(word) for word in command], text=options.get("text", True), **
                            {key: value for key, value in options.items() if key != "text"})
    if status is not None and result.returncode != status:
        raise AssertionError(f"{' '.join(str(word) for word in command)}\nexited with {result.returncode}, not {status}"
                             f"\n{(result.stdout or '')[-3000:]}\n{(result.stderr or '')[-6000:]}")
    return result


def particleos(*arguments, status=0, **options):
    return call(PROGRAM, *arguments, status=status, **options)


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            raise Skip(f"{program} is not installed")


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def copy_recipe(destination, keys=None):
    """A copy of our recipe to build in; KEYS is a directory with mkosi.key and mkosi.crt."""
    shutil.copytree(RECIPE, destination, symlinks=True, ignore=shutil.ignore_patterns(*MADE))
    if keys:
        for name in ("mkosi.key", "mkosi.crt"):
            shutil.copy2(Path(keys) / name, destination)
    return Path(destination)


def fresh(name):
    """An empty directory in the work directory."""
    path = WORK / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def package_options():
    """Packages are downloaded once for all tests."""
    cache = WORK / "packages"
    cache.mkdir(parents=True, exist_ok=True)
    return ["--package-cache-dir", str(cache)]


def build_options():
    """Of the image that the tests share."""
    return ["--profile", "minimal", "--force"]


def digest_of_inputs():
    """Over what the shared image is made from."""
    digest = hashlib.sha256()
    helper = PROGRAM.parent.parent / "sandbox/particleos-sandbox"
    files = [PROGRAM] + ([helper] if helper.exists() else [])
    for top in (RECIPE, SOURCE / "resources"):
        for directory, names, plain in os.walk(top):
            names[:] = sorted(name for name in names if name not in MADE)
            files += [Path(directory) / name for name in sorted(plain) if name not in (*MADE, "README.md")]
    for path in files:
        digest.update(str(path).encode() + b"\0")
        digest.update(os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def locked(name):
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def built_image():
    """The directory of our recipe, minimal flavour, signed with test keys and built: recipe copy, mkosi.key, mkosi.crt,
    mkosi.output/. Built at the first use, and again when the program or the recipe is another one."""
    made = os.environ.get("PARTICLEOS_TEST_IMAGE")
    if made and Path(made).is_dir():  # before, by hand
        return Path(made).resolve()
    directory = WORK / "image"
    stamp = WORK / "image.stamp"
    with locked("image"):
        digest = digest_of_inputs()
        if stamp.exists() and stamp.read_text() == digest:
            return directory
        stamp.unlink(missing_ok=True)
        keep = WORK / "image.keep"
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
        for name in MADE:  # keys stay, and so do caches: the program has to know when they do not fit any more
            if (directory / name).exists():
                os.rename(directory / name, keep / name)
        shutil.rmtree(directory, ignore_errors=True)
        copy_recipe(directory)
        for entry in keep.iterdir():
            os.rename(entry, directory / entry.name)
        keep.rmdir()
        if not (directory / "mkosi.key").exists():
            particleos("-C", directory, "genkey")
        print("# building the image that the tests share", file=sys.stderr, flush=True)
        particleos("-C", directory, *build_options(), *package_options(), "build",
                   env=environment(SOURCE_DATE_EPOCH=EPOCH))
        stamp.write_text(digest)
    return directory


def built_disk():
    """The disk image in it: the largest of its outputs."""
    return max((built_image() / "mkosi.output").glob("*.raw"), key=lambda path: path.stat().st_size)


def test_tree():
    """A Debian testing tree with the tools that judge our results."""
    if "PARTICLEOS_TEST_TREE" in os.environ:
        tree = Path(os.environ["PARTICLEOS_TEST_TREE"])
    else:
        maker = SOURCE / "tests/lib/tools-tree"
        if not maker.exists():
            raise Skip("PARTICLEOS_TEST_TREE is not set")
        made = call(maker, status=None)
        if made.returncode != 0:
            raise Skip(f"no tree with tools: {(made.stderr.strip().splitlines() or ['tools-tree failed'])[-1]}")
        tree = Path(made.stdout.strip().splitlines()[-1])
    if not (tree / "usr/bin").is_dir():
        raise Skip(f"{tree} is no tree with tools")
    return tree


# The tree stays as it is: everything is mounted in a private mount namespace.
_ENTER = """
set -e
tree=$1; work=$2; shift 2
mount --make-rprivate /
mount --rbind /dev "$tree/dev"
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount -t tmpfs tmpfs "$tree/run"
mount -t tmpfs tmpfs "$tree/tmp"
mount --rbind "$work" "$tree/mnt"
exec chroot "$tree" "$@"
"""


def in_test_tree(*command, work=None, **options):
    """Runs a command in the test tree; WORK (default: the work directory) is /mnt there."""
    need_root()
    return call("unshare", "--mount", "--pid", "--fork", "bash", "-c", _ENTER, "bash", test_tree(), work or WORK, *command,
                env=environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8", TMPDIR=None), **options)
