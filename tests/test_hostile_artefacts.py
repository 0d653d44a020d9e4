"""A run that somebody mailed: whatever its files are, they are data, and the worst that they get is a refusal."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import hostile
import pytest
from hostile import ESCAPE, changed_json, config, config_with, onnx_file, text
from made import REPOSITORY, TINY, make_bars
from program import stockcast

MOST_SECONDS = 10
MOST_MEGABYTES = 2000
DEEP = "[" * 10**6 + "]" * 10**6


@dataclass(frozen=True)
class Artefact:
    """`verified` is what `runs list` must say of the run, `words` what the command must say before it ends with 1."""

    make: object
    words: str = ""
    verified: str = "whole"
    command: str = "predict"
    code: int = 1


def updated(**values):
    return lambda stored: stored.update(values)


ARTEFACTS = {
    "yaml_tag": Artefact(config("\nx: !!python/object/apply:os.mkdir ['{canary}']\n"), "tag"),
    "yaml_bomb": Artefact(
        text("config.yaml", "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))), "aliases"
    ),
    "yaml_deep": Artefact(text("config.yaml", "a: " + "[" * 3000 + "]" * 3000), "nested deeper"),
    "yaml_twice": Artefact(config("\nname: again\n"), "duplicate key"),
    "yaml_list": Artefact(text("config.yaml", "- 1\n"), "expected keys and values"),
    "yaml_nan": Artefact(config_with("dropout: 0.1", "dropout: .nan"), "dropout"),
    "yaml_layers": Artefact(config_with("  - 4\n  - 3\n", "  - 2048\n" * 8), "50 million is the most"),
    "yaml_path_escape": Artefact(
        lambda run, outside: (run / "config.yaml").write_text(
            "\n".join(
                '  path: "/nowhere/\\e]0;owned\\a.csv"' if line.startswith("  path:") else line
                for line in (run / "config.yaml").read_text().splitlines()
            )
        ),
        code=0,  # run.json says what the run was trained on
    ),
    "config_pipe": Artefact(hostile.pipe("config.yaml"), "no plain file", verified="damaged"),
    "scaler_pickle": Artefact(hostile.pickled("scaler.json"), "scaler.json is damaged"),
    "scaler_joblib": Artefact(hostile.joblibbed("scaler.json"), "scaler.json is damaged"),
    "scaler_types": Artefact(text("scaler.json", '{"features": "x", "target": [3]}'), "scaler.json is damaged"),
    "scaler_list": Artefact(text("scaler.json", "[]"), "scaler.json is damaged"),
    "scaler_nan": Artefact(changed_json("scaler.json", updated(target={"center": [float("nan")]})), "NaN"),
    "scaler_deep": Artefact(text("scaler.json", DEEP), "nested too deep"),
    "scaler_columns": Artefact(
        changed_json("scaler.json", updated(features={"center": [0] * 9, "scale": [1] * 9, "fill": [0] * 9})),
        "9 features",
    ),
    "scaler_pipe": Artefact(hostile.pipe("scaler.json"), "no plain file", verified="damaged"),
    "scaler_1_gb": Artefact(hostile.sparse("scaler.json", 10**9), "1,000,000,000 bytes", verified="damaged"),
    "calibration_huge": Artefact(changed_json("calibration.json", updated(factors=[1e308] * 3)), "not a finite price"),
    "calibration_types": Artefact(text("calibration.json", '{"kind": "factors", "factors": {"a": 1}}'), "is damaged"),
    "calibration_kind": Artefact(
        text("calibration.json", '{"kind": "offsets", "levels": ["x"], "offsets": [[1], [2, 3]], "origins": 1}'),
        "calibration.json is damaged",
    ),
    "onnx_pickle": Artefact(hostile.pickled("model.onnx"), "model.onnx is damaged"),
    "onnx_joblib": Artefact(hostile.joblibbed("model.onnx"), "model.onnx is damaged"),
    "onnx_keras_lambda": Artefact(hostile.keras_lambda("model.onnx"), "model.onnx is damaged"),
    "weights_keras_lambda": Artefact(hostile.keras_lambda("model.weights.h5"), code=0),  # nobody opens them
    "weights_pickle": Artefact(hostile.pickled("model.weights.h5"), code=0),
    "weights_external_link": Artefact(hostile.hdf5_link("model.weights.h5"), code=0),
    "weights_alone": Artefact(hostile.without_onnx(), "model.onnx is missing", verified="damaged", code=0),
    "weights_alone_pickle": Artefact(
        hostile.without_onnx(hostile.pickled("model.weights.h5")), "model.weights.h5 is damaged", verified="damaged"
    ),
    "weights_alone_external_link": Artefact(
        hostile.without_onnx(hostile.hdf5_link("model.weights.h5")), "a link to somewhere else", verified="damaged"
    ),
    "onnx_hdf5_external_link": Artefact(hostile.hdf5_link("model.onnx"), "model.onnx is damaged"),
    "onnx_zip_traversal": Artefact(hostile.zip_traversal, "model.onnx is damaged"),
    "onnx_zip_bomb": Artefact(hostile.zip_bomb, "model.onnx is damaged"),
    "onnx_external_data": Artefact(onnx_file(hostile.external_data), "another file"),
    "onnx_endless_loop": Artefact(onnx_file(hostile.endless_loop), "strange kind"),
    "onnx_branch": Artefact(onnx_file(hostile.branch), "strange kind"),
    "onnx_constant_of_shape": Artefact(onnx_file(hostile.constant_of_shape), "ConstantOfShape"),
    "onnx_expand": Artefact(onnx_file(hostile.expand), "'Expand', which this version"),
    "onnx_cast": Artefact(onnx_file(hostile.cast_and_expand), "'Cast', which this version"),
    "onnx_computed_size": Artefact(onnx_file(hostile.reshape_by_a_computed_size), "should be a constant"),
    **{
        f"onnx_{kind}_units": Artefact(onnx_file(hostile.recurrent_of_too_many_units(kind)), "numbers for a window")
        for kind in ("LSTM", "GRU", "RNN")
    },
    "onnx_gates": Artefact(onnx_file(hostile.recurrent_with_too_many_gates), "numbers for a window"),
    "onnx_graph_inside": Artefact(onnx_file(hostile.recurrent_with_a_graph), "strange attribute 'body'"),
    "onnx_activation": Artefact(
        onnx_file(hostile.recurrent_with_another_activation), "strange attribute 'activation_alpha'"
    ),
    "onnx_computed_weights": Artefact(onnx_file(hostile.recurrent_of_computed_weights), "should be a constant"),
    "onnx_padding": Artefact(onnx_file(hostile.convolution_with_endless_padding), "numbers for a window"),
    "onnx_conv_room": Artefact(onnx_file(hostile.convolution_with_too_much_room), "numbers for a window"),
    "onnx_conv_groups": Artefact(onnx_file(hostile.convolution_in_groups), "strange attribute 'group'"),
    "onnx_doubling": Artefact(onnx_file(hostile.doubled_forty_times), "numbers for a window"),
    "onnx_outer_product": Artefact(onnx_file(hostile.outer_product), "90,000,000,000 numbers"),
    "onnx_custom_operation": Artefact(onnx_file(hostile.custom_operation), "not ONNX's own"),
    "onnx_function": Artefact(onnx_file(hostile.function_of_its_own), "functions"),
    "onnx_other_windows": Artefact(
        onnx_file(hostile.of_other_windows), "shape (7, 2), and this run's config needs (5, 2)"
    ),
    "onnx_other_answers": Artefact(
        onnx_file(hostile.of_other_answers), "shape (5, 3), and this run's config needs (3, 3)"
    ),
    "onnx_nan": Artefact(onnx_file(hostile.no_numbers), "no number"),
    "onnx_truncated": Artefact(hostile.truncated, "model.onnx is damaged"),
    "onnx_many_nodes": Artefact(hostile.many_empty_nodes, "1,000,000 bytes"),
    "onnx_1_gb": Artefact(hostile.sparse("model.onnx", 10**9), "1,000,000,000 bytes", verified="damaged"),
    "onnx_link": Artefact(hostile.linked("model.onnx", "secret"), "leads out of the run", verified="damaged"),
    "plots_link": Artefact(hostile.linked("plots"), verified="damaged", code=0),  # predict neither reads nor writes it
    "predictions_link": Artefact(hostile.linked("predictions"), "leads out of the run", verified="damaged"),
    "evaluation_link": Artefact(
        hostile.linked("evaluation"), "leads out of the run", verified="damaged", command="evaluate"
    ),
    "manifest_deep": Artefact(text("run.json", DEEP), "nested too deep", verified="damaged"),
    "manifest_1_gb": Artefact(hostile.sparse("run.json", 10**9), "1,000,000,000 bytes", verified="damaged"),
    "manifest_list": Artefact(text("run.json", "[1]"), "no JSON object", verified="damaged"),
    "manifest_types": Artefact(
        text("run.json", '{"files": ["x"], "created": 7}'), "run.json is damaged", verified="damaged"
    ),
    "manifest_series": Artefact(changed_json("run.json", updated(series=[{"name": 7}])), "the run was trained on"),
    **{
        f"manifest_series_{key}_{type(value).__name__}": Artefact(
            changed_json("run.json", lambda stored, key=key, value=value: stored["series"][0].update({key: value})),
            "the run was trained on",
        )
        for key, value in (("first", ESCAPE), ("first", 7), ("first", {}), ("training_sha256", [ESCAPE]))
    },
    "manifest_path_escape": Artefact(
        changed_json("run.json", lambda stored: stored["series"][0].update(path=f"/nowhere/{ESCAPE}.csv")),
        "no such file",
    ),
    "manifest_out": Artefact(
        changed_json("run.json", lambda stored: stored["files"].update({"../../x": "0"})), "outside", verified="damaged"
    ),
    "manifest_pipe": Artefact(hostile.pipe("run.json"), "unfinished", verified="damaged"),
    "manifest_escapes": Artefact(
        changed_json("run.json", updated(created=ESCAPE, versions={ESCAPE: ESCAPE}, training=[ESCAPE])), code=0
    ),
    "verdict_escapes": Artefact(text("evaluation/verdict.txt", f"In short: {ESCAPE}\n"), code=0),
    "metrics_nan": Artefact(text("evaluation/metrics.json", '{"overall": {"skill": {"x": NaN}}}'), code=0),
    "metrics_deep": Artefact(text("evaluation/metrics.json", DEEP), code=0),
    "metrics_escapes": Artefact(
        text("evaluation/metrics.json", json.dumps({"overall": {"skill": {ESCAPE: 1}}, "data": 3})), code=0
    ),
    "rivals_object_and_bomb": Artefact(
        hostile.rivals(hostile.object_array, hostile.header_bomb), command="evaluate", code=0
    ),
    "rivals_pickle": Artefact(hostile.rivals(hostile.pickle_bytes, hostile.pickle_bytes), command="evaluate", code=0),
    "answers_pickle": Artefact(hostile.pickled("answers.npz"), "answers.npz is damaged"),
    "answers_object_arrays": Artefact(hostile.object_arrays("answers.npz"), "answers.npz is damaged"),
    "answers_of_another_network": Artefact(hostile.other_answers("answers.npz"), "of another network"),
    "answers_gone": Artefact(lambda run, outside: (run / "answers.npz").unlink(), "answers.npz", verified="damaged"),
    "sessions_types": Artefact(changed_json("sessions.json", updated(days=[[1], {}])), "sessions.json is damaged"),
    "sessions_backwards": Artefact(changed_json("sessions.json", lambda stored: stored["days"].reverse()), "must rise"),
    "sessions_none": Artefact(changed_json("sessions.json", updated(days=[])), "it has no session"),
    "run_link": Artefact(hostile.elsewhere, "leads out of runs", verified="damaged"),
    "name_escapes": Artefact(lambda run, outside: run.with_name(ESCAPE.replace("/", "")).mkdir(), code=0),
}


@dataclass(frozen=True)
class Done:
    """What all commands on one artefact did; `commands` by name: code, out, err, seconds, megabytes."""

    commands: dict
    before: set
    after: set
    outside: Path


def below(folder):
    """Every file below a folder with its size and time of change."""
    return {(str(path.relative_to(folder)), *path.lstat()[6:9:2]) for path in folder.rglob("*") if not path.is_dir()}


FEW = ("yaml_tag", "config_pipe", "scaler_pickle", "onnx_endless_loop", "onnx_link", "manifest_out", "manifest_escapes",
       "rivals_pickle", "answers_pickle", "run_link")  # fmt: skip


@pytest.fixture(scope="module")
def some_done(tmp_path_factory):
    """What every command did on one artefact of each kind."""
    return run_on(FEW, tmp_path_factory.mktemp("some"))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """What every command did on all artefacts."""
    return run_on(ARTEFACTS, tmp_path_factory.mktemp("all"))


def run_on(names, home):
    """One tiny run, trained and scored; a copy for each artefact; every command on each."""
    make_bars().to_csv(home / "prices.csv", index=False)
    (home / "tiny.yaml").write_text(TINY)
    for arguments in (["train", "tiny.yaml", "--name", "mine", "-q"], ["evaluate", "mine", "-q", "--no-plot"]):
        trained = stockcast(*arguments, cwd=home)
        assert trained.returncode == 0, trained.stderr
    cases, before = [], {}
    for name in names:
        artefact = ARTEFACTS[name]
        folder, outside = home / name, home / name / "outside"
        shutil.copytree(home / "runs", folder / "runs")
        outside.mkdir()
        (outside / "secret").write_text("secret")
        run = folder / "runs" / "mine"
        artefact.make(run, outside)
        hostile.put_hashes_right(run)
        before[name] = below(outside)
        for arguments in ([artefact.command, "mine"], ["runs", "list"], ["runs", "show", "mine"], ["runs", "verify"]):
            cases.append({"cwd": str(folder), "arguments": arguments})
    (home / "cases.json").write_text(json.dumps(cases))
    ran = subprocess.run(
        [sys.executable, str(REPOSITORY / "tests" / "forked.py"), str(home / "cases.json")],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=home,
    )
    assert ran.returncode == 0, ran.stderr
    results = iter(json.loads(ran.stdout))
    found = {}
    for name in names:
        commands = {command: next(results) for command in ("use", "list", "show", "verify")}
        found[name] = Done(commands, before[name], below(home / name / "outside"), home / name / "outside")
    worst = {key: max((one[key], name) for name, each in found.items() for one in each.commands.values())
             for key in ("seconds", "megabytes")}  # fmt: skip
    print(f"worst of {len(names)} artefacts: {worst}")
    return found


@pytest.mark.parametrize("name", FEW)
def test_a_hostile_artefact_of_each_kind_gets_a_refusal_at_the_most(name, some_done):
    check(ARTEFACTS[name], some_done[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_hostile_artefact_gets_a_refusal_at_the_most(name, done):
    check(ARTEFACTS[name], done[name])


def check(artefact, found):
    used = found.commands["use"]
    assert used["code"] == artefact.code, used["err"]
    assert artefact.words in used["err"]
    assert found.commands["list"]["code"] == 0
    assert f" {artefact.verified} " in found.commands["list"]["out"].replace("\n", " ")
    assert found.commands["verify"]["code"] == (1 if artefact.verified == "damaged" else 0), found.commands["verify"]
    assert found.commands["show"]["code"] in (0, 1)
    for one in found.commands.values():
        said = one["out"] + one["err"]
        assert "Traceback" not in said
        assert not re.search(r"\w+Warning", said)  # of Python; a forecast may carry one of its own
        assert not set("\x1b\x07") & set(said)
        assert one["seconds"] < MOST_SECONDS
        assert one["megabytes"] < MOST_MEGABYTES
    assert not (found.outside / "canary").exists()
    assert found.after == found.before


@pytest.mark.parametrize("name", ["../mine", "/etc", "..", "", ".", "~", "\x1b]0;x\x07"])
def test_a_name_that_is_no_run_is_refused_in_plain_words(name, tmp_path, monkeypatch, capsys):
    from stockcast.errors import RunError
    from stockcast.runs import RunDirectory

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    with pytest.raises(RunError) as refused:
        RunDirectory.find(tmp_path / "runs", name)
    assert "\x1b" not in str(refused.value)


def test_what_a_run_says_is_shown_without_what_steers_a_terminal_or_turns_the_writing():
    from stockcast.text import printable

    assert printable("a\x1b[2J\x07\x9b\u202eb\udcff\r") == "a?[2J???b??"
    assert printable("Zürich, 20\u202f%\n") == "Zürich, 20\u202f%\n"
