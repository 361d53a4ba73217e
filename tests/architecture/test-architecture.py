#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rooms use each other as docs/architecture.md says, and files do not go around in circles."""

import re
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/lib"))

import arrows  # noqa: E402
import circles  # noqa: E402
import documents  # noqa: E402
import sizes  # noqa: E402
from tap import run, test  # noqa: E402

SRC = TOP / "src"
ROOMS = arrows.read_rooms((TOP / "docs/architecture.md").read_text())


def none(problems):
    problems = list(problems)
    assert not problems, "\n" + "\n".join(problems)


@test("every #include of src/ is an arrow of the table in docs/architecture.md")
def _():
    assert len(ROOMS) > 10, f"the table has only {sorted(ROOMS)}"
    none(arrows.wrong_includes(SRC, ROOMS))


@test("unit tests include what their room may use")
def _():
    none(arrows.wrong_test_includes(TOP / "tests/unit", SRC, ROOMS, circles.TESTS))


@test("the rooms link what they include, and hand nothing on")
def _():
    none(arrows.wrong_dependencies(SRC, ROOMS))


@test("small rooms use few libraries")
def _():
    none(arrows.wrong_libraries(SRC, circles.LIBRARIES))


@test("rooms do not use each other in a circle, and all of the table exist")
def _():
    none(arrows.wrong_table(ROOMS))
    missing = [x for x in ROOMS if not (SRC / x).is_dir()]
    assert not missing, f"no rooms: {missing}"


@test("files do not include each other in a circle, but for those listed")
def _():
    none(arrows.wrong_circles(SRC, circles.CIRCLES))


@test("folders of a room use only those below them")
def _():
    none(arrows.wrong_folders(SRC, circles.FOLDERS, ROOMS))


@test("threads work for the task of the one that starts them")
def _():
    none(arrows.wrong_threads(SRC, ROOMS, circles.THREADS))


@test("libraries print nothing")
def _():
    none(arrows.wrong_prints(SRC, circles.PRINTING))


@test("libraries keep no state of the process, but for what is listed")
def _():
    none(arrows.wrong_statics(SRC, circles.PRINTING, circles.STATICS))


@test("meson knows every program of the suites integration and vm")
def _():
    for directory, suffix in (("integration", ""), ("vm", ".py")):
        place = TOP / "tests" / directory
        listed = set(re.findall(r"'([\w-]+)'", (place / "meson.build").read_text()))
        missing = [x.name for x in place.glob(f"test-*{suffix}") if x.name.removeprefix("test-").removesuffix(".py") not in listed]
        assert not missing, f"tests/{directory}/meson.build lacks {missing}"


@test("no file has more than 600 lines, no function more than 60")
def _():
    folders = ("src", "tests/unit", "tests/fuzz", "bench")
    none(sizes.wrong_sizes(TOP, [x for folder in folders for x in arrows.sources(TOP / folder)], circles.SIZES))


@test("no folder of src/ has more than fifteen sources")
def _():
    none(sizes.wrong_folder_sizes(SRC))


@test("functions of headers warn when nobody looks whether they failed")
def _():
    none(sizes.unwarned(TOP, sorted(SRC.rglob("*.h"))))


@test("documents name paths that exist")
def _():
    none([*documents.wrong_paths(TOP, "docs/architecture.md"), *documents.wrong_paths(TOP, "CONTRIBUTING.md")])


@test("the pictures of docs/architecture.md show the rooms as they are")
def _():
    document = (TOP / "docs/architecture.md").read_text()
    none([*documents.wrong_picture(document, ROOMS), *documents.wrong_flow(document, ROOMS)])


@test("docs/architecture.md lists the folders of rooms in their order")
def _():
    none(documents.wrong_folder_list((TOP / "docs/architecture.md").read_text(), circles.FOLDERS))


TABLE = """
| room | does | may use |
|---|---|---|
| `top` | all | all |
| `left` | one | base |
| `right` | other | base |
| `right/small` | program | |
| `base` | ground | |
"""


