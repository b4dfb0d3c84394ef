"""A container's limits are the machine's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fakesmrt_models.training.machine import usable_cores, usable_memory_bytes

VERSION_2 = {"": {}, "pod": {"cpu.max": "200000 100000", "memory.max": "3000000"}}
VERSION_2["pod/own"] = {"cpu.max": "max 100000", "memory.max": "max"}
VERSION_1 = {
    "cpu/pod": {"cpu.cfs_quota_us": "250000", "cpu.cfs_period_us": "100000"},
    "cpu/pod/own": {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"},
    "memory": {"memory.limit_in_bytes": "3000000"},
    "memory/pod/own": {"memory.limit_in_bytes": "9223372036854771712"},
}


@pytest.mark.parametrize(
    ("groups", "membership"),
    [(VERSION_2, "0::/pod/own\n"), (VERSION_1, "4:memory:/pod/own\n1:cpu,cpuacct:/pod/own\n0::/\n")],
)
def test_the_smallest_limit_of_a_group_or_one_above_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: dict[str, dict[str, str]], membership: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for group, files in groups.items():
        (tmp_path / group).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (tmp_path / group / name).write_text(f"{text}\n")
    (tmp_path / "membership").write_text(membership)
    assert usable_cores(tmp_path, tmp_path / "membership") == 2
    assert usable_memory_bytes(tmp_path, tmp_path / "membership") == 3_000_000


def test_without_control_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path / "absent") == len(os.sched_getaffinity(0))
    assert usable_memory_bytes(tmp_path, tmp_path / "absent") > 1 << 20


def test_less_than_a_core_is_one(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000")
    (tmp_path / "membership").write_text("0::/\n")
    assert usable_cores(tmp_path, tmp_path / "membership") == 1
