"""The faults that make an answer: those that need no backend for it, and those that change the backend's."""

import datetime
import email.utils
import hashlib

from Remote import listings, memory, messages, resigning

XML = ("Content-Type", "application/xml")
# How far a request's time may be off, as S3 has it.
TOLERANCE = 15 * 60
PAGE = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Sign in to go on.</body></html>\n"


class Case:
    """A request that a fault was drawn for."""

    def __init__(self, request, body, drawn, proxy):
        self.request, self.body, self.fault = request, body, drawn.fault
        self.memory, self.chance, self.secret_key = proxy.memory, proxy.plan.chance, proxy.secret_key
        self._plan, self._drawn, self._has_ended = proxy.plan, drawn, False

    def did(self):
        """Counts the fault: before the client can see anything of it."""
        self.end(True)

    def end(self, is_done=False):
        if not self._has_ended:
            self._has_ended = True
            self._plan.end(self._drawn, is_done)

    async def take_body(self):
        """Takes the request's body, and returns its MD5."""
        digest = hashlib.md5()
        async for piece in self.body:
            digest.update(piece)
        return digest.hexdigest()

    def error(self, status, code, *fields, extra=""):
        body = memory.error(code, extra)
        return messages.made_up(status, body, XML, *fields, method=self.request.method)


# Instead of the backend: each returns None where the backend is to be asked after all.


async def error(case):
    if case.fault.forwards:
        return None
    await case.take_body()
    return case.error(case.fault.status, case.fault.code)


async def html(case):
    if case.fault.forwards:
        return None
    await case.take_body()
    return messages.made_up(200, PAGE, ("Content-Type", "text/html"), method=case.request.method)


async def throttle(case):
    await case.take_body()
    fields = [("Retry-After", f"{case.fault.seconds:.0f}")] if case.fault.seconds else []
    return case.error(503, "SlowDown", *fields)


async def lost(case):
    """Whatever was to be changed, the answer is that of a success."""
    tag = await case.take_body()
    if case.request.operation in ("DeleteObject", "AbortMultipartUpload"):
        return messages.made_up(204)
    if case.request.operation == "CompleteMultipartUpload":
        document = f'<CompleteMultipartUploadResult><ETag>"{tag}-1"</ETag></CompleteMultipartUploadResult>'
        return messages.made_up(200, document.encode(), XML)
    return messages.made_up(200, b"", ("ETag", f'"{tag}"'))


async def stale(case):
    request = case.request
    if request.operation == "ListObjectsV2":
        first = case.memory.first_listing(request.target)
        return None if first is None else messages.made_up(200, first, XML)
    before = case.memory.before(request.key)
    return None if before is None else memory.answer_of(before, request)


async def swap(case):
    other = case.memory.of_another(case.request.key)
    return None if other is None else memory.part_of(other, case.request)


async def onward(case):
    return messages.made_up(200, listings.onward(case.request), XML)


async def endless(case):
    if listings.goes_on(case.request) is None or case.memory.endless_page is None:
        return None
    return messages.made_up(200, case.memory.endless_page, XML)


async def skew(case):
    """Refuses what is not signed for the time of this clock; what is goes on, signed for the real one."""
    claimed = resigning.claimed_time(case.request)
    now = datetime.datetime.now(datetime.timezone.utc)
    ours = now + datetime.timedelta(seconds=case.fault.seconds)
    if claimed is None or abs((claimed - ours).total_seconds()) <= TOLERANCE:
        if case.secret_key:
            resigning.resign(case.request, case.secret_key, now)
        return None
    await case.take_body()
    time = ours.strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = case.error(403, "RequestTimeTooSkewed", extra=f"<ServerTime>{time}</ServerTime>")
    return _dated(answer, case.fault)


INSTEAD = {each.__name__: each for each in (error, html, throttle, lost, stale, swap, onward, endless, skew)}


# What becomes of the backend's answer: each returns whether it did anything.


def _dated(answer, fault):
    now = datetime.datetime.now(datetime.timezone.utc)
    answer.fields.set("Date", email.utils.format_datetime(now + _seconds(fault), usegmt=True))
    return answer


def _seconds(fault):
    return datetime.timedelta(seconds=fault.seconds)


async def _skewed_answer(case, answer):
    _dated(answer, case.fault)
    return True


async def _error_after(case, answer):
    document = memory.error(case.fault.code)
    await _replaced(case, answer, case.fault.status, document, "application/xml")
    return True


async def _html_after(case, answer):
    await _replaced(case, answer, 200, PAGE, "text/html")
    return True


async def _replaced(case, answer, status, body, kind):
    async for _ in answer.body:
        pass
    answer.status, answer.reason = status, messages.REASONS.get(status, "Unknown")
    answer.fields.set("Content-Type", kind)
    answer.is_bare = case.request.method == "HEAD"
    answer.replace_body(body)


async def _truncate(case, answer):
    if answer.is_bare or answer.length is None:
        return False
    place = case.fault.place(answer.length, case.chance)
    if place is None:
        return False
    answer.body, answer.length = _first(answer.body, place), place
    if case.fault.honest:
        answer.announced = place
    answer.closes = answer.closes or case.fault.closes
    return True


async def _first(body, count):
    async for piece in body:
        if count:
            yield piece[:count]
        count = max(0, count - len(piece))


async def _flip(case, answer):
    if answer.is_bare or answer.length is None:
        return False
    place = case.fault.place(answer.length, case.chance)
    if place is None:
        return False
    answer.body = _flipped(answer.body, place, case.fault.count, case.chance)
    return True


async def _flipped(body, place, count, chance):
    position = 0
    async for piece in body:
        piece = bytearray(piece)
        for index in range(max(0, place - position), min(len(piece), place + count - position)):
            piece[index] ^= 1 << chance.randrange(8)
        position += len(piece)
        yield bytes(piece)


async def _append(case, answer):
    if answer.is_bare or answer.length is None:
        return False
    answer.body = _followed(answer.body, case.chance.randbytes(case.fault.count))
    answer.length += case.fault.count
    if case.fault.honest:
        answer.announced = answer.length
    answer.closes = answer.closes or case.fault.closes
    return True


async def _followed(body, more):
    async for piece in body:
        yield piece
    yield more


async def _listing(case, answer):
    body = await answer.whole()
    if body is None:
        raise messages.Broken("a listing without end")
    lie = listings.LIES[case.fault.kind](body, case.request)
    if case.fault.kind == "endless":
        case.memory.endless_page = lie
    answer.replace_body(body if lie is None else lie)
    return lie is not None


AFTER = dict.fromkeys(listings.LIES, _listing) | {
    "skew": _skewed_answer,
    "error": _error_after,
    "html": _html_after,
    "truncate": _truncate,
    "flip": _flip,
    "append": _append,
}
