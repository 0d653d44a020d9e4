"""What a person sees while a network is trained."""

import re

from stockcast.cli.progress import TrainingProgress
from stockcast.execution.members import assign_members
from stockcast.models.callbacks import EpochLog


def seconds_left(capsys, epochs, *, of, workers):
    """The seconds left that are printed after each (member, epoch, seconds)."""
    with TrainingProgress(epochs=of, workers=workers, quiet=False) as progress:
        for member, number, seconds in epochs:
            progress.on_epoch_end(EpochLog(number, 0.5, 0.6, seconds, member))
    return [int(seconds) for seconds in re.findall(r"at most (\d+) s left", capsys.readouterr().err)]


def test_one_network_has_its_own_epochs_left(capsys):
    assert seconds_left(capsys, [(1, 1, 10.0), (1, 2, 8.0), (1, 3, 8.0)], of=3, workers=[[1]]) == [20, 8, 0]


def test_a_small_network_is_no_estimate_for_the_large_one_next_to_it(capsys):
    epochs = [(2, 1, 1.0), (2, 2, 1.0), (1, 1, 10.0), (2, 3, 1.0), (1, 2, 10.0)]
    # 10 x 1 s where nothing else is known, then what the large one has left: 9 x 10 s, then 8 x 10 s.
    assert seconds_left(capsys, epochs, of=10, workers=[[1], [2]]) == [10, 10, 90, 90, 80]


def test_the_slowest_worker_is_what_is_left(capsys):
    # Three members of two epochs on two workers: the first has members 1 and 3, the second is through before it.
    epochs = [(1, 1, 10.0), (2, 1, 10.0), (1, 2, 10.0), (2, 2, 10.0), (3, 1, 10.0), (3, 2, 10.0)]
    assert seconds_left(capsys, epochs, of=2, workers=[[1, 3], [2]]) == [30, 30, 20, 20, 10, 0]


def test_a_member_that_stopped_early_is_done_once_the_next_of_its_worker_reports(capsys):
    epochs = [(1, 1, 2.0), (1, 2, 2.0), (2, 1, 2.0), (2, 2, 2.0)]
    assert seconds_left(capsys, epochs, of=10, workers=[[1, 2]]) == [38, 36, 18, 16]


def test_a_resumed_training_does_not_count_the_epochs_before(capsys):
    assert seconds_left(capsys, [(3, 2, 5.0), (3, 3, 5.0), (4, 1, 5.0)], of=3, workers=[[1, 2, 3, 4]]) == [20, 15, 10]


def test_members_are_assigned_in_turn():
    assert [list(members) for members in assign_members(5, most=2)] == [[1, 3, 5], [2, 4]]
    assert [list(members) for members in assign_members(2, most=8)] == [[1], [2]]
