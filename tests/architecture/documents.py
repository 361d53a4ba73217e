# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the documents say of the code is so: paths exist, the pictures show the rooms that there are."""

import re

PATH = re.compile(r"`((?:src|tests|tools|docs|bench|recipes)/[\w./*-]+)`")
PICTURE = re.compile(r"^## The rooms in one picture\n.*?\n\n((?:    .*\n)+)", re.M | re.S)
FLOW = re.compile(r"──(\w+)──▶")


def wrong_paths(top, name):
    """Paths that the document NAME names and that are not there. What stands for many has capital letters or a star."""
    for path in sorted(set(PATH.findall((top / name).read_text()))):
        last = path.rsplit("/", 1)[-1]
        placeholder = re.search(r"\b[A-Z]{3,}\b", path) and last != "README.md"
        if not placeholder and not ("*" in path and list(top.glob(path))) and not (top / path).exists():
            yield f"{name}: there is no {path}"


def wrong_picture(document, rooms):
    """Families of rooms that the picture lacks, and arrows that go up in it."""
    found = PICTURE.search(document)
    if not found:
        yield "docs/architecture.md: there is no picture of the rooms"
        return
    families = {room.split("/")[0] for room in rooms}
    lines = [[x for x in line.split("   ")[0:] if x.strip()] for line in found[1].splitlines()]
    height = {}
    for level, words in enumerate(lines):
        for word in words:
            if word.strip() in families:
                height[word.strip()] = level
    for name in sorted(families - set(height)):
        yield f"docs/architecture.md: the picture lacks the room {name}"
    for room, used in rooms.items():
        for name in sorted(used):
            upper, lower = room.split("/")[0], name.split("/")[0]
            if upper != lower and height.get(upper, -1) >= height.get(lower, len(lines)):
                yield f"docs/architecture.md: {upper} uses {lower}, which is not below it in the picture"


def wrong_flow(document, rooms):
    """Rooms on the arrows of the pictures of data that do not exist."""
    families = {room.split("/")[0] for room in rooms} | set(rooms)
    for name in sorted(set(FLOW.findall(document)) - {x for y in families for x in y.split("/")}):
        yield f"docs/architecture.md: an arrow of data goes through {name}, which is no room"


def wrong_folder_list(document, folders):
    """Rooms of FOLDERS whose item in the list does not name their folders in order."""
    items = {x[0]: re.findall(r"`([\w/]+)`", x[1]) for x in re.findall(r"^- `([\w/]+)`:((?:.+\n)(?:  .+\n)*)", document, re.M)}
    for room, names in folders.items():
        seen = [x for x in dict.fromkeys(items.get(room, ())) if x in names]
        if seen != list(names):
            yield f"docs/architecture.md: the folders of {room} are {', '.join(names)}; the list has {', '.join(seen) or 'none'}"
