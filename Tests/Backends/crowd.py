"""Many requests from several processes, each with some connections, for a server that answers faster than one asks."""

import concurrent.futures
import multiprocessing
import threading

from Harness import raw

PROCESSES, CONNECTIONS, CHUNK = 3, 8, 400
# What one process keeps: its threads, and a client in each of them.
_local = threading.local()
_threads = None


def _begin():
    global _threads
    _threads = concurrent.futures.ThreadPoolExecutor(CONNECTIONS)


def _chunk(access, function, items):
    def one(item):
        if getattr(_local, "access", None) != access:
            _local.access, _local.client = access, raw.Raw(access, timeout=120)
        return function(_local.client, item)

    return list(_threads.map(one, items))


class Crowd:
    """Calls a function of a module, with a client and an item, for each of many items."""

    def __init__(self, access, processes=PROCESSES):
        self.access = access
        context = multiprocessing.get_context("fork")
        self.pool = concurrent.futures.ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown(cancel_futures=True)

    def each(self, function, items):
        """The results, in the order of the items; the first failure is raised."""
        items = list(items)
        chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        futures = [self.pool.submit(_chunk, self.access, function, chunk) for chunk in chunks]
        return [result for future in futures for result in future.result()]
