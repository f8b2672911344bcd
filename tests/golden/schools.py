#!/usr/bin/env python3
"""Recomputes the schools' day of half hours from the publishers' own files.

Shares no code with Envora and needs the standard library only. Every half hour's line is rounded by
itself, half-even to 10^-12 kg. Prints JSON with sorted keys.

    schools.py [--data DIR]

The day is in 2019, before the first edition that Envora brings, so that the nearest one stands in:
that of 2021. The column of totals is not counted; that it says the same as the half hours is checked.
"""

import argparse
import csv
import decimal
import json
import pathlib
import sys
from fractions import Fraction

sys.dont_write_bytecode = True
from recompute import ELECTRICITY, GASES, REPOSITORY, half_even, kilograms  # noqa: E402

FLAT_FILE = "uk_desnz_ghg_conversion_factors_2021.csv"
READINGS = REPOSITORY / "examples/school-half-hours/half-hours-2019-11-13.csv"


def table(data):
    rows = {}
    with open(data / FLAT_FILE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            place = (row["scope"], row["level_1"], row["level_2"], row["level_3"], row["uom"])
            rows.setdefault(place, {})[row["ghg_unit"]] = Fraction(decimal.Decimal(row["value"]))
    return rows


def readings():
    """The half hours of each school, in kWh."""
    with open(READINGS, encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            assert row["Units"] == "kWh" and row["Type"] == "Electricity", row
            halves = [Fraction(row[name]) for name in row if name.startswith("[")]
            assert len(halves) == 48 and sum(halves) == Fraction(row["Total Units"]), row
            yield from halves


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=REPOSITORY.parent / "shared/data")
    args = parser.parse_args()
    rows = table(args.data)
    halves = list(readings())
    sums = {}
    for slot, place in ELECTRICITY.items():
        row = rows[place]
        gases = [row[name] for name in row if name.startswith("kg CO2e of ")]
        assert len(gases) in (0, len(GASES)), place
        total = row.get("kg CO2e", sum(gases))
        lines = gases + ([total - sum(gases)] if total != sum(gases) or not gases else [])
        sums[slot] = sum(half_even(half * line) for half in halves for line in lines)
    totals = {
        "scope2_location": sums["s2_lb"],
        "scope2_market": sums["s2_mb"],
        "scope3": sums["c3_tnd"] + sums["c3_wtt"] + sums["c3_wtt_tnd"],
    }
    report = {
        "activities": len(halves),
        "kWh": str(decimal.Decimal(sum(halves).numerator) / sum(halves).denominator),
        "totals": {name: kilograms(units) for name, units in totals.items()},
    }
    print(json.dumps(report, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
