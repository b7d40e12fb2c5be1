"""The crawler example: against the graph of its own site, its limits, its time-outs and Ctrl-C.

Every child runs with GMPRT_LEAKS=error, so a goroutine left behind is a status of 66 and a dump
where these tests want an empty standard error; a thread left behind would keep it from ending.
"""

import os
import re
import signal
from collections import Counter

import pytest

from tests.support import Finished, run_prog, start_prog, wait_prog
from tests.support.progs import ROOT

CRAWLER = ROOT / "examples" / "crawler.py"
STRICT = {"GMPRT_LEAKS": "error", "PYTHONPATH": f"{CRAWLER.parent}{os.pathsep}{ROOT}"}

SUMMARY = re.compile(r"(\d+) pages in \d+\.\d\d seconds, at most (\d+) at once")


def expected(pages: int, depth: int) -> dict[int, str]:
    """Walk the site's graph, page by page, and say what must come of each."""
    found: dict[int, str] = {}
    level = {0}
    for _ in range(depth + 1):
        after = set()
        for page in level:
            if page >= pages:
                found[page] = "404 Not Found"
            elif page % 10 == 4:
                found[page] = "500 Internal Server Error"
            elif page % 10 == 7:
                found[page] = "timed out"
            else:
                found[page] = "ok"
                after |= {2 * page + 1, 2 * page + 2, page // 2}
        level = after - found.keys()
    return found


def parsed(stdout: str) -> tuple[list[int], int, int, dict[str, int]]:
    """Split the output: the sizes of the levels, pages, most at once, and the outcomes."""
    lines = stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if SUMMARY.fullmatch(line))
    levels = [re.fullmatch(r"level (\d+): (\d+) to fetch", line) for line in lines[:at]]
    assert [int(level[1]) for level in levels] == list(range(at))
    pages, at_once = SUMMARY.fullmatch(lines[at]).groups()
    outcomes = [line.split(maxsplit=1) for line in lines[at + 1 :]]
    assert outcomes == sorted(outcomes, key=lambda item: (-int(item[0]), item[1]))
    return (
        [int(level[2]) for level in levels],
        int(pages),
        int(at_once),
        {outcome: int(times) for times, outcome in outcomes},
    )


