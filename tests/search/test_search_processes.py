"""Searches in processes of their own: killed at any moment, and several on one study."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from search_cases import Pool, asked, opened, search, told

from edgecompile.search.recipes import key_of
from edgecompile.search.study import COMPLETE, RUNNING

MOST = 14
SCRIPT = """
import sys, time
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from search_cases import Pool, answer, asked, opened, search

def slow(order):
    time.sleep(0.15)
    return answer(order)

question = asked(most=int(sys.argv[3]))
search(opened(Path(sys.argv[2]), question), question, Pool(slow))
"""


def begun(folder: Path) -> subprocess.Popen[bytes]:
    """A search of ``folder`` in a process of its own, slow enough to be caught within a trial."""
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(folder), str(MOST)])


def killed_after(folder: Path, trials: int) -> None:
    """Kill a search within a trial when so many are done, or it ended."""
    process = begun(folder)
    while process.poll() is None:
        journal = folder / "journal.log"
        lines = journal.read_bytes() if journal.exists() else b""
        begun_so_far, done = (lines.count(b'"op_code":%d' % kind) for kind in (4, 6))
        if done >= trials and begun_so_far > done:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()


def test_a_search_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    question = asked(most=MOST)
    whole = search(opened(tmp_path / "whole", question), question, Pool())

    seen = []
    for trials in (2, 5, 9):
        killed_after(tmp_path / "killed", trials)
        seen.append(opened(tmp_path / "killed", question).trials())
    again = search(opened(tmp_path / "killed", question), question, Pool())

    assert all(any(one.state == COMPLETE for one in left) and len(left) < MOST for left in seen)
    assert any(one.state == RUNNING for left in seen for one in left)
    assert told(again) == told(whole)


def test_two_searches_share_a_study_and_do_nothing_twice(tmp_path: Path) -> None:
    question = asked(most=MOST)
    (tmp_path / "alone").mkdir()
    alone = search(opened(tmp_path / "alone", question), question, Pool())

    both = [begun(tmp_path / "shared") for _ in range(2)]
    codes = [process.wait(timeout=120) for process in both]
    trials = opened(tmp_path / "shared", question).trials()

    assert codes == [0, 0]
    assert [one.state for one in trials] == [COMPLETE] * MOST
    assert len({key_of(one.recipe) for one in trials}) == MOST
    assert told(trials) == told(alone)


def test_what_a_killed_search_left_is_taken_over_by_one_that_goes_on(tmp_path: Path) -> None:
    question = asked(most=MOST)
    killed_after(tmp_path, 3)
    left = [one.number for one in opened(tmp_path, question).trials() if one.state == RUNNING]

    pool = Pool()
    search(opened(tmp_path, question), question, pool)

    numbers = [int(order.project.output.name) for order in pool.orders]
    assert numbers[: len(left)] == left
    assert len(numbers) == len(set(numbers))
