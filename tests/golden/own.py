"""What the rows of examples/own-factors come to by their own factors, worked out apart from the program.

    python3 tests/golden/own.py > tests/golden/own.json

Exact decimals, each row rounded half to even to 10^-12 kg. No code is shared with the program, and the
rules are written down once more: whose factor a row takes, and in which unit.
"""

import csv
import json
import pathlib
import sys
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

getcontext().prec = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ROOT / "examples" / "own-factors"
KILOGRAMS = {"kg": Decimal(1), "g": Decimal("0.001"), "t": Decimal(1000)}
# Each in the smallest unit of its kind that the files have.
SIZES = {"kg": 1, "t": 1000, "kWh": 1, "kW.h": 1, "MWh": 1000, "MW.h": 1000}


def rows(name):
    with open(FILES / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def taken(row, factors):
    """The row's supplier's own factor; for electricity without one, the residual mix."""
    for factor in factors:
        own = factor["supplier_code"] and factor["supplier_code"] == row["supplier_code"]
        mix = factor["kind"] == "residual_mix" and not row["supplier_code"]
        if factor["type"] == row["type"] and factor["item"] == row["item"] and (own or mix):
            return factor
    raise LookupError(row)


def emitted(row, factor):
    size = Decimal(SIZES[row["unit"]]) / Decimal(SIZES[factor["per"]])
    kg = Decimal(row["quantity"]) * size * Decimal(factor["co2e"]) * KILOGRAMS[factor["unit"]]
    return kg.quantize(Decimal(1).scaleb(-12), rounding=ROUND_HALF_EVEN)


told = {}
for name in ("factors.csv", "factors-corrected.csv"):
    factors = rows(name)
    by_row = {row["external_id"]: (emitted(row, taken(row, factors)), taken(row, factors)["key"]) for row in rows("bought.csv")}
    text = lambda kg: format(kg.normalize(), "f")
    scope = {"po": "category_1", "waste": "category_5", "el": "scope2_market", "heat": "scope2_market"}
    sums = {}
    for row, (kg, _) in by_row.items():
        sums[scope[row.split("-")[0]]] = sums.get(scope[row.split("-")[0]], Decimal(0)) + kg
    told[name] = {
        "rows": {row: {"factor": key, "co2e": text(kg)} for row, (kg, key) in by_row.items()},
        "sums": {name: text(kg) for name, kg in sums.items()},
    }
json.dump(told, sys.stdout, indent=1)
print()
