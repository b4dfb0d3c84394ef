"""Seconds of the questions that a Training Database must answer, and of publishing it: see ``warehouse_questions.py``.

    python benchmarks/warehouse.py --chunks 1000000
    python benchmarks/warehouse.py --home /tmp/home --chunks 10000000 --peer

This file bears the name of the package that is measured. So this folder, which Python puts first where a script of it
is run, is left out while the package is imported; and where another script asks for the package and finds this file,
it gets the package.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)
sys.path[:] = [entry for entry in sys.path if str(Path(entry).resolve()) != FOLDER]
sys.modules.pop("warehouse", None)
importlib.import_module("warehouse")
sys.path.append(FOLDER)

if __name__ == "__main__":
    importlib.import_module("warehouse_questions").main()
