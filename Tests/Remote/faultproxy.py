"""A proxy on the loopback interface before an S3 server that does what a bad backend or network would do.

Each request is sent on as it came, `Host` included, which its signature covers; a connection of a client has one of its
own to the server. Both ways go on piece by piece, no faster than they are taken.

    with FaultProxy(port) as proxy:
        proxy.set(Fault("flip", operation="GetObject", key="^laws/", times=3))
        …
        assert proxy.count("flip") == 3
"""

import asyncio
import contextlib
import socket
import struct
import threading

from Remote import lies, messages
from Remote.faults import Fault, Plan
from Remote.memory import Memory

ON_THE_WAY = ("reset", "hang", "slow", "cut")
# What a connection does not survive, and needs no telling: the client sees its end.
ENDS = (messages.Broken, OSError, ValueError, asyncio.IncompleteReadError)


class Reset(messages.Broken):
    """The fault is that the connection ends here."""


def bound_socket():
    """A socket on a free port that keeps its port when it does not listen any more.

    The kernel lets it only to who has named it.
    """
    with socket.socket() as drawn:
        drawn.bind(("127.0.0.1", 0))
        port = drawn.getsockname()[1]
    named = socket.socket()
    named.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    named.bind(("127.0.0.1", port))
    named.setblocking(False)
    return named


