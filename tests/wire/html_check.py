# SPDX-License-Identifier: ISC
"""Is it HTML 5 as we want it?  Balanced, complete, nothing left bare."""

import html.parser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link",
        "meta", "source", "track", "wbr"}
# End tags that HTML 5 lets one leave out (13.1.2.4 of the standard).
OPTIONAL_END = {"html", "head", "body", "p", "li", "dt", "dd", "tr", "td",
                "th", "thead", "tbody", "tfoot", "colgroup", "option"}


class Page(html.parser.HTMLParser):
    """What a reader of the page gets: its text, links and tags."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.links = []
        self.tags = []
        self.text = ""
        self.title = ""
        self.doctype = None

    def handle_decl(self, decl):
        assert not self.tags, "the doctype comes first"
        self.doctype = decl

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"<{tag}>: attribute twice"
        self.links += [v for n, v in attributes if n == "href" and tag == "a"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag not in VOID, f"</{tag}>"
        while self.open and self.open[-1] != tag:
            assert self.open[-1] in OPTIONAL_END, \
                f"</{tag}> closes <{self.open[-1]}>"
            self.open.pop()
        assert self.open, f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "title":
            self.title += data

    def unknown_decl(self, data):
        raise AssertionError(f"<![{data}")


def check_html(body):
    """Asserts that body is a whole page; returns what is on it."""
    page = Page()
    page.feed(body.decode("utf-8"))
    page.close()
    assert page.doctype and page.doctype.lower() == "doctype html"
    assert set(page.open) <= OPTIONAL_END, f"not closed: {page.open}"
    assert page.title.strip()
    return page