def tree(files):
    """A source tree in a temporary directory: path -> text."""
    directory = tempfile.TemporaryDirectory()
    for path, text in files.items():
        file = Path(directory.name, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return directory


GOOD = {
    "base/io.h": "", "base/io.c": '#include "base/io.h"\n#include <glib.h>\n',
    "left/a.h": '#include "base/io.h"\n', "left/a.c": '#include "a.h"\n#include "config.h"\n',
    "right/b.h": "", "right/b.c": '#include "right/b.h"\n',
    "right/small/main.c": "#include <stdio.h>\n",
    "top/main.c": '#include "left/a.h"\n#include "right/b.h"\n',
    "left/meson.build": "# not right_dep\nleft_lib = static_library('left', dependencies : [glib, base_dep])\nleft_dep = declare_dependency(link_with : left_lib)\n",
}


def judge(files, known=()):
    with tree({**GOOD, **files}) as directory:
        src = Path(directory)
        rooms = arrows.read_rooms(TABLE)
        return [*arrows.wrong_includes(src, rooms), *arrows.wrong_circles(src, known),
                *arrows.wrong_dependencies(src, rooms), *arrows.wrong_libraries(src, {"right/small": set(), "base": {"glib"}})]


def one(files, *words, known=()):
    found = judge(files, known)
    assert len(found) == 1 and all(x in found[0] for x in words), found


@test("the judge lets a good tree pass")
def _():
    none(judge({}))


@test("the judge sees a wrong arrow")
def _():
    one({"left/a.c": '#include "left/a.h"\n\n  #  include "right/b.h"\n'}, "src/left/a.c:3: left may not use right")
    one({"base/io.c": '#include "../left/a.h"\n'}, "src/base/io.c:1: base may not use left",
        known=[(("base/io", "left/a"), "tested elsewhere")])
    one({"right/small/main.c": '#include "right/b.h"\n'}, "right/small may not use right")
    one({"right/b.c": '#include "right/absent.h"\n'}, "src/right/b.c:1: there is no right/absent.h")
    one({"cellar/c.c": ""}, "src/cellar/c.c: lies in no room")


@test("the judge sees a wrong library and a wrong dependency")
def _():
    one({"right/small/main.c": "#include <glib.h>\n"}, "right/small may not use glib")
    one({"base/io.c": "#include <openssl/evp.h>\n"}, "base may not use openssl")
    lib = "left_lib = static_library('left', dependencies : [glib, {}])\nleft_dep = declare_dependency({})\n"
    one({"left/meson.build": lib.format("base_dep, right_dep", "link_with : left_lib")},
        "src/left/meson.build: left may not use right")
    one({"left/meson.build": lib.format("", "link_with : left_lib")}, "left includes base, so it has to name base_dep")
    one({"left/meson.build": lib.format("base_dep", "link_with : left_lib, dependencies : [glib]")},
        "left hands on what it uses")
    one({"left/a.h": ""}, "left does not include base")


@test("the judge sees a test of one room that uses another")
def _():
    with tree(GOOD) as src, tree({"left/test-a.c": '#include "base/io.h"\n#include "right/b.h"\n'}) as tests:
        found = list(arrows.wrong_test_includes(Path(tests), Path(src), arrows.read_rooms(TABLE)))
    assert len(found) == 1 and "tests/unit/left/test-a.c:2: a test of left may not use right" in found[0], found


CIRCLE = {"left/a.h": '#include "base/io.h"\n#include "left/b.h"\n', "left/b.h": "", "left/b.c": '#include "left/c.h"\n',
          "left/c.h": '#include "left/a.h"\n'}


@test("the judge sees a circle through a header and a source")
def _():
    one(CIRCLE, "left/a -> left/b -> left/c -> left/a")


@test("the judge sees a folder that uses a higher one, and a file in none")
def _():
    files = {"left/low/a.h": "", "left/low/a.c": '#include "left/high/b.h"\n', "left/high/b.h": '#include "left/low/a.h"\n',
             "left/high/b.c": '#include "base/io.h"\n', "left/c.c": "", "left/small/main.c": ""}
    with tree(files) as directory:
        found = list(arrows.wrong_folders(Path(directory), {"left": ("low", "high")}, ("left", "left/small")))
    assert len(found) == 2 and "src/left/c.c: lies in no folder" in found[0], found
    assert "src/left/low/a.c:1: left/low may not use left/high" in found[1], found


@test("a known circle passes, a larger one does not, and one that is gone is to be removed")
def _():
    none(judge(CIRCLE, [(("left/a", "left/b", "left/c"), "why")]))
    found = judge(CIRCLE, [(("left/a", "left/b"), "why")])
    assert len(found) == 2 and "a circle of 3 files" in found[0] and "no circle any more" in found[1], found
    one({}, "no circle any more", known=[(("left/a", "left/b"), "why")])


@test("the judge sees rooms that use each other, and one that does not exist")
def _():
    rooms = arrows.read_rooms(TABLE.replace("| ground | |", "| ground | left, attic |"))
    found = list(arrows.wrong_table(rooms))
    assert len(found) == 2 and "attic, which is no room" in found[0] and "base, left" in found[1], found


@test("the judge sees a thread without its task, and who prints")
def _():
    with tree({"left/a.c": '/* g_thread_new( */\n  g_thread_new("x", f, NULL);\nconst char *word = "printf(";\n  printf ("x");\n'}) as src:
        rooms = {"left": {"events"}, "events": set()}
        found = [*arrows.wrong_threads(Path(src), rooms, {}), *arrows.wrong_prints(Path(src), ("cli/",))]
        assert len(found) == 2 and "src/left/a.c:2:" in found[0] and "src/left/a.c:4:" in found[1], found
        none(arrows.wrong_prints(Path(src), ("left/",)))
        none(arrows.wrong_threads(Path(src), rooms, {"left/a.c": "why"}))
        found = list(arrows.wrong_threads(Path(src), rooms, {"left/a.c": "why", "left/b.c": "why"}))
        assert len(found) == 1 and "left/b.c" in found[0], found


@test("the judge sees wrong paths and pictures")
def _():
    rooms = arrows.read_rooms(TABLE)
    picture = "## The rooms in one picture\n\nWords.\n\n    top     programs\n    left    right\n    base\n"
    none(documents.wrong_picture(picture, rooms))
    found = list(documents.wrong_picture(picture.replace("    left    right\n    base", "    base    right"), rooms))
    assert len(found) == 2 and "lacks the room left" in found[0] and "right uses base" in found[1], found
    none(documents.wrong_flow("x ──left──▶ y", rooms))
    assert list(documents.wrong_flow("x ──attic──▶ y", rooms))
    with tree({"docs/a.md": "`src/there.c` `src/gone.c` `src/verb-NAME.c`", "src/there.c": ""}) as directory:
        found = list(documents.wrong_paths(Path(directory), "docs/a.md"))
    assert len(found) == 1 and "src/gone.c" in found[0], found


@test("the judge sees a wrong list of folders")
def _():
    folders = {"left": ("low", "high")}
    none(documents.wrong_folder_list("- `left`: `low` does one thing,\n  `high` another above `low`.\n", folders))
    for wrong in ("- `left`: `high`, `low`\n", "- `left`: `low`\n", "- `right`: `low`, `high`\n"):
        found = list(documents.wrong_folder_list(wrong, folders))
        assert len(found) == 1 and "the folders of left are low, high" in found[0], found


@test("the judge sees what is too long, and what does not warn")
def _():
    long = "int a(int x,\n        int y) {\n" + "    x++;\n" * 60 + "}\n"
    files = {"left/a.c": long, "left/b.c": "static const int t[] = {\n" + "    1,\n" * 601 + "};\nint b(void) {\n    return 1;\n}\n",
             "left/a.h": "/* gboolean no(GError **error); */\ngboolean a_do(int x,\n        GError **error);\n"
                         "gboolean b_do(GError **error) G_GNUC_WARN_UNUSED_RESULT;\ngboolean a_set_error(GError **error);\n"}
    with tree(files) as directory:
        src = Path(directory)
        found = list(sizes.wrong_sizes(src, arrows.sources(src), {}))
        assert len(found) == 2 and "left/a.c:1: 63 lines" in found[0] and "left/b.c: 606 lines" in found[1], found
        none(sizes.wrong_sizes(src, [src / "left/b.c"], {"left/b.c": "a table"}))
        found = list(sizes.unwarned(src, [src / "left/a.h"]))
        assert len(found) == 1 and "left/a.h:2: a_do" in found[0], found


@test("the judge sees a folder with sixteen sources, however deep")
def _():
    files = {f"src/left/low/{x}.c": "" for x in range(16)} | {f"src/left/low/{x}.h": "" for x in range(16)}
    files |= {f"src/left/{x}.c": "" for x in range(15)}
    with tree(files) as directory:
        found = list(sizes.wrong_folder_sizes(Path(directory, "src")))
        assert len(found) == 1 and "src/left/low: 16 sources" in found[0], found
        Path(directory, "src/left/low/0.c").unlink()
        none(sizes.wrong_folder_sizes(Path(directory, "src")))


@test("the judge sees a variable of the process")
def _():
    text = """static int f(int x) {
    static const char *const words[] = {"a"}; static const int n = 1;
    static char *last;
}
static const char *name = "x";
static struct { int a; } state;
static char *const empty[] = {NULL};
"""
    with tree({"left/a.c": text}) as src:
        found = list(arrows.wrong_statics(Path(src), ("cli/",), {("left/a.c", "last"): "why", ("left/b.c", "x"): "why"}))
    assert len(found) == 3 and "a.c:5: name" in found[0] and "a.c:6: struct" in found[1] and "left/b.c" in found[2], found


run()
