"""Running use cases off the event loop: they are plain blocking code, one transaction each.

Rule kept here: a use case holds a thread and (on PostgreSQL) one connection, never the event loop; so no
transaction can be open while something is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Args = ParamSpec("Args")
Result = TypeVar("Result")

WORKERS = 16


class Threads:
    """A bounded pool of worker threads."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="lanyard")

    async def run(self, act: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
        """Run it in a thread and wait for its result, or its exception."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: act(*args, **kwargs))

    def close(self) -> None:
        """Wait for what is running, then stop."""
        self._pool.shutdown(wait=True)
