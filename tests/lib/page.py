# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges pages: strict about what HTML requires, deaf to what a stranger writes into them."""

from html.parser import HTMLParser

EMPTY = {"br", "hr", "img", "input", "link", "meta"}
KNOWN = EMPTY | set("a article aside body button caption code dd details div dl dt em fieldset footer form h1 h2 h3 head header html "
                    "label legend li main nav ol option p pre script section select small span strong summary table tbody td "
                    "textarea th thead time title tr ul progress".split())
PARENTS = {"li": {"ul", "ol"}, "tr": {"thead", "tbody"}, "td": {"tr"}, "th": {"tr"}, "option": {"select"}, "summary": {"details"},
           "caption": {"table"}, "thead": {"table"}, "tbody": {"table"}}
# What a <p> may hold, roughly: no block.
IN_P = {"a", "button", "code", "em", "img", "input", "label", "select", "option", "small", "span", "strong", "textarea", "time", "br"}


class Page(HTMLParser):
    """Raises AssertionError when the text is no page as it should be. Afterwards: text, tags, links, forms."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.tags, self.ids, self.text, self.labels, self.inputs = [], [], set(), "", set(), []
        self.links, self.references, self.names = [], [], {}
        assert text.startswith("<!DOCTYPE html>\n<html lang="), f"no page: {text[:80]!r}"
        self.feed(text)
        self.close()
        assert not self.stack, f"{self.stack} are not closed"
        count = [tag for tag, _ in self.tags].count
        assert count("h1") == 1 and count("main") == 1 and count("title") == 1, "it needs one h1, one main and one title"
        assert count("script") == 1 and count("link") == 1, "it has scripts or styles that are not ours"
        for name, hidden in self.inputs:
            assert hidden or name in self.labels, f"the field {name} has no label"
        for name in self.references:
            assert name in self.ids, f"something refers to #{name}, which is not there"
        headings = [int(tag[1]) for tag, _ in self.tags if tag in ("h1", "h2", "h3")]
        assert all(b - a <= 1 for a, b in zip(headings, headings[1:])), f"headings leave out a level: {headings}"

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        assert tag in KNOWN, f"there is a <{tag}>"
        assert len(attributes) == len(pairs), f"<{tag}> has an attribute twice"
        assert not any(name.startswith("on") or name in ("style", "srcdoc", "formaction") for name in attributes), f"<{tag} {pairs}>"
        parent = self.stack[-1] if self.stack else None
        if tag in PARENTS:
            assert parent in PARENTS[tag], f"<{tag}> in <{parent}>"
        if "p" in self.stack:
            assert tag in IN_P, f"<{tag}> in a <p>"
        assert not (tag == "a" and "a" in self.stack) and not (tag == "form" and "form" in self.stack), f"<{tag}> in a <{tag}>"
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            if value is not None:
                assert value.startswith(("/", "#", "?", "http://", "https://")) and not value.startswith("//"), f"{name}={value!r}"
                if not value.startswith(("/", "#", "?")):
                    assert tag == "a" and "noopener" in attributes.get("rel", ""), f"<{tag} {name}={value!r}>"
                self.links.append(value)
        if "id" in attributes:
            assert attributes["id"] not in self.ids and " " not in attributes["id"], f"the id {attributes['id']} is there twice"
            self.ids.add(attributes["id"])
        self.references += attributes.get("aria-describedby", "").split()
        if tag == "label":
            self.labels.add(attributes.get("for"))
        if tag in ("input", "select", "textarea"):
            hidden = attributes.get("type") == "hidden" or "label" in self.stack
            self.inputs.append((attributes.get("id"), hidden))
        if tag == "img":
            assert "alt" in attributes, "an image has no text"
        if tag == "form" and attributes.get("method") != "post" and attributes.get("role") != "search":
            raise AssertionError("a form that is sent by GET")
        if tag == "script":
            assert attributes.get("src", "").startswith("/static/"), f"a script that is not ours: {pairs}"
        self.tags.append((tag, attributes))
        if tag in ("a", "button"):
            self.names[len(self.tags) - 1] = attributes.get("aria-label") or ""
        if tag not in EMPTY:
            self.stack.append(tag)
            self.open = len(self.tags) - 1

    def handle_startendtag(self, tag, pairs):
        raise AssertionError(f"<{tag}/> is no HTML")

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, f"</{tag}> where {self.stack[-1:]} is open"
        self.stack.pop()
        if tag in ("a", "button"):
            assert self.names[max(self.names)].strip(), f"a <{tag}> without a name: {self.tags[max(self.names)]}"

    def handle_data(self, data):
        assert self.stack or not data.strip(), f"text outside: {data[:80]!r}"
        assert "script" not in self.stack or not data, "a script in the page"
        self.text += data
        if self.names and any(tag in ("a", "button") for tag in self.stack):
            self.names[max(self.names)] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:80]!r}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data[:80]!r}")

    def handle_pi(self, data):
        raise AssertionError(f"a processing instruction: {data[:80]!r}")
