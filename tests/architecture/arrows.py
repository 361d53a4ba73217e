# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which file includes which, and what the rules say about that.

The table of rooms in docs/architecture.md is the rule: a file of a room includes headers of its own room and of the
rooms in the last column of its row. The rules of files are in circles.py."""

import functools
import os
import re
from pathlib import Path

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
DEPENDENCY = re.compile(r"\b(\w+)_dep\b")
ROW = re.compile(r"^\| `([\w/]+)` \|.*\|([^|]*)\|$", re.M)
# A header made by the build; it belongs to no room.
GENERATED = {"config.h", "schema-resources.h", "units-resources.h", "web-resources.h", "vm/report-script.inc"}
# Who includes a library, by the start of the header's name.
LIBRARIES = {
    "glib": "glib", "gio/": "gio", "json-glib/": "json-glib", "openssl/": "openssl", "archive": "libarchive",
    "libfdisk": "libfdisk", "libkmod": "libkmod", "libsoup/": "libsoup", "curl/": "libcurl", "seccomp": "libseccomp",
    "zstd": "libzstd", "zlib": "zlib", "lzma": "liblzma", "lz4": "lz4", "bzlib": "bzip2", "blkid/": "libblkid",
    "sqlite3": "sqlite",
}


def read_rooms(document):
    """The rooms that each room may use, by the table in the text DOCUMENT."""
    rows = {name: used.strip() for name, used in ROW.findall(document)}
    return {name: set(rows) if used == "all" else set(re.findall(r"[\w/]+", used)) for name, used in rows.items()}


def room_of(path, rooms):
    """The room that PATH, relative to src/ or tests/unit/, lies in: the longest name that fits."""
    fits = [x for x in rooms if path.startswith(x + "/")]
    return max(fits, key=len) if fits else None


def sources(directory):
    return sorted(x for x in directory.rglob("*") if x.suffix in (".c", ".h", ".inc"))


def resolve(path, name, src):
    """The header in SRC that "NAME" in the file PATH means, relative to SRC; None when it is not one of SRC."""
    for directory in (path.parent, src):
        header = os.path.relpath(os.path.join(directory, name), src)
        if not header.startswith("../") and os.path.isfile(os.path.join(src, header)):
            return header
    return None


@functools.cache
def includes(path, src):
    """(line number, header relative to SRC or None, name, TRUE for one of the system) for each #include of PATH."""
    text = path.read_text(errors="replace")
    found_all = []
    for found in INCLUDE.finditer(text):
        system = found[1] == "<"
        line = text.count("\n", 0, found.start()) + 1
        found_all.append((line, None if system else resolve(path, found[2], src), found[2], system))
    return found_all


def wrong_includes(src, rooms):
    """Arrows that the table does not have, and headers that are nowhere."""
    for path in sources(src):
        relative = str(path.relative_to(src))
        room = room_of(relative, rooms)
        if room is None:
            yield f"src/{relative}: lies in no room of docs/architecture.md"
            continue
        for line, header, name, system in includes(path, src):
            if system or name in GENERATED:
                continue
            if header is None:
                yield f"src/{relative}:{line}: there is no {name}"
                continue
            used = room_of(header, rooms)
            if used != room and used not in rooms[room]:
                yield f"src/{relative}:{line}: {room} may not use {used} ({name})"


def wrong_folders(src, folders, rooms):
    """FOLDERS: room -> its folders, lower ones first. A file of a folder includes that and lower ones, not what is higher.
    Folders that are rooms of their own have their arrows in the table."""
    for room, names in folders.items():
        for path in sources(src / room):
            if room_of(str(path.relative_to(src)), rooms) != room:
                continue
            parts = path.relative_to(src / room).parts
            if len(parts) == 1 or parts[0] not in names:
                yield f"src/{path.relative_to(src)}: lies in no folder of circles.py"
                continue
            for line, header, name, _ in includes(path, src):
                inside = header.removeprefix(room + "/").split("/")[0] if header and header.startswith(room + "/") else None
                if inside in names and names.index(inside) > names.index(parts[0]):
                    yield f"src/{path.relative_to(src)}:{line}: {room}/{parts[0]} may not use {room}/{inside} ({name})"


