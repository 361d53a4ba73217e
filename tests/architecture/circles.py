# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the rules of arrows.py let pass, each with its reason. Entries only go; a new circle is a design to mend."""

PRIVATE = "a header for the sources of one module alone, which includes the public one"
STRUCTS = "one set of structs, seen by all its files; the functions have an order, the headers do not"

CIRCLES = [
    (("format/compress/compressor", "format/compress/compressor-method"), PRIVATE),
    (("format/fat/fat-internal", "format/fat/fat-reader"), PRIVATE),
    (("image/disk/disk", "image/disk/disk-private"), PRIVATE),
    (("inspect/verdict/inspect", "inspect/verdict/inspect-internal"), PRIVATE),
    (("sandbox/sandbox", "sandbox/sandbox-private"), PRIVATE),
    (("update/http/http", "update/http/http-private"), PRIVATE),
    (("update/transfer/transfer", "update/transfer/transfer-private"), PRIVATE),
    (("update/job/update", "update/job/update-private"), PRIVATE),
    (("vm/machine/machine", "vm/machine/machine-private"), PRIVATE),
    (("format/erofs/writer/erofs-cluster", "format/erofs/writer/erofs-compress", "format/erofs/writer/erofs-data", "format/erofs/writer/erofs-index",
      "format/erofs/writer/erofs-label", "format/erofs/writer/erofs-metadata", "format/erofs/writer/erofs-tree", "format/erofs/writer/erofs-writer"), STRUCTS),
    (("format/efi/uki/pcr", "format/efi/uki/uki", "format/efi/uki/uki-sections", "format/efi/uki/uki-stub", "format/efi/uki/uki-text"), STRUCTS),
]

# Folders of rooms that have an order: a file includes its own folder and those before it.
FOLDERS = {
    "recipe": ("language", "values", "result", "reading"),
    "crypto": ("sources", "certificates", "keys", "generate", "cms"),
    "signer": ("text", "request", "policy", "log", "judges", "answer"),
    "distro/rpm": ("family", "run", "database", "metadata", "managers"),
    "vm": ("host", "console", "qemu", "container", "machine"),
    "update": ("transfer", "http", "source", "device", "job"),
    "kitchen/model": ("database", "people", "projects", "builds", "results"),
    "inspect": ("disk", "boot", "verdict", "links"),
    "image": ("definitions", "plan", "volumes", "disk"),
}

# Libraries of rooms that are small on purpose. Other rooms say what they use in their meson.build alone.
LIBRARIES = {
    "text": {"glib"},
    "base": {"glib", "openssl"},
    "sandbox/program": {"libseccomp"},
    "crypto": {"glib", "openssl"},
    "recipe": {"glib", "json-glib"},
    "events": {"glib"},
    "ui": {"glib", "json-glib"},
}

# What tests of a room use to make what they judge.
TESTS = {
    ("format", "events"): "a program with all that a client on a device uses, to see what it links",
    ("inspect", "format/erofs/writer"): "writes the images that are inspected",
}

# Threads that do not work for the task of the one that starts them.
THREADS = {
    "sandbox/relay.c": "carries bytes",
    "distro/apt/package-tars.c": "a pool whose threads enter the task themselves",
    "pipeline/kernel/kernel-tree.c": "a pool that reads kernel modules, and collects errors",
}

# Files that are longer than others may be.
SIZES = {}

# Rooms of programs: what they print is for whoever called them. The others report events.
PRINTING = ("cli/", "ui/", "sandbox/program/", "signer/program/", "kitchen/worker/", "kitchen/fetch/", "kitchen/program/",
            "update/program/")

# Variables of the process in libraries: file and name (of what has none, its type).
CONSTANT = "made once from constants"
HOST = "asked once; a fact of the host or of the process"
STATICS = {
    ("events/task.c", "current"): "for which task a thread works",
    ("events/secrets.c", "done"): CONSTANT,
    ("events/secrets.c", "regexes"): CONSTANT,
    ("recipe/language/settings.c", "names"): CONSTANT,
    ("recipe/language/settings.c", "done"): CONSTANT,
    ("crypto/keys/key-session.c", "index"): "OpenSSL numbers such things once",
    ("recipe/reading/conditions.c", "version"): HOST,
    ("sandbox/child.c", "path"): HOST,
    ("sandbox/debug.c", "path"): HOST,
    ("sandbox/identity.c", "struct"): HOST,
    ("sandbox/run.c", "terminal"): "who has the one terminal of the process",
}
