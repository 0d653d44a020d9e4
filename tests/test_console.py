"""What a person sees while a network learns."""

import re

from stockcast.console import Progress
from stockcast.models.training import Epoch
from stockcast.pipeline.members import dealt


def told(capsys, epochs, *, of, lanes):
    """The seconds that are told to be left after each (member, epoch, seconds)."""
    with Progress(epochs=of, lanes=lanes, quiet=False) as progress:
        for member, number, seconds in epochs:
            progress.report(Epoch(number, 0.5, 0.6, seconds, member))
    return [int(found) for found in re.findall(r"at most (\d+) s left", capsys.readouterr().err)]


def test_one_network_has_its_own_epochs_left(capsys):
    assert told(capsys, [(1, 1, 10.0), (1, 2, 8.0), (1, 3, 8.0)], of=3, lanes=[[1]]) == [20, 8, 0]


def test_a_small_network_does_not_speak_for_the_large_one_beside_it(capsys):
    epochs = [(2, 1, 1.0), (2, 2, 1.0), (1, 1, 10.0), (2, 3, 1.0), (1, 2, 10.0)]
    # 10 x 1 s where nothing else is known, then what the large one has left: 9 x 10 s, then 8 x 10 s.
    assert told(capsys, epochs, of=10, lanes=[[1], [2]]) == [10, 10, 90, 90, 80]


def test_the_longest_lane_is_what_is_left(capsys):
    # Three members of two epochs on two lanes: the first lane has members 1 and 3, the second is through before it.
    epochs = [(1, 1, 10.0), (2, 1, 10.0), (1, 2, 10.0), (2, 2, 10.0), (3, 1, 10.0), (3, 2, 10.0)]
    assert told(capsys, epochs, of=2, lanes=[[1, 3], [2]]) == [30, 30, 20, 20, 10, 0]


def test_a_member_that_stopped_early_is_through_once_the_next_of_its_lane_tells(capsys):
    epochs = [(1, 1, 2.0), (1, 2, 2.0), (2, 1, 2.0), (2, 2, 2.0)]
    assert told(capsys, epochs, of=10, lanes=[[1, 2]]) == [38, 36, 18, 16]


def test_a_training_that_is_taken_up_again_does_not_count_what_was_done(capsys):
    assert told(capsys, [(3, 2, 5.0), (3, 3, 5.0), (4, 1, 5.0)], of=3, lanes=[[1, 2, 3, 4]]) == [20, 15, 10]


def test_members_are_dealt_out_in_turn():
    assert [list(lane) for lane in dealt(5, most=2)] == [[1, 3, 5], [2, 4]]
    assert [list(lane) for lane in dealt(2, most=8)] == [[1], [2]]
