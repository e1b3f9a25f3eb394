"""The server audits of npm `graphql-http`, over a socket."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.unit.graphql.little_graph import little_app
from tests.unit.graphql.served import served

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="Node is not installed"),
]


async def output_of(*command: str) -> str:
    """What *command* prints, run next to its package.json."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_all_61_audits_pass():
    """Every MUST, SHOULD and MAY; the number is part of the fact."""
    await output_of("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    async with served(little_app()) as port:
        audits = json.loads(
            await output_of("node", "audit.mjs", f"http://127.0.0.1:{port}/graphql")
        )
    assert [audit for audit in audits if audit["status"] != "ok"] == []
    assert len(audits) == 61
