# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees of files as data, to compare them."""

import hashlib
import os
import stat


def _content(path, info):
    if stat.S_ISREG(info.st_mode):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    if stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        return f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
    return ""


def snapshot(top, ignore_times=False):
    """{path: everything that a file system keeps of it}; hard links are named by their first path."""
    top = os.fsencode(top)
    found, first = {}, {}

    def add(path, name):
        info = os.lstat(path)
        inode = (info.st_dev, info.st_ino)
        link = first.setdefault(inode, name) if not stat.S_ISDIR(info.st_mode) and info.st_nlink > 1 else ""
        found[os.fsdecode(name)] = {
            "mode": oct(info.st_mode),
            "owner": (info.st_uid, info.st_gid),
            "time": None if ignore_times else info.st_mtime_ns,
            "links": 0 if stat.S_ISDIR(info.st_mode) else info.st_nlink,
            "link": link,
            "content": _content(path, info),
            "xattrs": {x: os.getxattr(path, x, follow_symlinks=False) for x in sorted(os.listxattr(path, follow_symlinks=False))},
        }

    add(top, b".")
    for directory, names, plain in os.walk(top):
        names.sort()
        for name in sorted(names + plain):
            path = os.path.join(directory, name)
            add(path, os.path.relpath(path, top))
    return found


def differences(a, b, limit=20):
    """Lines that say how tree B differs from tree A; empty when they are equal."""
    lines = [f"only in the first: {path}" for path in sorted(a.keys() - b.keys())]
    lines += [f"only in the second: {path}" for path in sorted(b.keys() - a.keys())]
    for path in sorted(a.keys() & b.keys()):
        lines += [f"{path}: {what} {a[path][what]!r} became {b[path][what]!r}" for what in a[path] if a[path][what] != b[path][what]]
    return lines[:limit] + ([f"... {len(lines) - limit} more"] if len(lines) > limit else [])


def assert_equal(a, b, limit=20):
    lines = differences(a, b, limit)
    assert not lines, "\n".join(lines)