def crawler_ends(*args: object, **env: str) -> str:
    done = run_prog(CRAWLER, *args, env=STRICT | env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def program_ends(source: str, **env: str) -> str:
    """Run a program that imports the example; it has to end well and silently."""
    done = run_prog(source, env=STRICT | env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize("limit", [1, 4])
def test_it_tells_what_came_of_each_page(limit: int, maxprocs: str) -> None:
    """One page never answers, and is given two seconds."""
    stdout = crawler_ends(
        *("--pages", 10, "--limit", limit, "--timeout", 2), GMPRT_MAXPROCS=maxprocs
    )
    found = expected(pages=10, depth=10)
    assert set(found.values()) == {
        "ok",
        "timed out",
        "404 Not Found",
        "500 Internal Server Error",
    }
    levels, pages, at_once, outcomes = parsed(stdout)
    assert levels == [1, 2, 4, 6, 2]
    assert pages == len(found)
    assert 1 <= at_once <= limit
    assert outcomes == Counter(found.values())


def test_it_follows_links_to_the_depth_given() -> None:
    levels, pages, _, outcomes = parsed(crawler_ends("--pages", 50, "--depth", 2, "--timeout", 20))
    assert (levels, pages) == ([1, 2, 4], 7)
    assert outcomes == Counter(expected(pages=50, depth=2).values())


def test_a_proxy_in_the_environment_is_passed_by() -> None:
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:1")
    stdout = crawler_ends("--pages", 3, "--timeout", 20, **proxies, no_proxy="", NO_PROXY="")
    assert parsed(stdout)[3] == {"404 Not Found": 4, "ok": 3}


CRAWL = """
import gmprt, signal, sys, threading
from gmprt import context
import crawler

class Quick(crawler.Site):
    '''All pages answer, and all requests are counted.'''

    requests = 0

    def is_slow(self, page):
        return False

    def is_broken(self, page):
        return False

    def process_request(self, request, client_address):
        self.requests += 1
        super().process_request(request, client_address)

def crawl(site, *, limit=8, timeout=30, depth=10, ctx=None):
    '''Crawl with no word; return the pages, and check that nothing is left.'''
    pages, crawler.print = {}, lambda *args, **kwargs: None
    threads = threading.active_count()
    with crawler.serving(site):
        try:
            crawler.crawl(
                ctx or context.background(),
                site.start, pages, limit=limit, timeout=timeout, depth=depth,
            )
        except context.Canceled:
            print("canceled")
    assert gmprt.num_goroutine() == 1, gmprt.stack()
    return pages

def number(url):
    return int(url.rpartition("/")[2])
"""


@pytest.mark.parametrize("maxprocs", ["1", "4"])
def test_it_finds_the_graph_and_fetches_each_page_once(maxprocs: str) -> None:
    """Every way to a page but the first is left alone, and so are links out of the site."""
    program = f"""{CRAWL}
site = Quick(60)
pages = crawl(site)
graph = {{}}
for url, page in pages.items():
    assert url == page.url == site.start[:-1] + str(number(url))
    assert page.outcome == ("ok" if number(url) < 60 else "404 Not Found")
    graph[number(url)] = sorted(map(number, page.links))
assert sorted(graph) == list(range(121))
for n, links in graph.items():
    assert links == (sorted({{2 * n + 1, 2 * n + 2, n // 2}}) if n < 60 else []), (n, links)
print(len(pages), site.requests)
"""
    assert program_ends(program, GMPRT_MAXPROCS=maxprocs) == "121 121\n"


@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize("limit", [1, 4])
def test_as_many_fetch_at_once_as_the_limit_allows_and_no_more(limit: int, maxprocs: str) -> None:
    """From the level of eight on pages wait, until as many are asked for at once."""
    program = f"""{CRAWL}
class Crowded(Quick):
    crowd = threading.Event()

    def take_time(self, page):
        if page >= 7:
            if self.at_once >= {limit}:
                self.crowd.set()
            assert self.crowd.wait(20), "nobody else comes"
        super().take_time(page)

site = Crowded(40)
pages = crawl(site, limit={limit})
print(len(pages), site.most_at_once)
"""
    assert program_ends(program, GMPRT_MAXPROCS=maxprocs) == f"81 {limit}\n"


def test_a_site_that_is_not_there_is_an_outcome() -> None:
    program = f"""{CRAWL}
import socket
with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))  # and does not listen
    pages = {{}}
    start = f"http://127.0.0.1:{{nobody.getsockname()[1]}}/0"
    crawler.crawl(context.background(), start, pages, limit=8, timeout=20, depth=3)
    print(*(page.outcome for page in pages.values()))
"""
    expected_error = "[Errno 111] Connection refused"
    assert program_ends(program) == f"level 0: 1 to fetch\n{expected_error}\n"


def test_a_page_that_comes_too_slowly_is_timed_out() -> None:
    """Each piece comes soon enough for the socket; it is the context that ends it."""
    program = f"""{CRAWL}
class Trickle(crawler.Answer):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.hung_up.wait(0.02):
                self.wfile.write(b" ")
        except ConnectionError:
            self.server.hung_up.set()

site = Quick(1)
site.RequestHandlerClass = Trickle
site.hung_up = threading.Event()
(page,) = crawl(site, timeout=0.5).values()
print(page.outcome, site.hung_up.is_set())
"""
    assert program_ends(program) == "timed out True\n"


def test_cancelling_ends_it_wherever_it_is() -> None:
    """At first, and while a page of some level is being fetched: no other is asked for then."""
    program = f"""{CRAWL}
class Cancels(Quick):
    def take_time(self, page):
        if page == self.last:
            self.cancel()

for last in (0, 1, 10, 60):
    with (scope := context.with_cancel(context.background())) as ctx:
        site = Cancels(100)
        site.last, site.cancel = last, scope.cancel
        pages = crawl(site, limit=1, ctx=ctx)
        print(site.requests, max(map(number, pages), default=None))
"""
    lines = program_ends(program).splitlines()
    assert lines[::2] == ["canceled"] * 4
    for last, line in zip((0, 1, 10, 60), lines[1::2], strict=True):
        requests, highest = line.split()
        assert int(requests) <= 2 * last + 1
        assert highest == "None" or int(highest) <= 2 * last + 1


def interrupted(child: object, times: int) -> Finished:
    for _ in range(times):
        child.send_signal(signal.SIGINT)
    return wait_prog(child)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("maxprocs", ["1", "4"])
@pytest.mark.parametrize("level", [0, 4])
def test_ctrl_c_ends_it_and_the_summary_is_printed(level: int, maxprocs: str, times: int) -> None:
    """Hundreds of pages never answer: that would take minutes. On level 4 is the second."""
    arguments = [CRAWLER, "--pages", 5000, "--limit", 2, "--timeout", 1, "--depth", 12]
    with start_prog(*arguments, env=STRICT | {"GMPRT_MAXPROCS": maxprocs}) as child:
        head = []
        while not head or not head[-1].startswith(f"level {level}: "):
            head.append(child.stdout.readline())
            assert head[-1], "it has ended"
        done = interrupted(child, times)
    assert (done.returncode, done.stderr) == (130, "")
    before, told, after = ("".join(head) + done.stdout).partition("interrupted\n")
    assert told
    levels, pages, at_once, outcomes = parsed(before + after)
    assert pages == sum(outcomes.values())
    assert sum(levels[:level]) <= pages < 1000
    assert at_once <= 2


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--pages", "0", "0 is less than 1"),
        ("--pages", "x", "invalid natural value: 'x'"),
        ("--limit", "0", "0 is less than 1"),
        ("--depth", "-1", "-1 is less than 1"),
        ("--timeout", "0", "0 is not between 0 and 3600"),
        ("--timeout", "-1", "-1 is not between 0 and 3600"),
        ("--timeout", "nan", "nan is not between 0 and 3600"),
        ("--timeout", "inf", "inf is not between 0 and 3600"),
        ("--timeout", "x", "invalid seconds value: 'x'"),
    ],
)
def test_it_refuses_an_option_that_makes_no_sense(option: str, value: str, complaint: str) -> None:
    done = run_prog(CRAWLER, f"{option}={value}", env=STRICT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"{complaint}\n")


def test_it_explains_itself() -> None:
    assert crawler_ends("--help").startswith("usage: crawler")
