"""What a person sees while a network learns."""

import re

import pytest

from stockcast.console import Progress
from stockcast.models.training import Epoch


def told(capsys, epochs, *, of, members):
    """The seconds that are told to be left after each (member, epoch, seconds)."""
    with Progress(epochs=of, members=members, quiet=False) as progress:
        for member, number, seconds in epochs:
            progress.report(Epoch(number, 0.5, 0.6, seconds, member))
    return [int(found) for found in re.findall(r"at most (\d+) s left", capsys.readouterr().err)]


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_one_network_has_its_own_epochs_left(capsys):
    assert told(capsys, [(1, 1, 10.0), (1, 2, 8.0), (1, 3, 8.0)], of=3, members=1) == [20, 8, 0]


def test_members_side_by_side_share_what_is_left_and_small_ones_do_not_speak_for_large_ones(capsys):
    # Twelve epochs. The second member is seen to learn beside the first only when that tells of its second epoch.
    first = [(1, 1, 10.0), (2, 1, 1.0), (1, 2, 10.0), (2, 2, 1.0), (1, 3, 10.0), (2, 3, 1.0)]
    epochs = [*first, (3, 1, 10.0), (4, 1, 1.0)]
    assert told(capsys, epochs, of=3, members=4) == [110, 100, 45, 40, 35, 30, 25, 20]


def test_a_member_that_stopped_early_no_longer_counts_as_one_of_those_that_learn(capsys):
    # Three members of ten epochs in one lane: each stops at its second, and nobody learns beside the next.
    epochs = [(1, 1, 2.0), (1, 2, 2.0), (2, 1, 2.0), (2, 2, 2.0), (3, 1, 2.0)]
    assert told(capsys, epochs, of=10, members=3) == [58, 56, 54, 52, 50]


def test_a_training_that_is_taken_up_again_does_not_count_what_was_done(capsys):
    assert told(capsys, [(3, 2, 5.0), (3, 3, 5.0), (4, 1, 5.0)], of=3, members=4) == [20, 15, 10]
