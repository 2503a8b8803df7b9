"""Rounds of a line, in which its sides take turns, and what is made of them."""

import json
import statistics
import time


def measure(line, count):
    """The rounds of a line: of each, what the gateway did and what the reference that counts did."""
    rounds = []
    for number in range(count):
        work = [line.ours, *line.references]
        order = range(len(work)) if number % 2 else reversed(range(len(work)))
        told = {index: work[index]() for index in order}
        ours = told.pop(0)
        rounds.append((ours, line.choose(told.values(), key=lambda each: each["rate"])))
    return rounds


def judge(outcome, rounds):
    """The result of one figure, as it is stored."""
    told = [
        {
            "tidegate": ours[outcome.field],
            "reference": reference[outcome.field],
            "ratio": ours[outcome.field] / reference[outcome.field],
        }
        for ours, reference in rounds
    ]
    ratio = statistics.median(each["ratio"] for each in told)
    met = ratio <= outcome.goal if outcome.most else ratio >= outcome.goal
    middle = [statistics.median(each[side] for each in told) for side in ("tidegate", "reference")]
    goal = f"{'≤' if outcome.most else '≥'} {outcome.goal:g}"
    print(
        f"{outcome.name:58} {ratio:8.3f}  {goal:6} {'met   ' if met else 'missed'}"
        f" {middle[0]:10.1f} against {middle[1]:10.1f} {outcome.unit}",
        flush=True,
    )
    return {
        "name": outcome.name,
        "unit": outcome.unit,
        "ratio": ratio,
        "goal": outcome.goal,
        "most": outcome.most,
        "met": met,
        "rounds": told,
    }


def store(results, folder):
    """Keeps the results in a folder; returns the exit code of the run."""
    place = folder / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    place.write_text(json.dumps(results, indent=1, ensure_ascii=False))
    print(f"stored in {place}")
    return 0 if all(each["met"] for each in results) else 1