def wrong_test_includes(tests, src, rooms, more=()):
    """Tests of a room see what the room sees; those of a family of rooms (format/) what all of them see. MORE: pairs of a
    room and another one that its tests use to make what they judge."""
    for path in sources(tests):
        relative = str(path.relative_to(tests))
        room = room_of(relative, rooms)
        family = {x for x in rooms if not room and x.startswith(relative.split("/")[0] + "/")}
        seen = family.union(rooms.get(room, ()), *(rooms[x] for x in family))
        for line, header, name, _ in includes(path, src):
            used = room_of(header, rooms) if header else None
            if used and used != room and used not in seen and (room or relative.split("/")[0], used) not in more:
                yield f"tests/unit/{relative}:{line}: a test of {room} may not use {used} ({name})"


def wrong_libraries(src, allowed):
    """ALLOWED: room -> libraries; other rooms are not looked at."""
    for path in sources(src):
        relative = str(path.relative_to(src))
        room = room_of(relative, allowed)
        if room is None:
            continue
        for line, _, name, system in includes(path, src):
            library = next((x for start, x in LIBRARIES.items() if name.startswith(start)), None) if system else None
            if library and library not in allowed[room]:
                yield f"src/{relative}:{line}: {room} may not use {library}"


def included_rooms(src, room, rooms):
    found = {room_of(header, rooms) for path in sources(src / room) if room_of(str(path.relative_to(src)), rooms) == room
             for _, header, _, _ in includes(path, src) if header}
    return found - {room}


def dependency_of(room):
    """What meson.build calls ROOM."""
    return f"{room.replace('/', '_')}_dep"


def wrong_dependencies(src, rooms):
    """Rooms that a meson.build links although the table does not have that arrow, or without need; rooms that are used
    without being named there; and dependencies that are handed on to whoever uses the room."""
    for room in rooms:
        build = src / room / "meson.build"
        if not build.is_file():
            continue
        # Comments may name what they like; "NAME_dep = " is what the room itself offers.
        text = re.sub(r"#.*", "", build.read_text())
        words = {f"{x}_dep" for x in DEPENDENCY.findall(text)}
        named = {x for x in rooms if dependency_of(x) in words} - {room}
        included = included_rooms(src, room, rooms)
        for name in sorted(named - rooms[room]):
            yield f"src/{room}/meson.build: {room} may not use {name}"
        for name in sorted(named & rooms[room] - included):
            yield f"src/{room}/meson.build: {room} does not include {name}"
        for name in sorted(included & rooms[room] - named):
            yield f"src/{room}/meson.build: {room} includes {name}, so it has to name {dependency_of(name)}"
        if re.search(r"declare_dependency\((?!link_with : \w+_lib\))", text):
            yield f"src/{room}/meson.build: {room} hands on what it uses; its users name that themselves"


THREAD = re.compile(r"\bg_thread_(?:try_)?new\b|\bg_thread_pool_new\w*|\bpthread_create\b")
PRINT = re.compile(r"(?<![\w.>])(?:v?printf|puts|putchar|perror|g_print|g_printerr|v?fprintf|fputs|fputc)\s*\(|\bstd(?:out|err)\b(?!-)")
STRING = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def without_words(text):
    """TEXT without comments and strings; the lines stay."""
    return STRING.sub(lambda found: "\n" * found[0].count("\n"), text)


def wrong_threads(src, rooms, known):
    """Threads that do not inherit the task of the one that starts them (task_thread_new() of events/task.h), in rooms that
    report events. KNOWN: file -> why it reports nothing."""
    seen = set()
    for path in sources(src):
        relative = str(path.relative_to(src))
        if "events" not in rooms.get(room_of(relative, rooms), ()) or relative.startswith(("cli/", "ui/")):
            continue
        for number, line in enumerate(without_words(path.read_text(errors="replace")).splitlines(), 1):
            found = THREAD.search(line)
            seen |= {relative} if found else set()
            if found and relative not in known:
                yield f"src/{relative}:{number}: {found[0]} starts a thread without the task (task_thread_new)"
    for name in sorted(set(known) - seen):
        yield f"circles.py lists {name}, which starts no thread any more: remove the entry"