class FaultProxy:
    """Serves from its making to `close`, in a thread of its own. Its methods may be called by any thread.

    :param upstream: the server's port on the loopback interface
    :param secret_key: with which requests are signed anew for a server whose clock is right, by the fault `skew`
    """

    def __init__(self, upstream, secret_key=None, seed=1):
        self.upstream, self.secret_key = upstream, secret_key
        self.plan, self.memory = Plan(seed), Memory()
        self._socket = bound_socket()
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._connections, self._accepting = set(), None
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._thread.start()
        self._run(self._take_connections())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._run(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._socket.close()

    def set(self, fault):
        """From now on also this fault; the first that matches a request is done to it."""
        self.plan.set(fault)
        if fault.kind == "refuse":
            self._run(self._refuse())
            self.plan.did(fault)

    def clear(self):
        """No faults from now on. What hangs goes on."""
        self.plan.clear()
        self.release()
        self._run(self._take_connections())

    def release(self):
        """Lets go on what hangs."""
        self._run(self._release())

    def count(self, name):
        """How often a fault was really done."""
        return self.plan.counts().get(name, 0)

    def counts(self):
        return self.plan.counts()

    @property
    def connections(self):
        """How many clients are connected."""
        return len(self._connections)

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _release(self):
        self._released.set()
        self._released = asyncio.Event()

    async def _take_connections(self):
        if self._accepting is None:
            self._socket.listen(128)
            self._accepting = self._loop.create_task(self._accept())

    async def _refuse(self):
        """A socket that is bound and does not listen refuses, and keeps its port."""
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            self._socket.shutdown(socket.SHUT_RDWR)
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self):
        while True:
            accepted, _ = await self._loop.sock_accept(self._socket)
            task = self._loop.create_task(self._serve(accepted))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _serve(self, accepted):
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, writer = await asyncio.open_connection(sock=accepted, limit=messages.PIECE)
        # So that what was written has left before a connection is reset.
        writer.transport.set_write_buffer_limits(0)
        await Connection(self, reader, writer).serve()

    async def wait(self, seconds=None):
        """Waits for the time, or until all that waits is released."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()


class Connection:
    """A client's connection, and the one to the server that serves it."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.upstream = None

    async def serve(self):
        try:
            while True:
                request = await messages.read_request(self.reader)
                if request is None or not await self.exchange(request):
                    break
        except ENDS:
            self.reset()
        except asyncio.CancelledError:
            self.reset()
            raise
        finally:
            self.leave_upstream()
            self.writer.close()

    def reset(self):
        accepted = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            # Closed so, it says reset at once.
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def exchange(self, request):
        """One request and its answer.

        :return: whether another one may follow
        """
        if "100-continue" in request.fields.get("expect", "").lower():
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = messages.read_body(self.reader, request.fields)
        drawn = self.proxy.plan.begin(request)
        if drawn is None:
            return await self.send(await self.forward(request, body))
        case = lies.Case(request, body, drawn, self.proxy)
        try:
            return await self.answer_falsely(case)
        finally:
            case.end()

    async def answer_falsely(self, case):
        kind, request = case.fault.kind, case.request
        if kind in ON_THE_WAY and case.fault.where == "request":
            return await self.send(await self.forward(request, self.disturbed(case, case.body, request.fields.length)))
        instead, after = lies.INSTEAD.get(kind), lies.AFTER.get(kind)
        answer = await instead(case) if instead else None
        if answer is not None:
            case.did()
            return await self.send(answer)
        answer = await self.forward(request, case.body)
        if after and await after(case, answer):
            case.did()
        if kind in ON_THE_WAY:
            await self.disturb(case, answer)
        return await self.send(answer)

    async def disturb(self, case, answer):
        """Does what is to be done on an answer's way: within its body, or instead of its head where it has none."""
        if case.fault.kind == "cut" or not answer.length:
            async for _ in self.disturbed(case, messages.pieces_of(b""), 0):
                pass
            return
        if case.fault.kind == "slow":
            # Before the wait: whoever gives up meanwhile has met it too.
            case.did()
            await self.proxy.wait(case.fault.seconds)
        answer.body = self.disturbed(case, answer.body, answer.length)

    async def disturbed(self, case, body, length):
        """A body on whose way the fault is done."""
        fault = case.fault
        if fault.kind == "slow":
            if fault.where == "request" or not length:
                case.did()
                await self.proxy.wait(fault.seconds)
            async for piece in self.slowed(body, fault.rate):
                yield piece
            return
        place, position = (fault.place(length, case.chance) or 0) if length else 0, 0
        async for piece in body:
            if position <= place < position + len(piece):
                yield piece[: place - position]
                await self.stop_here(case)
                piece, position = piece[place - position :], place
            yield piece
            position += len(piece)
        if not length:
            await self.stop_here(case)

    async def slowed(self, body, rate):
        # Some ten pieces in a second.
        size = max(1, rate // 10) if rate else messages.PIECE
        async for piece in body:
            for start in range(0, len(piece), size):
                part = piece[start : start + size]
                if rate:
                    await self.proxy.wait(len(part) / rate)
                yield part

    async def stop_here(self, case):
        case.did()
        if case.fault.kind != "hang":
            raise Reset("the fault proxy ends it")
        if case.fault.where == "request":
            # What the client still sends is left where it is.
            await self.proxy.wait()
        else:
            await self.wait_or_gone()

    async def wait_or_gone(self):
        """Waits until it is released, or the client goes; one that sends more now is none that is served here."""
        waits = asyncio.ensure_future(self.proxy.wait())
        more = asyncio.ensure_future(self.reader.read(1))
        try:
            await asyncio.wait({waits, more}, return_when=asyncio.FIRST_COMPLETED)
            if more.done():
                raise messages.Broken("the client has gone")
        finally:
            for each in (waits, more):
                each.cancel()
            await asyncio.gather(waits, more, return_exceptions=True)

    # The backend.

    async def forward(self, request, body):
        """Sends a request on; returns the answer, whose body is still to be read."""
        reader, writer = await self.reach_upstream()
        seen = bytearray() if self.is_remembered(request) else None
        writer.write(request.head())
        sending = messages.write_body(writer, self.watched(body, seen), request.fields.is_chunked)
        pump = asyncio.ensure_future(sending)
        head = asyncio.ensure_future(messages.read_answer(reader, request.method))
        try:
            await asyncio.wait({pump, head}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
            answer = await head
            if not pump.done():
                # It has answered before it had all; the connection is of no use after that.
                await asyncio.wait({pump}, timeout=1)
                answer.closes = answer.closes or not pump.done()
        finally:
            for each in (pump, head):
                each.cancel()
            await asyncio.gather(pump, head, return_exceptions=True)
        await self.remember(request, answer, seen)
        return answer

    async def watched(self, body, seen):
        async for piece in body:
            if seen is not None:
                seen += piece
            yield piece

    def is_remembered(self, request):
        return request.operation == "PutObject" and (request.fields.length or 0) <= self.proxy.memory.longest

    async def remember(self, request, answer, seen):
        if answer.status not in (200, 204):
            return
        if request.operation == "PutObject":
            self.proxy.memory.wrote(request.key, None if seen is None else bytes(seen))
        elif request.operation == "CompleteMultipartUpload":
            self.proxy.memory.wrote(request.key, None)
        elif request.operation == "DeleteObject":
            self.proxy.memory.deleted(request.key)
        elif request.operation == "ListObjectsV2":
            listing = await answer.whole()
            if listing is None:
                raise messages.Broken("a listing without end")
            self.proxy.memory.listed(request.target, listing)
            answer.replace_body(listing)

    async def reach_upstream(self):
        if self.upstream is None or self.upstream[0].at_eof():
            self.leave_upstream()
            self.upstream = await asyncio.open_connection("127.0.0.1", self.proxy.upstream, limit=messages.PIECE)
        return self.upstream

    def leave_upstream(self):
        if self.upstream is not None:
            self.upstream[1].transport.abort()
            self.upstream = None

    # The client.

    async def send(self, answer):
        self.writer.write(answer.head())
        if answer.is_bare:
            await self.writer.drain()
            return not answer.closes
        await messages.write_body(self.writer, answer.body, answer.announced is None)
        if answer.length is not None and answer.length < (answer.announced or 0):
            # Less than it said. Where the connection stays, the client waits for the rest.
            if not answer.closes:
                await self.wait_or_gone()
            return False
        return not answer.closes


__all__ = ["Fault", "FaultProxy"]
