"""What search and red flags are worth and cost, beside others, in one run: `make bench-knowledge` (ARGS=FILE).

On labelled messages (columns id, text, topics, flags, not_flags; default: the shared ones): this search, SQLite FTS5,
BM25 (bm25s) and the embeddings alone, all over the same entries. Then the time of one look and the memory, at the
shipped size, 2,000 and 20,000 entries (copies with made-up vectors), on one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is there: one core is what is promised

import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import bm25s
import numpy as np

from knowledge.embedding import SIZE, Embedder
from knowledge.entry import Entry, Kind, Published
from knowledge.evaluate import Labelled, flag_measures, read_labels, topic_measures, topics_in_order
from knowledge.live_guide import LiveGuide
from knowledge.reading import read_folder
from knowledge.search import Search
from knowledge.vectors import VectorStore

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "eval" / "questions.tsv"
NOW = datetime(2026, 11, 23, 21, tzinfo=UTC)
ROUNDS = 3


def main() -> None:
    """Run it all."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    labelled = read_labels(file)
    entries = [entry for entry in read_folder() if entry.kind is not Kind.SERVICE]
    guide = LiveGuide()
    guide.make([Published(entry, 1) for entry in read_folder()])
    print(f"{len(labelled)} messages of {file.name}; {len(entries)} entries of guidance and powers\n")
    print(f"{'':28}right topic in 3   primary in 3")
    ways: dict[str, Callable[[str], Sequence[str]]] = {
        "this search": lambda text: topics_in_order(guide.suggest(text, None, NOW)),
        "SQLite FTS5": fts5(entries),
        "BM25 (bm25s)": bm25(entries),
        "embeddings alone": embeddings(entries),
    }
    for name, way in ways.items():
        found = topic_measures(labelled, way)
        print(f"{name:28}{found['right_topic']:>10.1%}{found['primary_topic']:>16.1%}")
    print("\nred flags:", json.dumps(flag_measures(labelled, lambda text: guide.suggest(text, None, NOW)), indent=1))
    print(f"\n{'entries':>10}{'p50 ms':>10}{'p99 ms':>10}{'resident MB':>14}")
    for size in (len(read_folder()), 2_000, 20_000):
        middle, worst = latency(size, labelled)
        print(f"{size:>10}{middle:>10.2f}{worst:>10.2f}{resident():>14}")


def document(entry: Entry) -> str:
    """What the others search in: all that an entry says."""
    return f"{entry.title} {' '.join(entry.says)} {entry.body}"


def distinct(topics: Sequence[str]) -> list[str]:
    """Topics in order, each once: nobody is counted down for two entries on one topic."""
    return list(dict.fromkeys(topics))


def fts5(entries: Sequence[Entry]) -> Callable[[str], Sequence[str]]:
    """SQLite's full-text search with its Porter stemmer, any of the words."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE entry USING fts5(topic UNINDEXED, words, tokenize = 'porter')")
    base.executemany("INSERT INTO entry VALUES (?, ?)", [(entry.topics[0], document(entry)) for entry in entries])

    def find(text: str) -> Sequence[str]:
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", text)) or '""'
        rows = base.execute("SELECT topic FROM entry WHERE entry MATCH ? ORDER BY rank LIMIT 12", (words,))
        return distinct([topic for (topic,) in rows])

    return find


def bm25(entries: Sequence[Entry]) -> Callable[[str], Sequence[str]]:
    """BM25 with English stop words."""
    index = bm25s.BM25()
    index.index(bm25s.tokenize([document(entry) for entry in entries], show_progress=False), show_progress=False)

    def find(text: str) -> Sequence[str]:
        query = bm25s.tokenize([text], show_progress=False)
        rows, _ = index.retrieve(query, k=12, show_progress=False)
        return distinct([entries[int(row)].topics[0] for row in rows[0]])

    return find


def embeddings(entries: Sequence[Entry]) -> Callable[[str], Sequence[str]]:
    """The nearest entries by the same model."""
    embedder = Embedder()
    vectors = embedder.embed([document(entry) for entry in entries])

    def find(text: str) -> Sequence[str]:
        order = np.argsort(-(vectors @ embedder.embed([text])[0]))[:12]
        return distinct([entries[int(at)].topics[0] for at in order])

    return find


def latency(size: int, labelled: Sequence[Labelled]) -> tuple[float, float]:
    """Median and 99th percentile of one look, in ms, over every message `ROUNDS` times."""
    shipped = read_folder()
    published = []
    for at in range(size):
        entry = shipped[at % len(shipped)]
        if at >= len(shipped):
            entry = replace(entry, id=f"{entry.id}-{at}", title=f"{entry.title} {at}", says=())
        published.append(Published(entry, 1))
    store = VectorStore()
    made_up(store, Search.texts(published))
    guide = LiveGuide(store=store)
    guide.make(published)
    times = []
    for one in labelled * ROUNDS:
        began = time.perf_counter()
        guide.look(one.text, "blackpool", NOW)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)]


def made_up(store: VectorStore, texts: Sequence[str]) -> None:
    """Random vectors for what would take minutes to embed: the time of a search does not depend on them."""
    chance = np.random.default_rng(1)
    for text in store.missing(texts):
        row = chance.normal(size=SIZE)
        store.put(text, (row / np.linalg.norm(row)).astype(np.float32))


def resident() -> int:
    """Resident memory of this process now, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]


if __name__ == "__main__":
    main()
