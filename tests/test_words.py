"""One word for one thing: the names that were replaced are nowhere in code, configs, messages or docs."""

import re
from pathlib import Path

import pytest
from made import REPOSITORY

REPLACED = {
    "Series, Material -> SeriesDataset": r"class Series\b|\bMaterial\b|\bmaterial\b",
    "answers -> targets, outputs": r"\banswers?\b|\banswered\b|\banswering\b",
    "said, told, asked of code and networks": r"\bsaid\b|\btold\b",
    "closes of windows, answers -> target_prices": r"\btraining_closes\b",
    "Windows, Examples": r"\b(class|import|:) (Windows|Examples)\b",
    "Target.along, Scaler.inverse": r"\.along\(|\.inverse\(|def inverse\(|def along\(",
    "Lessons, make_lessons, first_lesson": r"\bLessons\b|\bmake_lessons\b|\bfirst_lesson\b",
    "Question": r"\bQuestion\b|\bquestion\b",
    "issue, need, own_file, stored_*, recall, rebuild": (
        r"\bissue\(|\bissue_directions\b|\bneed\(|\bown_file\b|\brecall\(|\brebuild\("
        r"|\bstored_(network|scalers|calibration)\b"
    ),
    "Answered, beforehand": r"\bAnswered\b|\bbeforehand\b",
    "roll_forward, Feedback": r"\broll_forward\b|\bFeedback\b",
    "Rival, RIVALS, ask_rivals": r"\b[Rr]ivals?\b|\bRIVALS\b|\bask_rivals\b|\bRivalError\b",
    "Calibration, Stretch, stretch, tempered": r"\bclass Calibration\b|\bStretch\b|\bstretch(ed)?\(|\btempered\b",
    "lane, dealt": r"\blanes?\b|\bdealt\b",
    "Say, nobody, report=, begun=, pause=, keep=": r"\bSay =|: Say\b|\bnobody\b|\b(begun|keep)=",
    "Epoch, State": r"\bclass (Epoch|State)\b",
    "halves, learning_part, events": r"\bin_halves\b|\bmodels[./]halves\b|\blearning_part\b|\bEventFiles\b",
    "insight, firing, reach": r"\binsight\b|\bfirings?\b|\bdef reach\b",
    "Findings, Moved, Statement": r"\bFindings\b|\bMoved\b|\bStatements?\b",
    "Bench, alterations": r"\bBench\b|\b[Aa]lterations?\b|\bALTERATIONS\b",
    "Kept, Compared, SideBySide": r"\bclass (Kept|Compared)\b|\bSideBySide\b",
    "Underway, Condition, overview, outcomes, unpacked": (
        r"\bUnderway\b|\bunderway\b|\bclass Condition\b|\bcondition_of\b|\boverview\b"
    ),
    "Reading, health, bars.py, TRAVELLING": (
        r"\bReading\b(?! (a|the|every|from))|\bHealth\b|\bTRAVELLING\b|\btravelling\b"
    ),
    "behaviour, wording, untrusted, misfit": r"\bevaluation[./]behaviour\b|\bwording\b|\buntrusted\b|\bmisfits?\b",
    "config keys": (
        r"\bbeside:|\bbeside\.|training\.members|model\.shortcut|model\.shrinkage|training\.schedule"
        r"|\bshortcut\b|\bshrinkage\b"
    ),
    "learnt, learns of networks": r"\blearnt\b|\blesson\b(?!s/)",
}
"""What was replaced -> what must be found nowhere."""

KEPT = (
    "answers.npz",  # files of a run, JSON keys and folders stay what they were
    '"rival"',
    '"rivals',
    '"alteration"',
    "rivals/",
    "rivals_apart",
    "stocks/",
)
PLACES = [
    *sorted((REPOSITORY / "stockcast").rglob("*.py")),
    *sorted((REPOSITORY / "configs").rglob("*.yaml")),
    REPOSITORY / "configs" / "schema.json",
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted(path for path in (REPOSITORY / "docs").glob("*.md") if path.name != "experiments.md"),  # a dated log
]


@pytest.mark.parametrize("replaced", REPLACED)
def test_a_replaced_name_is_nowhere(replaced: str) -> None:
    found = []
    for path in PLACES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for kept in KEPT:
                line = line.replace(kept, "")
            if is_renamed_key(path, line):
                continue
            if match := re.search(REPLACED[replaced], line):
                found.append(f"{path.relative_to(REPOSITORY)}:{number}: {match[0]}: {line.strip()[:90]}")
    assert not found, "\n".join(found)


def is_renamed_key(path: Path, line: str) -> bool:
    """Whether a line is one of those that give the new name of an old config key."""
    rows = {"errors.py": r'\s+"[a-z0-9_.]+": "[a-z0-9_.]+",$', "config.md": r"\| `[a-z_.]+`.* \| `[a-z0-9_.]+`.* \|$"}
    return path.name in rows and re.match(rows[path.name], line) is not None