def wrong_prints(src, printing):
    """What is printed outside of the rooms PRINTING."""
    for path in sources(src):
        relative = str(path.relative_to(src))
        if relative.startswith(printing):
            continue
        for number, line in enumerate(without_words(path.read_text(errors="replace")).splitlines(), 1):
            if found := PRINT.search(line):
                yield f"src/{relative}:{number}: a library prints ({found[0].strip('(')})"


STATIC = re.compile(r"^[ \t]*static\s+(?!inline\b|_Noreturn\b)([^;={(]*?)\s*(?:\[[^\]]*\]\s*)*[=;{,]", re.M)


def _is_constant(declaration):
    before, pointer, name = declaration.rpartition("*")
    return bool(re.match(r"\s*const\b", name) if pointer else re.search(r"\bconst\b", declaration))


def wrong_statics(src, printing, known):
    """Variables of the process in rooms other than PRINTING: two tasks in it would share them. KNOWN: (file, name) -> why that
    does not matter."""
    seen = set()
    for path in sources(src):
        relative = str(path.relative_to(src))
        text = without_words(path.read_text(errors="replace"))
        for found in () if relative.startswith(printing) else STATIC.finditer(text):
            if _is_constant(found[1]):
                continue
            name = re.search(r"\w+$", found[1].strip())[0]
            seen.add((relative, name))
            if (relative, name) not in known:
                line = text.count("\n", 0, found.start(1)) + 1
                yield f"src/{relative}:{line}: {name} is a variable of the process; it belongs into an object"
    for relative, name in sorted(set(known) - seen):
        yield f"circles.py lists {name} of {relative}, which is not there any more: remove the entry"


def components(graph):
    """The groups of nodes of GRAPH (node -> nodes) that reach each other: its circles (Tarjan, without recursion)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in sorted(graph):
        work = [(start, None)]
        while work:
            node, rest = work.pop()
            if rest is None:
                if node in index:
                    continue
                index[node] = low[node] = len(index)
                stack.append(node)
                on_stack.add(node)
                rest = iter(sorted(graph.get(node, ())))
            for other in rest:
                if other not in index:
                    work += [(node, rest), (other, None)]
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                if low[node] == index[node]:
                    at = stack.index(node)
                    group, stack[at:] = stack[at:], []
                    on_stack.difference_update(group)
                    found.append(set(group))
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
    return [x for x in found if len(x) > 1]


def file_graph(src):
    """Which pair (NAME.c and NAME.h, called NAME) includes which."""
    graph = {}
    for path in sources(src):
        node = str(path.relative_to(src).with_suffix(""))
        seen = graph.setdefault(node, set())
        for _, header, _, _ in includes(path, src):
            other = str(Path(header).with_suffix("")) if header else node
            if other != node:
                seen.add(other)
    return graph


def circle_text(group, graph):
    """One way around in GROUP."""
    way = [min(group)]
    while way[-1] not in way[:-1]:
        way.append(min(x for x in graph[way[-1]] if x in group))
    return " -> ".join(way[way.index(way[-1]):])


def wrong_circles(src, known):
    """KNOWN: lists of names and a reason each. A circle may become smaller than the known one, never larger."""
    graph = file_graph(src)
    groups = components(graph)
    for group in groups:
        if not any(group <= set(names) for names, _ in known):
            yield f"a circle of {len(group)} files: {circle_text(group, graph)} (all: {', '.join(sorted(group))})"
    for names, _ in known:
        if not any(group <= set(names) for group in groups):
            yield f"circles.py lists {', '.join(names)}, which is no circle any more: remove the entry"


def wrong_table(rooms):
    """Rooms that use each other, or that do not exist."""
    for room, used in rooms.items():
        for name in sorted(used - set(rooms)):
            yield f"docs/architecture.md: {room} may use {name}, which is no room"
    graph = {room: (used & set(rooms)) - {room} for room, used in rooms.items()}
    for group in components(graph):
        yield f"docs/architecture.md: the rooms {', '.join(sorted(group))} use each other"
