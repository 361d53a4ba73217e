# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running as an ordinary user who has a range of subordinate IDs."""

import atexit
import fcntl
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

from particleos import PROGRAM, SOURCE, WORK, call, environment, need
from tap import Skip

NAME = "particleos-test"


def _has_range(name):
    return all(re.search(rf"^{name}:", Path(file).read_text(), re.M) if Path(file).exists() else False
               for file in ("/etc/subuid", "/etc/subgid"))


# Tests at the same time share the user: each holds the lock, and the last one removes whom a test has made.
LOCK = f"/run/{NAME}.lock"
_lock = None


def _open_lock():
    return os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _make_user():
    """False when the user is there."""
    try:
        pwd.getpwnam(NAME)
        return False
    except KeyError:
        pass
    call("useradd", "--no-create-home", "--shell", "/bin/sh", NAME)
    if not _has_range(NAME):
        call("usermod", "--add-subuids", "700000-765535", "--add-subgids", "700000-765535", NAME)
    return True


def _leave_user():
    os.close(_lock)
    lock = _open_lock()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if Path(LOCK).read_text() == "made":
        subprocess.run(["userdel", NAME], capture_output=True)
        Path(LOCK).write_text("")


def need_user():
    """An ordinary user: whoever runs the tests, or one that root makes for the time of the tests."""
    need("newuidmap", "newgidmap", "setpriv")
    if os.geteuid() != 0:
        user = pwd.getpwuid(os.geteuid())
        if not _has_range(user.pw_name):
            raise Skip(f"{user.pw_name} has no range in /etc/subuid and /etc/subgid")
        return user
    need("useradd", "userdel")
    global _lock
    while not _lock:
        lock = _open_lock()
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _make_user():
            Path(LOCK).write_text("made")
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            pwd.getpwnam(NAME)  # somebody may have had the lock in between
            _lock = lock
            atexit.register(_leave_user)
        except KeyError:
            os.close(lock)
    return pwd.getpwnam(NAME)


def open_to_user(directory, user):
    """Gives a directory with all that is in it to USER."""
    if os.geteuid() == 0:
        call("chown", "--recursive", f"{user.pw_uid}:{user.pw_gid}", directory)


def private_packages(directory, user):
    """The packages that were downloaded before, as a cache of USER's own."""
    cache = Path(directory) / "packages"
    shutil.copytree(WORK / "packages", cache, symlinks=True)
    open_to_user(cache, user)
    return cache


# Where the sources lie below a directory that is closed to others (/root), the user sees them nevertheless, at the same
# place, in a mount namespace of his own.
_OPEN = """
set -e
source=$1; user=$2; shift 2
closed=
path=$source
while [ "$path" != / ]; do
        path=$(dirname "$path")
        setpriv --reuid="$user" --regid="$user" --clear-groups test -x "$path" || closed=$path
done
if [ -n "$closed" ]; then
        mount --make-rprivate /
        mount --rbind "$source" /mnt
        mount -t tmpfs -o mode=755 tmpfs "$closed"
        mkdir -p "$source"
        mount --move /mnt "$source"
fi
exec "$@"
"""


def user_command(user, *command, cwd, env=None, umask=0o022):
    """(words, environment) that run a command as USER, with an environment of its own. The process that is started becomes it."""
    home = WORK / f"home-{Path(sys.argv[0]).stem}"
    home.mkdir(parents=True, exist_ok=True)
    open_to_user(home, user)
    new = {"PATH": environment()["PATH"], "HOME": str(home), "USER": user.pw_name, "LOGNAME": user.pw_name, **(env or {})}
    helper = PROGRAM.parent.parent / "sandbox/particleos-sandbox"
    if helper.exists():  # the program cannot always tell that it is in its build directory, behind so many mounts
        new["PARTICLEOS_SANDBOX"] = str(helper)
    words = ["sh", "-c", f"umask {umask:03o}; cd \"$1\"; shift; exec \"$@\"", "sh", cwd, *command]
    if os.geteuid() == 0:
        words = ["unshare", "--mount", "sh", "-c", _OPEN, "sh", SOURCE, user.pw_uid, "setpriv", f"--reuid={user.pw_uid}",
                 f"--regid={user.pw_gid}", "--init-groups", *words]
    return [str(word) for word in words], new


def as_user(user, *command, cwd, env=None, umask=0o022, status=0, **options):
    """Runs a command as USER, with an environment of its own; the result as of call()."""
    words, new = user_command(user, *command, cwd=cwd, env=env, umask=umask)
    return call(*words, env=new, status=status, cwd="/", **options)


def particleos_as(user, *arguments, **options):
    return as_user(user, PROGRAM, *arguments, **options)
