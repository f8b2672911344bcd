#!/usr/bin/env python3
"""Recomputes the emissions of the university estate's year from the publishers' own files.

Shares no code with Envora and needs the standard library only. Every line is rounded by itself,
half-even to 10^-12 kg, from exact fractions: kilograms once per line, CO2e once per line and GWP
set. Prints JSON with sorted keys.

    recompute.py [--data DIR] [READINGS]

READINGS holds the hourly meter files (default: examples/university-estate); DIR holds the
publishers' tables (default: ../shared/data beside the repository).
"""

import argparse
import csv
import decimal
import json
import pathlib
from fractions import Fraction

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FLAT_FILE = "uk_desnz_ghg_conversion_factors_2022.csv"
POTENTIALS = "ipcc_gwp_sar_tar_ar4_ar5_ar6.csv"
GASES = ("CO2", "CH4", "N2O")
UNITS = 10**12
# Slot, and where its row stands in the flat file: scope, level 1, level 2, level 3, unit.
ELECTRICITY = {
    "s2_lb": ("Scope 2", "UK electricity", "Electricity generated", "Electricity: UK", "kWh"),
    "s2_mb": ("Scope 2", "UK electricity", "Electricity generated", "Electricity: UK", "kWh"),
    "c3_tnd": (
        "Scope 3",
        "Transmission and distribution",
        "T&D- UK electricity",
        "Electricity: UK",
        "kWh",
    ),
    "c3_wtt": (
        "Scope 3",
        "WTT- UK & overseas elec",
        "WTT- UK electricity (generation)",
        "Electricity: UK",
        "kWh",
    ),
    "c3_wtt_tnd": (
        "Scope 3",
        "WTT- UK & overseas elec",
        "WTT- UK electricity (T&D)",
        "Electricity: UK",
        "kWh",
    ),
}
GAS = {
    "s1": ("Scope 1", "Fuels", "Gaseous fuels", "Natural gas", "kWh (Gross CV)"),
    "c3_wtt": ("Scope 3", "WTT- fuels", "Gaseous fuels", "Natural gas", "kWh (Gross CV)"),
}


def potentials(data):
    """GWP100 of each set; CO2 is one. Methane of AR6 depends on the origin of its carbon."""
    with open(data / POTENTIALS, encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        table = {row["Species"]: row for row in rows}
    columns = {"ar4": "AR4GWP100", "ar5": "AR5GWP100", "ar6": "AR6GWP100"}
    values = {
        name: {gas: Fraction(table[gas][column]) for gas in ("CH4", "N2O")}
        for name, column in columns.items()
    }
    for gases in values.values():
        gases["CO2"] = Fraction(1)
    return values


def factors(data):
    """All rows of the flat file: (scope, levels 1 to 3, unit) to {ghg unit: value}."""
    rows = {}
    with open(data / FLAT_FILE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            place = (row["scope"], row["level_1"], row["level_2"], row["level_3"], row["uom"])
            rows.setdefault(place, {})[row["ghg_unit"]] = Fraction(decimal.Decimal(row["value"]))
    return rows


def half_even(value):
    """Fraction.__round__ rounds half to even."""
    return round(value * UNITS)


def line_rates(row, gwp, fossil):
    """Per unit of activity: gas, kilograms, and CO2e as published, in AR5 and in AR6."""
    lines = []
    rest = row["kg CO2e"]
    for gas in GASES:
        printed = row.get(f"kg CO2e of {gas}")
        if printed is None:
            continue
        kg = printed / gwp["ar4"][gas]
        ar6 = Fraction("29.8") if fossil and gas == "CH4" else gwp["ar6"][gas]
        lines.append((gas, kg, printed, kg * gwp["ar5"][gas], kg * ar6))
        rest -= printed
    if not lines:
        lines.append(("co2e", Fraction(0), rest, rest, rest))
    elif rest:
        lines.append(("co2e_residue", Fraction(0), rest, rest, rest))
    return lines


def kilograms(units):
    """Integer count of 10^-12 kg as a decimal without exponent or trailing zeros."""
    sign, digits = ("-" if units < 0 else ""), f"{abs(units):013d}"
    text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
    return sign + text


class Sums:
    """Integer sums of lines by slot and gas."""

    def __init__(self):
        self.lines = {}

    def add(self, slot, gas, masses):
        sums = self.lines.setdefault(slot, {}).setdefault(gas, [0, 0, 0, 0])
        for place, mass in enumerate(masses):
            sums[place] += mass

    def report(self):
        names = ("kg", "published", "ar5", "ar6")
        slots = {}
        for slot, gases in self.lines.items():
            total = [sum(sums[place] for sums in gases.values()) for place in range(4)]
            slots[slot] = {
                "gases": {
                    gas: dict(zip(names, map(kilograms, sums))) for gas, sums in gases.items()
                },
                "total": dict(zip(names[1:], map(kilograms, total[1:]))),
            }
        return slots


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=REPOSITORY.parent / "shared/data")
    parser.add_argument(
        "readings", nargs="?", type=pathlib.Path, default=REPOSITORY / "examples/university-estate"
    )
    args = parser.parse_args()
    gwp, rows = potentials(args.data), factors(args.data)
    kinds = {
        kind: {slot: line_rates(rows[place], gwp, kind == "gas") for slot, place in slots.items()}
        for kind, slots in (("electricity", ELECTRICITY), ("gas", GAS))
    }
    sums, files, remembered = Sums(), {}, {}
    for path in sorted(args.readings.rglob("*_2022.csv"), key=lambda path: path.name):
        kind = next((kind for kind in kinds if f"_{kind}_" in path.name), None)
        if kind is None:
            continue
        count, quantity = 0, Fraction(0)
        with open(path, encoding="utf-8", newline="") as file:
            readings = csv.reader(file)
            next(readings)
            for _, text in readings:
                value = Fraction(decimal.Decimal(text))
                count, quantity = count + 1, quantity + value
                for slot, lines in kinds[kind].items():
                    for gas, *rates in lines:
                        key = (kind, slot, gas, value)
                        if key not in remembered:
                            remembered[key] = [half_even(value * rate) for rate in rates]
                        sums.add(slot, gas, remembered[key])
        files[path.name] = {"rows": count, "kWh": kilograms(half_even(quantity))}
    report = {
        "files": files,
        "rows": sum(file["rows"] for file in files.values()),
        "slots": sums.report(),
    }
    print(json.dumps(report, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
