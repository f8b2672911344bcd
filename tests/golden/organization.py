#!/usr/bin/env python3
"""Recomputes an organization's year: the university estate's meters and the files beside them.

Reads the CSV files and the workbook by itself, without the mappings, and the publisher's own table; shares no code
with Envora and needs the standard library only. Every line is rounded by itself, half-even to
10^-12 kg, as in recompute.py. Prints JSON with sorted keys.

    organization.py [--data DIR]
"""

import argparse
import csv
import decimal
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from fractions import Fraction

sys.dont_write_bytecode = True
from recompute import FLAT_FILE, REPOSITORY, half_even, kilograms  # noqa: E402

FILES = REPOSITORY / "examples/organization-year"
SHORT_TON = Fraction("0.90718474")  # t


def number(text, group=",", point="."):
    return Fraction(decimal.Decimal(text.replace(group, "").replace(point, ".")))


def table(data):
    """All rows of the flat file: (scope, levels 1 to 4, column, unit) to {ghg unit: value}."""
    rows = {}
    names = ("scope", "level_1", "level_2", "level_3", "level_4", "column_text", "uom")
    with open(data / FLAT_FILE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            value = Fraction(decimal.Decimal(row["value"]))
            rows.setdefault(tuple(row[name] for name in names), {})[row["ghg_unit"]] = value
    return rows


def rows_of(name):
    with open(FILES / name, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


class Year:
    """Integer sums of lines by slot, and how many activities each file gave."""

    def __init__(self, rows):
        self.rows, self.sums, self.files, self.name = rows, {}, {}, ""

    def count(self, name):
        self.name = name
        self.files[name] = self.files.get(name, 0) + 1

    def add(self, slot, amount, *place):
        """The lines of an amount: one per gas, one of the rest or of the whole total."""
        row = self.rows[place]
        gases = [value for name, value in row.items() if name.startswith("kg CO2e of ")]
        rest = row.get("kg CO2e", sum(gases)) - sum(gases)
        lines = gases + ([rest] if rest or not gases else [])
        units = sum(half_even(amount * line) for line in lines)
        for key in ((slot,), (self.name, slot)):
            self.sums[key] = self.sums.get(key, 0) + units


def fuel(year, litres, oil, biogenic=True):
    year.add("s1", litres, "Scope 1", "Fuels", "Liquid fuels", oil, "", "", "litres")
    year.add("c3.3", litres, "Scope 3", "WTT- fuels", "Liquid fuels", oil, "", "", "litres")
    if biogenic:
        group = "Forecourt fuels containing biofuel"
        place = ("Outside of Scopes", "Outside of scopes", group, oil, "", "", "litres")
        year.add("biogenic", litres, *place)


def fuel_cards(year):
    oils = {
        "Diesel": "Diesel (average biofuel blend)",
        "Diesel B7": "Diesel (average biofuel blend)",
        "Super E5": "Petrol (average biofuel blend)",
        "Super E10": "Petrol (average biofuel blend)",
    }
    lines = (FILES / "fuel-cards.csv").read_bytes().decode("cp1252").splitlines()
    for row in csv.DictReader([lines[3], *lines[5:]], delimiter=";"):
        if row["Karte"] != "Summe" and row["Produkt"] in oils:
            year.count("fuel-cards.csv")
            fuel(year, number(row["Menge"], ".", ","), oils[row["Produkt"]])


def oil_used(year):
    for row in rows_of("oil-used.csv"):
        year.count("oil-used.csv")
        oil = {"Kerosene": "Burning oil", "Red diesel": "Gas oil"}[row["Oil"]]
        fuel(year, number(row["Litres"]), oil, biogenic=False)


def refrigerants(year):
    pure, blends = "Kyoto protocol products", "Blends"
    kyoto = "Emissions including only Kyoto products"
    gases = {
        "R-410A": (blends, "R410A"),
        "R404A": (blends, "R404A"),
        "R 407C": (blends, "R407C"),
        "R-32": (pure, "HFC-32"),
        "R134a": (pure, "HFC-134a"),
        "HFC-134a": (pure, "HFC-134a"),
    }
    for row in rows_of("refrigerant-log.csv"):
        year.count("refrigerant-log.csv")
        place = ("Scope 1", "Refrigerant & other", *gases[row["Gas"]], "", kyoto, "kg")
        year.add("s1", number(row["Top-up kg"]), *place)


def waste(year):
    materials = {
        "General waste": ("Refuse", "Commercial and industrial waste"),
        "Mixed paper and card": ("Paper", "Paper and board: mixed"),
        "Food": ("Refuse", "Organic: food and drink waste"),
        "Glass": ("Other", "Glass"),
        "Garden": ("Refuse", "Organic: garden waste"),
        "Timber": ("Construction", "Wood"),
        "WEEE": ("Electrical items", "WEEE - mixed"),
        "Rubble": ("Construction", "Concrete"),
        "Plasterboard": ("Construction", "Plasterboard"),
        "Scrap metal": ("Metal", "Metal: scrap metal"),
    }
    treatments = {"Energy from waste": "Combustion", "Recycling": "Closed-loop"}
    for row in rows_of("waste-transfer-notes.csv"):
        if "otal" in row["Note"]:
            continue
        year.count("waste-transfer-notes.csv")
        treatment = treatments.get(row["Treatment"], row["Treatment"])
        place = ("Scope 3", "Waste disposal", *materials[row["Material"]], "", treatment, "tonnes")
        tonnes = number(row["Weight"]) / {"t": 1, "kg": 1000}[row["Unit"]]
        year.add("c3.5", tonnes, *place)


def travel(year):
    hauls = {
        "Domestic": "Domestic, to/from UK",
        "Short-haul": "Short-haul, to/from UK",
        "Long-haul": "Long-haul, to/from UK",
        "International": "International, to/from non-UK",
    }
    ground = {
        "Rail": ("Rail", "National rail"),
        "Eurostar": ("Rail", "International rail"),
        "Tube": ("Rail", "London Underground"),
        "Coach": ("Bus", "Coach"),
        "Taxi": ("Taxis", "Regular taxi"),
    }
    land, unit = "Business travel- land", "passenger.km"
    for row in rows_of("business-travel.csv"):
        what = row["What"]
        if what == "Flight":
            year.count("business-travel.csv")
            km = number(row["Passenger km"])
            seat = row["Class"] if row["Class"] != "-" else "Average passenger"
            tail = (hauls[row["Haul"]], seat, "With RF", unit)
            year.add("c3.6", km, "Scope 3", "Business travel- air", "Flights", *tail)
            year.add("c3.6", km, "Scope 3", "WTT- business travel (air)", "WTT- flights", *tail)
        elif what in ground:
            year.count("business-travel.csv")
            passengers(year, "c3.6", number(row["Passenger km"]), *ground[what])
        elif what == "Hotel":
            year.count("business-travel.csv")
            country = {"United Kingdom": "UK"}.get(row["Country"], row["Country"])
            country = "UK (London)" if row["City"] == "London" else country
            place = ("Scope 3", "Hotel stay", "Hotel stay", country, "", "", "Room per night")
            year.add("c3.6", number(row["Room nights"]), *place)


def sheet_rows(name, part):
    """The rows of a workbook's sheet: column letters to texts, numbers as they stand in the file."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(FILES / name) as book:
        strings = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        shared = ["".join(item.itertext()) for item in strings.iter(f"{main}si")]
        sheet = ElementTree.fromstring(book.read(f"xl/worksheets/{part}.xml"))
    for row in sheet.iter(f"{main}row"):
        cells = {}
        for cell in row.iter(f"{main}c"):
            value = cell.findtext(f"{main}v")
            if value is not None:
                column = cell.get("r").rstrip("0123456789")
                cells[column] = shared[int(value)] if cell.get("t") == "s" else value
        yield cells


def taxis(year):
    for cells in sheet_rows("taxi-account.xlsx", "sheet2"):
        if not cells.get("A", "").startswith("T22-"):
            continue
        year.count("taxi-account.xlsx")
        # 1 January and 31 December 2022, as a spreadsheet counts days.
        assert 44562 <= int(cells["B"]) <= 44926, cells
        passengers(year, "c3.6", number(cells["E"]), "Taxis", "Regular taxi")


def passengers(year, slot, km, group, name):
    """Passenger-kilometres over land, and the well-to-tank part of them."""
    unit = "passenger.km"
    year.add(slot, km, "Scope 3", "Business travel- land", group, name, "", "", unit)
    wtt = ("Scope 3", "WTT- pass vehs & travel (land)", well_to_tank(group), name)
    year.add(slot, km, *wtt, "", "", unit)


def well_to_tank(group):
    """The publisher's name of a group in the well-to-tank sheets."""
    return f"WTT- {group if group[1].isupper() else group[0].lower() + group[1:]}"


def vehicles(year, slot, km, group, name, fuels):
    year.add(slot, km, "Scope 1", "Passenger vehicles", group, name, "", fuels, "km")
    wtt = ("Scope 3", "WTT- pass vehs & travel (land)", well_to_tank(group), name)
    year.add(slot, km, *wtt, "", fuels, "km")


def commuting(year):
    ways = {
        "Car, petrol, alone": ("Cars (by size)", "Average car", "Petrol"),
        "Car, diesel, alone": ("Cars (by size)", "Average car", "Diesel"),
        "Car, shared": ("Cars (by size)", "Average car", "Unknown"),
        "Car, do not know the fuel": ("Cars (by size)", "Average car", "Unknown"),
        "Motorbike": ("Motorbike", "Average", ""),
        "Local bus": ("Bus", "Local bus (not London)"),
        "Train": ("Rail", "National rail"),
    }
    for row in rows_of("commuting-survey.csv"):
        way = ways.get(row["Question 7: how do you mostly travel?"])
        if way is None:
            continue
        year.count("commuting-survey.csv")
        km = number(row["Staff"]) * number(row["One way km"]) * 2 * number(row["Days a year"])
        if len(way) == 3:
            vehicles(year, "c3.7", km / number(row["People in the car"]), *way)
        else:
            passengers(year, "c3.7", km, *way)


def homeworking(year):
    both = "Homeworking (office equipment + heating)"
    for row in rows_of("homeworking.csv"):
        year.count("homeworking.csv")
        place = ("Scope 3", "Homeworking", both, "", "", "", "per FTE Working Hour")
        year.add("c3.7", number(row["Hours worked at home"]), *place)


def freight(year):
    goods, wtt = ("Scope 3", "Freighting goods"), ("Scope 3", "WTT- delivery vehs & freight")
    average, flight = "Average laden", ("Long-haul, to/from UK", "", "With RF")
    vehicles_of = {
        "Articulated lorry": ("HGV (all diesel)", "All artics", "", average),
        "Rigid lorry": ("HGV (all diesel)", "All rigids", "", average),
        "Container ship": ("Cargo ship", "Container ship", "Average", ""),
        "Rail": ("Rail", "Freight train", "", ""),
        "Air freight, long haul": ("Freight flights", *flight),
    }
    for row in rows_of("freight-list.csv"):
        year.count("freight-list.csv")
        moved = number(row["Short tons"]) * SHORT_TON * number(row["Distance km"])
        group, *place = vehicles_of[row["Carrier's vehicle"]]
        slot = {"us": "c3.4", "customer": "c3.9"}[row["Freight paid by"]]
        year.add(slot, moved, *goods, group, *place, "tonne.km")
        year.add(slot, moved, *wtt, well_to_tank(group), *place, "tonne.km")


def water(year):
    for row in rows_of("water-bills.csv"):
        for slot, name, column in (
            ("c3.1", "Water supply", "Supplied m3"),
            ("c3.5", "Water treatment", "Returned to sewer m3"),
        ):
            year.count("water-bills.csv")
            place = ("Scope 3", name, name, name, "", "", "cubic metres")
            year.add(slot, number(row[column]), *place)


def goods(year):
    materials = {
        "Paper": ("Paper", "Paper and board: paper"),
        "IT equipment": ("Electrical items", "Electrical items - IT"),
        "Concrete": ("Construction", "Concrete"),
        "Timber": ("Construction", "Wood"),
        "Plastic film": ("Plastic", "Plastics: average plastic film"),
        "Work clothing": ("Other", "Clothing"),
        "Glass": ("Other", "Glass"),
        "Insulation": ("Construction", "Insulation"),
    }
    origins = {"virgin": "Primary material production", "recycled": "Closed-loop source"}
    for row in rows_of("purchased-goods.csv"):
        year.count("purchased-goods.csv")
        tonnes = number(row["Weight"]) / {"t": 1, "kg": 1000}[row["Unit"]]
        tail = ("", origins[row["Made from"]], "tonnes")
        year.add("c3.1", tonnes, "Scope 3", "Material use", *materials[row["Material"]], *tail)


def estate(data):
    """What recompute.py says of the meters, as integers of 10^-12 kg."""
    script = pathlib.Path(__file__).with_name("recompute.py")
    command = [sys.executable, str(script), "--data", str(data)]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    totals = {slot: of["total"]["published"] for slot, of in printed["slots"].items()}
    return {slot: half_even(Fraction(kg)) for slot, kg in totals.items()}, printed["rows"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, default=REPOSITORY.parent / "shared/data")
    args = parser.parse_args()
    year = Year(table(args.data))
    for part in (
        fuel_cards,
        oil_used,
        refrigerants,
        waste,
        travel,
        taxis,
        commuting,
        homeworking,
        freight,
        water,
        goods,
    ):
        part(year)
    ledger = sum(1 for _ in rows_of("council-ledger-2022-02.csv"))
    meters, readings = estate(args.data)
    own = {key[0]: units for key, units in year.sums.items() if len(key) == 1}
    third = {slot[3:]: units for slot, units in own.items() if slot.startswith("c3.")}
    third["3"] += meters["c3_tnd"] + meters["c3_wtt"] + meters["c3_wtt_tnd"]
    totals = {
        "scope1": meters["s1"] + own["s1"],
        "scope2_location": meters["s2_lb"],
        "scope2_market": meters["s2_mb"],
        "scope3": sum(third.values()),
        "biogenic_co2": own["biogenic"],
    }
    files = {}
    for name, activities in year.files.items():
        of_file = {key: units for key, units in year.sums.items() if key[0] == name}
        slots = {slot: kilograms(units) for (_, slot), units in of_file.items()}
        files[name] = {"activities": activities, "slots": slots}
    report = {
        "activities": {
            "counted": readings + sum(year.files.values()),
            "fx_missing": ledger,
        },
        "files": files,
        "scope3": {category: kilograms(units) for category, units in third.items()},
        "totals": {name: kilograms(units) for name, units in totals.items()},
    }
    print(json.dumps(report, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
