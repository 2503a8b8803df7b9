"""Whether a history is linearizable: whether one order of moments, one within each operation, explains every answer.

The search is Wing and Gong's in the order of Lowe's "Testing for linearizability" (2017): events are taken in the order
of their times, and what is under way is let happen only when an answer is due that needs it. A configuration is the
state that was reached and which of the operations under way have happened; equal ones are kept once. What cannot help
is left out:

* a read that the state allows is let happen at once, since it changes nothing and may only be allowed now;
* of two configurations that differ in that one has used an operation without answer, the one that has not is enough;
* for an answer only what touches its keys, directly or over others under way, is let happen;
* what no later step looks at is forgotten.

Parts of a history that share no key, listing, copy or upload are checked one by one, as linearizability allows.
"""

import dataclasses

from Histories.model import Model


@dataclasses.dataclass
class Verdict:
    """`is_right` is None where the search was given up."""

    is_right: bool | None
    # What no order explains, in words.
    reason: str = ""
    # The largest number of configurations at once.
    width: int = 0

    def __bool__(self):
        return self.is_right is True


@dataclasses.dataclass(eq=False)
class Pending:
    """A step of an operation, between its call and its end."""

    order: int
    operation: object
    step: object
    call: int
    end: int
    # The step that must have happened before.
    after: object = None
    bit: int = 0


def check(history, late=False, limit=200_000):
    """`late` lets what got no answer happen ever after; otherwise not after the end of the process that had it."""
    width = 0
    for steps, initial, model in parts(history, late):
        verdict = Search(steps, initial, model, limit).run()
        width = max(width, verdict.width)
        if not verdict:
            return verdict
    return Verdict(True, width=width)


def parts(history, late):
    """The steps, in groups that share no cell."""
    model = Model(history)
    groups = []
    for number, operation in enumerate(history.operations):
        previous, made = None, []
        # Nobody was told anything by a read without an answer.
        for step in model.steps(number) if not (operation.is_open and operation.kind in READS) else []:
            previous = Pending(len(made), operation, step, operation.call, operation.until(late), previous)
            made.append(previous)
        cells = set().union(*(each.step.cells for each in made))
        touching = [group for group in groups if group[0] & cells]
        groups = [group for group in groups if not group[0] & cells]
        groups.append((cells.union(*(g[0] for g in touching)), sum((g[1] for g in touching), []) + made))
    for _, steps in groups:
        yield steps, model.initial, model


READS = {"get", "head", "list"}


class Search:
    def __init__(self, steps, initial, model, limit):
        self.steps, self.initial, self.model, self.limit = steps, initial, model, limit
        self.free = [1 << n for n in range(len(steps))][::-1]
        self.pending = []
        self.width = 0
        # The step with whose end a cell is of no more interest.
        self.last = {}
        for kind, step in self.events():
            self.last.update(dict.fromkeys(step.step.cells, step) if kind == 1 else {})

    def events(self):
        """Calls come before the ends of the same time, since nobody saw which was first."""
        events = [(each.call, 0, each.order, n) for n, each in enumerate(self.steps)]
        events += [(each.end, 1, each.order, n) for n, each in enumerate(self.steps)]
        return [(kind, self.steps[n]) for _, kind, _, n in sorted(events)]

    def run(self):
        """Configurations are pairs of a state and the bits of what has happened of what is under way."""
        configurations = {(self.initial, 0)}
        for kind, step in self.events():
            if kind == 0:
                step.bit = self.free.pop()
                self.pending.append(step)
                if step.step.is_read:
                    configurations = {self.settled(*each) for each in configurations}
                continue
            before = configurations
            configurations = self.ended(configurations, step)
            self.pending.remove(step)
            self.free.append(step.bit)
            if configurations is None or len(configurations) > self.limit:
                return Verdict(None, f"more than {self.limit} configurations at {step.operation}", self.width)
            if not configurations:
                return Verdict(False, self.explain(step, before), self.width)
            configurations = self.forgotten(configurations, step)
            self.width = max(self.width, len(configurations))
        return Verdict(True, width=self.width)

    def forgotten(self, configurations, ended):
        cells = [cell for cell in ended.step.cells if self.last[cell] is ended]
        if not cells:
            return configurations
        return {
            (tuple(None if cell in cells else value for cell, value in enumerate(state)), done)
            for state, done in configurations
        }

    def settled(self, state, done):
        """Lets every read happen that the state allows."""
        for each in self.pending:
            if each.step.is_read and not done & each.bit and self.may(each, done):
                if each.step.apply(state) is not None:
                    done |= each.bit
        return state, done

    def may(self, step, done):
        """What it comes after has happened."""
        return step.after is None or step.after not in self.pending or done & step.after.bit

    def ended(self, configurations, goal):
        """Those in which a step has happened, without its bit; None where there are too many.

        One without an answer may have happened until now, or never will.
        """
        relevant = self.relevant(goal)
        reached = {each for each in configurations if each[1] & goal.bit}
        seen = {each for each in configurations if not each[1] & goal.bit}
        if goal.operation.is_open:
            reached |= seen
        frontier = list(seen)
        while frontier:
            state, done = frontier.pop()
            for each in relevant:
                if done & each.bit or not self.may(each, done):
                    continue
                after = each.step.apply(state)
                if after is None:
                    continue
                found = self.settled(after, done | each.bit)
                if found[1] & goal.bit:
                    reached.add(found)
                elif found not in seen:
                    seen.add(found)
                    frontier.append(found)
            if len(seen) > self.limit:
                return None
        return self.best({(state, done & ~goal.bit) for state, done in reached})

    def relevant(self, goal):
        """What may have to happen before a step: what changes a cell that it looks at, or that such a one looks at."""
        cells, chosen = set(goal.step.cells), set()
        while True:
            more = [each for each in self.pending if each not in chosen and each.step.cells & cells]
            if not more:
                return [each for each in self.pending if each in chosen and (each is goal or not each.step.is_read)]
            for each in more:
                chosen.add(each)
                cells |= each.step.cells
                if each.after is not None:
                    cells |= each.after.step.cells

    def best(self, configurations):
        """Leaves out each that another one of the same state can do all that it can and more."""
        reads = sum(each.bit for each in self.pending if each.step.is_read)
        unanswered = sum(each.bit for each in self.pending if each.operation.is_open)
        if not reads and not unanswered or len(configurations) < 2:
            return configurations
        groups = {}
        for state, done in configurations:
            groups.setdefault((state, done & ~reads & ~unanswered), []).append(done)
        kept = set()
        for (state, _), all_done in groups.items():
            # The more reads have happened and the fewer without answer were used, the better.
            scores = [(done & reads) | (unanswered & ~done) for done in all_done]
            for number, score in enumerate(scores):
                if not any(score | other == other and score != other for other in scores):
                    kept.add((state, all_done[number]))
        return kept

    def explain(self, step, configurations):
        cells = step.step.cells
        names = {cell: " ".join(map(str, name)) for name, cell in self.model.cells.items() if cell in cells}
        near = [each for each in self.pending if each.step.cells & cells and each is not step]
        lines = [f"nothing explains {step.operation}"]
        for state, done in sorted(configurations, key=repr)[:3]:
            held = {name: state[cell] for cell, name in names.items() if state[cell] is not None}
            lines.append(f"  with {held or 'nothing there'}")
            lines += [f"    under way: {each.operation}" for each in near if not done & each.bit]
        return "\n".join(lines)
