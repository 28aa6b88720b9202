"""Checks that every link and image of the book in a folder leads to a file and an anchor of it: links.py FOLDER."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, with their lines, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors.update(attrs[name] for name in ("id", "name") if attrs.get(name))
        self.links += [(self.getpos()[0], attrs[name]) for name in ("href", "src") if attrs.get(name)]


folder = Path(sys.argv[1]).resolve()
pages = {path: Page(path.read_text()) for path in folder.rglob("*.html")}
dead, checked = [], 0
for path, page in pages.items():
    for line, link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        # The page for missing pages is served from anywhere, so its links begin at the root of the site.
        target = folder / unquote(parts.path).lstrip("/") if parts.path.startswith("/") else path.parent / unquote(parts.path)
        target = target.resolve() if parts.path else path
        checked += 1
        anchors = pages[target].anchors if target in pages else {""}
        if not target.exists() or unquote(parts.fragment) not in anchors:
            dead.append(f"{path.relative_to(folder)}:{line}: {link}")
print("\n".join(dead) or f"{checked} links in {len(pages)} pages lead somewhere")
sys.exit(bool(dead) or not checked)
