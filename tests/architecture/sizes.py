# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long files and functions are, how full folders, and what public headers promise."""

import re

from arrows import without_words

FILE_LINES = 600
FUNCTION_LINES = 60
FOLDER_SOURCES = 15
# The last parameter list before the body; macros that define things have no type in front of their name.
HEAD = re.compile(r"^(?!struct|typedef|enum|union|#|static const)[A-Za-z_][^;=]*\([^;]*\{$")
PROTOTYPE = re.compile(r"^gboolean (\w+)\(((?:[^;{}()]|\([^()]*\))*?GError \*\*(?:[^;{}()]|\([^()]*\))*?)\)(\s[^;{}]*)?;", re.M | re.S)
# Functions that only fill in an error; they return FALSE so that callers can return it.
FILLS_ERROR = re.compile(r"set_error|set_errno_error|_failed$|fail_errno|_refuse$")


def functions(text):
    """(first line, lines, head) of each function in TEXT, which the formatter wrote: bodies end with "}" alone."""
    lines = without_words(text).splitlines()
    number = 0
    while number < len(lines):
        head, end = lines[number], number
        if re.match(r"[A-Za-z_]", head):
            while end < len(lines) - 1 and not re.search(r"[;{}]\s*$", lines[end]) and lines[end].strip():
                end += 1
                head += " " + lines[end].strip()
            if HEAD.match(head.rstrip()):
                last = next((x for x in range(end, len(lines)) if lines[x] == "}"), len(lines) - 1)
                yield number + 1, last - number + 1, head
                end = last
        number = max(end, number) + 1


def wrong_folder_sizes(src):
    """Folders of SRC with more sources than one looks through at a glance."""
    for folder in sorted([src, *(x for x in src.rglob("*") if x.is_dir())]):
        count = len(list(folder.glob("*.c")))
        if count > FOLDER_SOURCES:
            yield f"{folder.relative_to(src.parent)}: {count} sources in one folder; give it folders (FOLDERS of circles.py)"


def wrong_sizes(top, sources, known):
    """Files and functions that are too long. KNOWN: file -> why it may be."""
    seen = set()
    for path in sources:
        name, text = str(path.relative_to(top)), path.read_text(errors="replace")
        count = text.count("\n")
        seen |= {name} if count > FILE_LINES else set()
        if count > FILE_LINES and name not in known:
            yield f"{name}: {count} lines; a file has at most {FILE_LINES}"
        for line, length, head in functions(text):
            if length > FUNCTION_LINES:
                yield f"{name}:{line}: {length} lines; a function has at most {FUNCTION_LINES} ({head[:60]})"
    for name in sorted(set(known) - seen):
        yield f"circles.py lists {name}, which is not too long any more: remove the entry"


def unwarned(top, headers):
    """Functions whose failure a caller could overlook: gboolean ones with a GError that say nothing when it is not used."""
    for path in headers:
        text = without_words(path.read_text(errors="replace"))
        for found in PROTOTYPE.finditer(text):
            attributes = found[3] or ""
            if "WARN_UNUSED_RESULT" in attributes or "PRINTF" in attributes or FILLS_ERROR.search(found[1]):
                continue
            line = text.count("\n", 0, found.start()) + 1
            yield f"{path.relative_to(top)}:{line}: {found[1]} lacks G_GNUC_WARN_UNUSED_RESULT"
