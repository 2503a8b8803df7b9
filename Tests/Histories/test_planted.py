"""Defects planted in the simulated server: each must be found, and by how many histories is known."""

import copy

import pytest

from Histories.checker import check
from Histories.simulation import Server, Simulation


class Planted(Simulation):
    """A server that decides some requests by the state that it had when they came, as one does that forgets a race."""

    def __init__(self, seed, bug):
        super().__init__(seed)
        self.bug, self.listed = bug, None

    def call(self, now, client):
        super().call(now, client)
        if client in self.underway:
            self.underway[client].before = copy.deepcopy((self.server.objects, self.server.uploads))

    def happen(self, now, client):
        underway = self.underway[client]
        request = underway.request
        now_held = self.server.objects, self.server.uploads
        if request.kind == self.bug[0] and self.bug[1](request):
            decided = Server(self.workload.copies)
            decided.objects, decided.uploads = copy.deepcopy(underway.before)
            underway.answer = getattr(decided, request.kind)(**request.arguments)
            if underway.answer == request.arguments.get("etag"):
                self.keep(request, underway.answer, *now_held)
            self.later(now, client, self.reply)
        else:
            super().happen(now, client)

    @staticmethod
    def keep(request, answer, objects, uploads):
        """What was decided happens, whatever is the case by now."""
        upload = request.arguments.get("upload")
        if request.kind in ("put", "complete"):
            objects[request.arguments["key"]] = answer
        if request.kind == "complete":
            uploads[upload] = answer
        if request.kind == "part" and isinstance(uploads.get(upload), dict):
            uploads[upload][request.arguments["number"]] = answer


BUGS = {
    "listing of the moment at which it was asked for": ("list", lambda request: True),
    "condition decided before the commit": ("put", lambda request: "condition" in request.arguments),
    "complete racing abort": ("complete", lambda request: True),
    "part taken after the end of its upload": ("part", lambda request: True),
    "read of the moment at which it was asked for": ("get", lambda request: True),
}
# A read may be of any moment between question and answer: that is no defect.
RIGHT = {"listing of the moment at which it was asked for", "read of the moment at which it was asked for"}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_defect_is_found(name):
    found = [seed for seed in range(60) if not check(Planted(seed, BUGS[name]).run())]
    if name in RIGHT:
        assert not found
    else:
        assert len(found) >= 4, f"{name}: {found}"


class Stale(Simulation):
    """A server whose listings may be those of an earlier moment, or miss what was written last."""

    def happen(self, now, client):
        underway = self.underway[client]
        super().happen(now, client)
        if underway.request.kind == "list" and not underway.request.arguments:
            earlier, self.listed = getattr(self, "listed", None), underway.answer
            if earlier is not None and self.chance.random() < 0.3:
                underway.answer = earlier


def test_stale_listings_are_found():
    found = [seed for seed in range(60) if not check(Stale(seed).run())]
    assert len(found) >= 30, found
