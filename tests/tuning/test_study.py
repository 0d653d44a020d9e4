"""The trials of a study: shared by processes, put back after a kill, the same for the same seed."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from math import inf
from pathlib import Path

import pytest
from made import REPOSITORY

from stockcast.config.load import load_config
from stockcast.errors import RunError, StockcastError
from stockcast.tuning.journal import Workers, open_journal, require_optuna
from stockcast.tuning.study import JOURNAL, TrialRecord, TuningStudy

sys.path.insert(0, str(Path(__file__).parent))  # also of the processes below
import working

START = working.space().values_in(load_config("quick"))


def start_worker(folder: Path, trials: int, seconds: float) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, working.__file__, str(folder), str(trials), str(seconds)],
        env={**os.environ, "PYTHONPATH": paths},
    )


def folds_in(folder: Path) -> Counter[tuple[str, ...]]:
    """How often the score of each fold of each trial was stored, by the trial's values and its scores up to there."""
    trials: dict[int, dict[str, str]] = {}
    found: Counter[tuple[str, ...]] = Counter()
    number = -1
    for line in (folder / JOURNAL).read_text().splitlines():
        entry = json.loads(line)
        if entry["op_code"] == 4:
            number += 1
            trials[number] = {}
        if "param_name" in entry:
            trials[entry["trial_id"]][entry["param_name"]] = str(entry["param_value_internal"])
        if "scores" in entry.get("user_attr", {}):
            values = trials[entry["trial_id"]]
            found[(*(f"{key} {values[key]}" for key in sorted(values)), str(entry["user_attr"]["scores"]))] += 1
    return found


def check_whole(records: list[TrialRecord], trials: int) -> None:
    """Check that there are so many trials, each once, with every fold scored as its values make it."""
    assert [record.number for record in records if record.is_start] == [0]
    assert sum(record.counts for record in records) == trials
    assert {record.state for record in records} <= {"finished", "pruned"}
    assert len({record.number for record in records}) == len(records) == trials
    for record in records:
        folds = len(record.scores)
        assert folds == working.FOLDS or record.state == "pruned"
        assert record.scores == tuple(working.score(dict(record.values), fold) for fold in range(folds))


def test_the_same_seed_gives_the_same_trials(tmp_path: Path) -> None:
    ours, theirs = ([*map(str, working.work(make(tmp_path / name), 25))] for name in ("a", "b"))
    assert [text.partition("seconds")[0] for text in ours] == [text.partition("seconds")[0] for text in theirs]


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_starting_config_is_the_first_trial_and_bad_ones_end_early(tmp_path: Path) -> None:
    records = working.work(tmp_path, 25)
    check_whole(records, 25)
    assert records[0].values == START
    pruned = [record for record in records if record.state == "pruned"]
    assert pruned
    assert min(record.scores[0] for record in pruned) > min(record.scores[0] for record in records)
    assert min(records, key=lambda record: record.mean).state == "finished"


def test_a_repeated_command_does_only_what_is_missing(tmp_path: Path) -> None:
    first = working.work(tmp_path, 6)
    assert working.work(tmp_path, 6) == first
    assert working.work(tmp_path, 9)[:6] == first
    check_whole(working.work(tmp_path, 9), 9)


def test_two_processes_share_the_trials(tmp_path: Path) -> None:
    workers = [start_worker(tmp_path, 12, 0.02) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    check_whole(working.work(tmp_path, 12), 12)
    assert set(folds_in(tmp_path).values()) == {1}, "no fold was scored twice"
    owners = {
        entry["user_attr"]["worker"]
        for entry in map(json.loads, (tmp_path / JOURNAL).read_text().splitlines())
        if "worker" in entry.get("user_attr", {})
    }
    assert len(owners) == 2


@pytest.mark.slow
def test_killed_at_random_a_study_loses_no_trial_and_scores_no_fold_twice(tmp_path: Path) -> None:
    moments = random.Random(1)
    for _ in range(8):
        workers = [start_worker(tmp_path, 20, 0.1) for _ in range(2)]
        time.sleep(1.5 + moments.random() * 1.5)
        for worker in workers:
            worker.kill()
            worker.wait()
    records = working.work(tmp_path, 20)
    check_whole(records, 20)
    repeated = [times for times in folds_in(tmp_path).values() if times > 1]
    assert not repeated


def test_a_trial_whose_process_was_killed_goes_on_where_it_stood(tmp_path: Path) -> None:
    worker = start_worker(tmp_path, 5, 0.3)
    journal = tmp_path / JOURNAL
    end = time.monotonic() + 30
    while time.monotonic() < end and not (journal.exists() and '"scores"' in journal.read_text()):
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    with journal.open("a") as stream:
        stream.write('{"op_code": 8, "wor')  # a line that the kill has cut
    records = working.work(tmp_path, 5)
    check_whole(records, 5)
    assert set(folds_in(tmp_path).values()) == {1}


def test_a_trial_that_ends_its_process_each_time_is_given_up_and_counts(tmp_path: Path) -> None:
    for _ in range(3):
        with TuningStudy(tmp_path, working.space(), seed=5) as study:
            study.begin(START)
            taken = study.take(4, until=inf)
            assert taken is not None
            assert taken.number == 0
    records = working.work(tmp_path, 4)
    assert [record.state for record in records].count("failed") == 1
    assert "ended 3 times" in next(record.reason for record in records if record.state == "failed")
    assert sum(record.counts for record in records) == 4


def test_a_trial_whose_process_lives_is_left_to_it(tmp_path: Path) -> None:
    with TuningStudy(tmp_path, working.space(), seed=5) as study:
        study.begin(START)
        assert study.take(4, until=inf) is not None
        with TuningStudy(tmp_path, working.space(), seed=5) as other:
            assert other.take(1, until=time.monotonic() + 1.2) is None, "it waits for the one trial of this process"
        assert [record.state for record in study.records()] == ["running"]


def test_invalid_trials_do_not_count_and_a_space_of_such_is_an_error(tmp_path: Path) -> None:
    with TuningStudy(tmp_path, working.space(), seed=5) as study:
        study.begin(START)
        first = study.take(3, until=inf)
        assert first is not None
        first.add(1.0, ())
        first.finish()
        with pytest.raises(RunError, match="do not go together, such as: layers and cell"):
            reject_all(study)
        states = Counter(record.state for record in study.records())
    assert states["finished"] == 1
    assert 100 < states["invalid"] < 120


def reject_all(study: TuningStudy) -> None:
    while (taken := study.take(3, until=inf)) is not None:
        taken.reject("layers and cell")


def test_a_process_is_alive_until_it_ends(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    other = Workers(tmp_path)
    assert workers.is_alive(other.own)
    other.leave()
    assert not workers.is_alive(other.own)
    assert not workers.is_alive("none")
    workers.leave()


def test_a_damaged_journal_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("no journal\nat all\n")
    with pytest.raises(RunError, match="is damaged") as refused:
        open_journal(tmp_path / JOURNAL)
    assert refused.value.file == str(tmp_path / JOURNAL)


def test_without_optuna_the_error_has_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(StockcastError, match=r'pip install -c constraints\.txt -e "\.\[tune\]"') as refused:
        require_optuna()
    assert refused.value.value == "optuna"
