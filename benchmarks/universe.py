"""Evaluate one run on every price file of a folder, and list what fails or is not finite.

    python benchmarks/universe.py RUN FOLDER [--results FILE]

Each file is scored as `stockcast evaluate RUN --data FILE` scores it, 20 seconds to a minute each; nothing is written
into the run. FILE keeps a line for each file that is done, so that an interrupted call goes on where it was. Markdown
goes to standard output.
"""

import argparse
import json
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import stockcast as sc


def main() -> None:
    """Evaluate what is not done yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--results", type=Path, default=Path("universe.jsonl"))
    options = parser.parse_args()
    done = read(options.results)
    files = sorted(options.folder.glob("*.csv"))
    with options.results.open("a", encoding="utf-8") as stream:
        for path in files:
            if path.name not in done:
                done[path.name] = result = evaluate(options.run, path)
                stream.write(json.dumps({"file": path.name, **result}) + "\n")
                stream.flush()
    print_table({name: result for name, result in done.items() if (options.folder / name) in files})


def read(results: Path) -> dict[str, dict[str, Any]]:
    """Return what is done, by name of the file."""
    if not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line.pop("file"): line for line in lines}


def evaluate(run: str, path: Path) -> dict[str, Any]:
    """Evaluate one file; any error is a result."""
    began = time.perf_counter()
    try:
        metrics = sc.evaluate(run, path).metrics
    except Exception as error:  # what fails is what this is for
        return {"error": f"{type(error).__name__}: {error}"[:500]}
    horizons = {step: scores for step, scores in metrics["horizons"].items() if step != "overall"}
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "origins": metrics["split"]["origins"],
        "infinite": [name for name, value in numbers(metrics) if not math.isfinite(value)],
        "missing": metrics["failures"],
        "skill": {step: scores["skill"] for step, scores in horizons.items()},
    }


def numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    """Return every number of a JSON value, with its dotted name."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in numbers(inner, f"{name}.{key}")]
    if isinstance(value, list):
        return [pair for number, inner in enumerate(value) for pair in numbers(inner, f"{name}.{number}")]
    return [(name, value)] if isinstance(value, float) else []


def print_table(done: dict[str, dict[str, Any]]) -> None:
    """Print how many files were scored, what failed, and on how many the network was closer than each baseline."""
    failed = {name: result["error"] for name, result in done.items() if "error" in result}
    scored = {name: result for name, result in done.items() if name not in failed}
    infinite = {name: result["infinite"] for name, result in scored.items() if result["infinite"]}
    print(f"{len(done)} files: {len(scored)} scored, {len(failed)} failed, {len(infinite)} with an infinite score.\n")
    for name, error in failed.items():
        print(f"- {name}: {error}")
    for name, result in scored.items():
        for baseline, why in result["missing"].items():
            print(f"- {name}: no forecast by {baseline}: {why}")
    better: Counter[tuple[str, str]] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    for result in scored.values():
        for step, skills in result["skill"].items():
            for baseline, skill in skills.items():
                better[step, baseline] += skill > 0
                counted[step, baseline] += 1
    steps = list(dict.fromkeys(step for step, _ in counted))
    names = list(dict.fromkeys(name for _, name in counted))
    print("\nFiles on which the network's CRPS is lower than the baseline's, by days ahead:\n")
    print(f"| days | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for step in steps:
        cells = [f"{better[step, name]} of {counted[step, name]}" for name in names]
        print(f"| {step} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
