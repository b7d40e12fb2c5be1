"""Crawl a web site, several pages at a time; a context ends what takes too long, or all of it.

    crawl --a group of goroutines for each level of links--> fetch --> the site

The site is this program's own, on 127.0.0.1: pages that link to each other. Some never answer,
some are broken, some links lead nowhere or elsewhere. Each page has a goroutine, and the group's
limit bounds how many fetch at once. The fetch is plain blocking urllib, in a system call: the
others run meanwhile. Each has a time limit of its own. Ctrl-C cancels the context of all: no
fetch begins any more, and those under way end within their time.

    python examples/crawler.py --pages 200 --limit 16 --timeout 0.5 --depth 5
"""

import argparse
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

import gmprt
from gmprt.context import Canceled, Context, DeadlineExceeded, signal_context, with_timeout
from gmprt.errgroup import Group

HREF = re.compile(r'href="([^"]*)"')
OPENER = build_opener(ProxyHandler({}))  # never by way of a proxy


@dataclass(frozen=True)
class Page:
    """What came of a fetch."""

    url: str
    outcome: str  # "ok", "timed out", or what went wrong
    links: frozenset[str] = frozenset()  # those within the site


def crawl(
    ctx: Context, start: str, pages: dict[str, Page], *, limit: int, timeout: float, depth: int
) -> None:
    """Put into `pages` what is at most `depth` links away from `start`.

    Raises: Canceled when the context is; none of the goroutines outlives this call.
    """
    level = {start}
    for distance in range(depth + 1):
        print(f"level {distance}: {len(level)} to fetch", flush=True)
        with Group(ctx, limit=limit) as group:
            for url in sorted(level):
                group.ctx.raise_if_done()
                group.go(visit, group, url, timeout, pages)  # waits while `limit` are at it
        found = {link for url in level for link in pages[url].links}
        level = found - pages.keys()
        if not level:
            return


def visit(group: Group, url: str, timeout: float, pages: dict[str, Page]) -> None:
    """Fetch a page and note what came of it."""
    group.ctx.raise_if_done()
    with with_timeout(group.ctx, timeout) as ctx:
        try:
            text = gmprt.syscall(read, ctx, url)
            ctx.raise_if_done()  # it may have been cut short
        except HTTPError as fault:
            fault.close()
            page = Page(url, f"{fault.code} {fault.reason}")
        except (OSError, HTTPException, DeadlineExceeded) as fault:
            group.ctx.raise_if_done()  # all of it ends, not just this one
            reason = getattr(fault, "reason", fault)  # urllib wraps what connecting fails of
            slow = isinstance(reason, TimeoutError | DeadlineExceeded)
            page = Page(url, "timed out" if slow else str(reason))
        else:
            links = {urljoin(url, link) for link in HREF.findall(text)}
            page = Page(url, "ok", frozenset(link for link in links if same_site(link, url)))
    pages[url] = page


def read(ctx: Context, url: str) -> str:
    """Get a page: the socket's time-out bounds each call that blocks, the context their sum."""
    deadline = ctx.deadline()
    left = None if deadline is None else max(deadline - time.monotonic(), 0.001)
    with OPENER.open(url, timeout=left) as response:
        text = b""
        while not ctx.err() and (chunk := response.read1()):
            text += chunk
    return text.decode(errors="replace")


def same_site(link: str, url: str) -> bool:
    return urlsplit(link)[:2] == urlsplit(url)[:2]


class Site(ThreadingHTTPServer):
    """Pages 0 to `pages` - 1, served by a thread a request: nothing of it is gmprt's."""

    daemon_threads = False  # so that closing it waits for them
    request_queue_size = 128

    def __init__(self, pages: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.pages = pages
        self.lock = threading.Lock()
        self.at_once = self.most_at_once = 0

    @property
    def start(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/0"

    def links(self, page: int) -> list[str]:
        """Link to two further pages, which may not exist, to one before, and out of the site."""
        return [f"/{2 * page + 1}", f"{2 * page + 2}", f"/{page // 2}", "https://127.0.0.1/0"]

    def is_slow(self, page: int) -> bool:
        return page % 10 == 7

    def is_broken(self, page: int) -> bool:
        return page % 10 == 4

    def take_time(self, page: int) -> None:
        time.sleep(0.01)

    def text(self, page: int) -> str:
        """Write a page, and count how many are being written."""
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.take_time(page)
        with self.lock:
            self.at_once -= 1
        return "".join(f'<a href="{link}">a link</a>\n' for link in self.links(page))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Site

    def do_GET(self) -> None:
        site, page = self.server, int(self.path[1:])
        if page >= site.pages:
            self.send_error(404)
        elif site.is_broken(page):
            self.send_error(500)
        elif site.is_slow(page):
            self.rfile.read(1)  # until the client hangs up
        else:
            text = site.text(page).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """Serve while the block runs."""
    accepting = gmprt.go(gmprt.syscall, site.serve_forever, 0.05)
    try:
        yield
    finally:
        gmprt.syscall(site.shutdown)
        accepting.join()
        gmprt.syscall(site.server_close)


def show(count: int, limit: int, timeout: float, depth: int) -> int:
    """Serve, crawl, print what was found, and tell the exit status."""
    pages: dict[str, Page] = {}
    site = Site(count)
    status = 0
    began = time.monotonic()
    with signal_context(signal.SIGINT) as ctx, serving(site):
        try:
            crawl(ctx, site.start, pages, limit=limit, timeout=timeout, depth=depth)
        except Canceled:
            print("interrupted")
            status = 130  # as a shell says of what SIGINT has ended
    took = time.monotonic() - began
    print(f"{len(pages)} pages in {took:.2f} seconds, at most {site.most_at_once} at once")
    outcomes = Counter(page.outcome for page in pages.values())
    for outcome, times in sorted(outcomes.items(), key=lambda item: (-item[1], item[0])):
        print(f"{times:6} {outcome}")
    return status


def natural(text: str) -> int:
    """Parse an option that counts something: an int of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def seconds(text: str) -> float:
    """Parse a time: more than none, at most an hour."""
    number = float(text)
    if not 0 < number <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return number


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="crawler", description="Crawl a site of this program's own, on 127.0.0.1."
    )
    parser.add_argument("--pages", type=natural, metavar="N", default=100, help="of the site")
    parser.add_argument("--limit", type=natural, metavar="N", default=8, help="fetches at a time")
    parser.add_argument("--timeout", type=seconds, metavar="S", default=0.5, help="of a fetch")
    parser.add_argument("--depth", type=natural, metavar="N", default=10, help="links to follow")
    options = parser.parse_args()
    try:
        return gmprt.run(show, options.pages, options.limit, options.timeout, options.depth)
    except KeyboardInterrupt:
        return 130  # before or after the context's time


if __name__ == "__main__":
    sys.exit(main())
