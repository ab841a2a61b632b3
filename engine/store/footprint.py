"""What a memory costs on the disk and in RAM, by tier."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from engine.store.catalog import CATALOG, SEGMENTS
from engine.store.residency import resident_bytes


def footprint(connection: sqlite3.Connection, directory: Path) -> dict[str, Any]:
    """Fields of `engine.results.Footprint` that the store knows. Bytes by tier add up to the files' sizes, nearly:
    segment headers are not counted, `catalog` is what of the SQLite files is neither text nor its index."""
    tokens, documents, sources = connection.execute(
        "SELECT ifnull(sum(n_tokens), 0), ifnull(sum(n_documents), 0), count(*) FROM sources"
    ).fetchone()
    segments, router, content = connection.execute(
        "SELECT count(*), ifnull(sum(bytes_router), 0), ifnull(sum(bytes_kv), 0) FROM segments"
    ).fetchone()
    chunks = connection.execute("SELECT ifnull(sum(n_chunks), 0) FROM documents").fetchone()[0]
    text = connection.execute("SELECT ifnull(sum(length(blob)), 0) FROM text_blocks").fetchone()[0]
    index = connection.execute("SELECT ifnull(sum(length(block)), 0) FROM documents_fts_data").fetchone()[0]
    files = sum(path.stat().st_size for path in directory.glob(f"{CATALOG}*") if not path.name.endswith("-shm"))
    sizes = {
        "router_keys": router,
        "content_kv": content,
        "text": text,
        "text_index": index,
        "catalog": max(files - text - index, 0),
    }
    files_kv = connection.execute("SELECT file, bytes_kv FROM segments").fetchall()
    held = sum(resident_bytes(directory / SEGMENTS / file, size) for file, size in files_kv)
    return {
        "store": str(directory),
        "tokens": tokens,
        "documents": documents,
        "sources": sources,
        "chunks": chunks,
        "segments": segments,
        "bytes": sizes,
        "bytes_per_token": sum(sizes.values()) / tokens if tokens else 0.0,
        "resident": {"router_keys": router, "content_kv": held},
        "places": {tier: "RAM" if tier == "router_keys" else "disk" for tier in sizes},
        "kinds": dict(connection.execute("SELECT kind, count(*) FROM sources GROUP BY kind ORDER BY kind").fetchall()),
    }
