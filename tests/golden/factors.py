"""Spot values of the starter packs, read from the publishers' files by code that shares nothing
with the importers. Usage: factors.py DIR > factors.json, DIR holding the publishers' files."""

import csv
import json
import sys
from pathlib import Path

UK = "uk_desnz_ghg_conversion_factors_{}.csv"
US = "epa_ghg_emission_factors_hub_{}.csv"
ALL = (2021, 2022, 2023, 2024, 2025)
NEW = (2022, 2023, 2024, 2025)
HUB = (2023, 2024, 2025)
GAS_OF = {"CO2e": "total", "CO2": "CO2", "CH4": "CH4", "N2O": "N2O"}


def uk(years, scope, levels, column, uom, kind, boundary, unit, qualifiers, region="iso:GB", memo=""):
    """A factor of the flat file: its levels 1 to 4 as printed, and what it should mean."""
    return [("desnz", year, (scope, *levels, column, uom), (kind, boundary, memo, region, unit, qualifiers))
            for year in years]


def us(years, table, cells, per, kind, boundary, unit, qualifiers, region="iso:US", memo="", only=None):
    """A factor of the hub: group, item, detail and model year as printed, and what it should mean."""
    return [("epa-hub", year, (table, *cells, per, only), (kind, boundary, memo, region, unit, qualifiers))
            for year in years]


V, F, M = "vehicle.driven", "fuel.combusted.stationary", "fuel.combusted.mobile"
ELEC = ("Electricity generated", "Electricity: UK")
CAR = ("Cars (by size)", "Average car", "")
SPOTS = [
    *uk((2021,), "Scope 2", ("UK electricity", *ELEC, ""), "", "kWh", "electricity.purchased", "generation", "kW.h", {}),
    *uk((2022,), "Scope 2", ("UK electricity", *ELEC, "2020"), "", "kWh", "electricity.purchased", "generation", "kW.h", {}),
    *uk((2023, 2024, 2025), "Scope 2", ("UK electricity", *ELEC, "kWh"), "", "kWh", "electricity.purchased", "generation", "kW.h", {}),
    *uk((2023, 2024, 2025), "Scope 3", ("Transmission and distribution", "T&D- UK electricity", "Electricity: UK", "kWh"), "", "kWh", "electricity.purchased", "t_and_d", "kW.h", {}),
    *uk((2023, 2024, 2025), "Scope 3", ("WTT- UK electricity", "WTT- UK electricity (generation)", "Electricity: UK", "kWh"), "", "kWh", "electricity.purchased", "upstream", "kW.h", {}),
    *uk((2023, 2024, 2025), "Scope 3", ("WTT- UK electricity", "WTT- UK electricity (T&D)", "Electricity: UK", "kWh"), "", "kWh", "electricity.purchased", "upstream_t_and_d", "kW.h", {}),
    *uk((2021,), "Scope 3", ("WTT- UK & overseas elec", "WTT- overseas electricity (generation)", "Electricity: France", ""), "", "kWh", "electricity.purchased", "upstream", "kW.h", {}, region="iso:FR"),
    *uk(NEW, "Scope 1", ("Fuels", "Gaseous fuels", "Natural gas", ""), "", "kWh (Gross CV)", F, "combustion", "kW.h.x:gross", {"fuel": "natural_gas"}),
    *uk(NEW, "Scope 1", ("Fuels", "Gaseous fuels", "Natural gas", ""), "", "cubic metres", F, "combustion", "x:Sm3_15C", {"fuel": "natural_gas"}),
    *uk(NEW, "Scope 1", ("Fuels", "Liquid fuels", "Diesel (average biofuel blend)", ""), "", "litres", F, "combustion", "L", {"fuel": "diesel"}),
    *uk(NEW, "Scope 1", ("Fuels", "Liquid fuels", "Aviation turbine fuel", ""), "", "tonnes", F, "combustion", "t", {"fuel": "aviation_turbine_fuel"}),
    *uk(NEW, "Scope 3", ("WTT- fuels", "Liquid fuels", "Petrol (average biofuel blend)", ""), "", "litres", F, "upstream", "L", {"fuel": "petrol"}),
    *uk(ALL, "Scope 1", ("Bioenergy", "Biomass", "Wood pellets", ""), "", "tonnes", F, "combustion", "t", {"fuel": "wood_pellets"}),
    *uk(ALL, "Scope 1", ("Bioenergy", "Biofuel", "Biodiesel HVO", ""), "", "litres", F, "combustion", "L", {"fuel": "biodiesel_hvo"}),
    *uk(ALL, "Scope 3", ("WTT- bioenergy", "WTT- biofuel", "Bioethanol", ""), "", "litres", F, "upstream", "L", {"fuel": "bioethanol"}),
    *uk(ALL, "Outside of Scopes", ("Outside of scopes", "Biofuel", "Bioethanol", ""), "", "litres", F, "combustion", "L", {"fuel": "bioethanol"}, memo="biogenic_co2"),
    *uk(ALL, "Scope 1", ("Passenger vehicles", *CAR), "Diesel", "km", V, "combustion", "x:veh.km", {"vehicle_class": "car_average", "fuel": "diesel"}),
    *uk(ALL, "Scope 1", ("Passenger vehicles", "Motorbike", "Large", ""), "", "km", V, "combustion", "x:veh.km", {"vehicle_class": "motorcycle_large"}),
    *uk(ALL, "Scope 1", ("Delivery vehicles", "HGVs refrigerated (all diesel)", "All artics", ""), "50% Laden", "km", V, "combustion", "x:veh.km", {"vehicle_class": "hgv_refrigerated_artic_average", "laden": "half"}),
    *uk(ALL, "Scope 1", ("Delivery vehicles", "Vans", "Average (up to 3.5 tonnes)", ""), "Unknown", "km", V, "combustion", "x:veh.km", {"vehicle_class": "van_average", "fuel": "unknown"}),
    *uk(NEW, "Scope 2", ("UK electricity for EVs", *CAR), "Battery Electric Vehicle", "km", V, "generation", "x:veh.km", {"vehicle_class": "car_average", "fuel": "battery_electric"}),
    *uk(ALL, "Scope 3", ("UK electricity T&D for EVs", *CAR), "Plug-in Hybrid Electric Vehicle", "km", V, "t_and_d", "x:veh.km", {"vehicle_class": "car_average", "fuel": "plug_in_hybrid"}),
    *uk((2021, 2023, 2024, 2025), "Scope 3", ("WTT- pass vehs & travel- land", "WTT- cars (by market segment)", "Mini", ""), "Petrol", "km", V, "upstream", "x:veh.km", {"vehicle_class": "car_mini", "fuel": "petrol"}),
    *uk(ALL, "Scope 3", ("Business travel- land", "Taxis", "Black cab", ""), "", "passenger.km", "travel.moved", "combustion", "x:pax.km", {"mode": "taxi_black_cab"}),
    *uk(ALL, "Scope 3", ("Business travel- land", "Rail", "International rail", ""), "", "passenger.km", "travel.moved", "combustion", "x:pax.km", {"mode": "rail_international"}, region="world:"),
    *uk(ALL, "Scope 3", ("Business travel- air", "Flights", "Long-haul, to/from UK", "Business class"), "With RF", "passenger.km", "travel.moved", "combustion", "x:pax.km", {"mode": "air", "haul": "long", "class": "business", "rf": "with"}),
    *uk((2021, 2023, 2024, 2025), "Scope 3", ("WTT- business travel- air", "WTT- flights", "International, to/from non-UK", "First class"), "Without RF", "passenger.km", "travel.moved", "upstream", "x:pax.km", {"mode": "air", "haul": "international", "class": "first", "rf": "without"}, region="world:"),
    *uk(ALL, "Scope 3", ("Business travel- sea", "Ferry", "Foot passenger", ""), "", "passenger.km", "travel.moved", "combustion", "x:pax.km", {"mode": "ferry", "class": "foot_passenger"}),
    *uk(ALL, "Scope 3", ("Freighting goods", "HGV (all diesel)", "Rigid (>17 tonnes)", ""), "Average laden", "tonne.km", "freight.moved", "combustion", "t.km", {"mode": "road", "vehicle_class": "hgv_rigid_over_17_t", "laden": "average"}),
    *uk(ALL, "Scope 3", ("Freighting goods", "Vans", "Class II (1.305 to 1.74 tonnes)", ""), "Diesel", "tonne.km", "freight.moved", "combustion", "t.km", {"mode": "road", "vehicle_class": "van_class_2", "fuel": "diesel"}),
    *uk(ALL, "Scope 3", ("Freighting goods", "Cargo ship", "Container ship", "8000+ TEU"), "", "tonne.km", "freight.moved", "combustion", "t.km", {"mode": "sea", "vehicle_class": "container_ship", "size": "teu_8000_up"}, region="world:"),
    *uk(ALL, "Scope 3", ("WTT- delivery vehs & freight", "WTT- freight flights", "Short-haul, to/from UK", ""), "With RF", "tonne.km", "freight.moved", "upstream", "t.km", {"mode": "air", "haul": "short", "rf": "with"}),
    *uk(ALL, "Scope 3", ("Freighting goods", "Rail", "Freight train", ""), "", "tonne.km", "freight.moved", "combustion", "t.km", {"mode": "rail"}),
    *uk(ALL, "Scope 3", ("Hotel stay", "Hotel stay", "Spain", ""), "", "Room per night", "travel.stayed", "use", "x:room_night", {}, region="iso:ES"),
    *uk(ALL, "Scope 3", ("Hotel stay", "Hotel stay", "UK (London)", ""), "", "Room per night", "travel.stayed", "use", "x:room_night", {"city": "london"}),
    *uk(NEW, "Scope 3", ("Homeworking", "Office Equipment", "", ""), "", "per FTE Working Hour", "commute.worked_home", "use", "x:fte.h", {"home_energy": "equipment"}),
    *uk(NEW, "Scope 3", ("Homeworking", "Homeworking (office equipment + heating)", "", ""), "", "per FTE Working Hour", "commute.worked_home", "use", "x:fte.h", {}),
    *uk(ALL, "Scope 3", ("Water supply", "Water supply", "Water supply", ""), "", "cubic metres", "water.supplied", "cradle_to_gate", "m3", {}),
    *uk(ALL, "Scope 3", ("Water treatment", "Water treatment", "Water treatment", ""), "", "cubic metres", "water.treated", "end_of_life", "m3", {}),
    *uk(ALL, "Scope 3", ("Material use", "Paper", "Paper and board: paper", ""), "Primary material production", "tonnes", "goods.purchased", "cradle_to_gate", "t", {"item": "paper", "origin": "primary"}),
    *uk(ALL, "Scope 3", ("Waste disposal", "Refuse", "Commercial and industrial waste", ""), "Landfill", "tonnes", "waste.treated", "end_of_life", "t", {"material": "commercial_industrial", "treatment": "landfill"}),
    *uk((2025,), "Scope 3", ("Waste disposal", "Paper", "Paper and board: mixed", ""), "Incineration with Energy Recovery", "tonnes", "waste.treated", "end_of_life", "t", {"material": "paper_board_mixed", "treatment": "combustion"}),
    *uk((2023, 2024, 2025), "Scope 2", ("Heat and steam", "Heat and steam", "District heat and steam", "kWh"), "", "kWh", "heat.purchased", "generation", "kW.h", {"medium": "heat|steam", "network": "district"}),
    *uk((2023, 2024, 2025), "Scope 3", ("WTT- heat and steam", "WTT- district heat & steam distribution", "5% loss", "kWh"), "", "kWh", "heat.purchased", "upstream_t_and_d", "kW.h", {"medium": "heat|steam", "network": "district"}),
    *uk(NEW, "Scope 1", ("Refrigerant & other", "Blends", "R410A", ""), "Emissions including only Kyoto products", "kg", "refrigerant.recharged", "fugitive", "kg", {"gas": "r410a"}, region="world:"),
    *uk((2025,), "Scope 1", ("Refrigerant & other", "Kyoto protocol products", "HFC-134a", ""), "Emissions including only Kyoto products", "kg", "refrigerant.recharged", "fugitive", "kg", {"gas": "hfc134a"}),
    *us(HUB, "1", ("Natural Gas", "Natural Gas", "", ""), "scf", F, "combustion", "x:scf_60F", {"fuel": "natural_gas"}),
    *us((2024, 2025), "1", ("Coal and Coke", "Anthracite", "", ""), "mmBtu", F, "combustion", "10*6.[Btu_IT].x:gross", {"fuel": "anthracite"}),
    *us((2023,), "1", ("Coal and Coke", "Anthracite Coal", "", ""), "short ton", F, "combustion", "[ston_av]", {"fuel": "anthracite"}),
    *us(HUB, "1", ("Biomass Fuels - Liquid", "Ethanol (100%)", "", ""), "gallon", F, "combustion", "[gal_us]", {"fuel": "bioethanol"}, memo="biogenic_co2", only="CO2 Factor"),
    *us(HUB, "2", ("", "Diesel Fuel", "", ""), "gallon", M, "combustion", "[gal_us]", {"fuel": "diesel_mineral"}),
    *us(HUB, "3", ("", "Gasoline Light-Duty Trucks", "", "1976"), "vehicle-mile", M, "combustion", "x:veh.[mi_i]", {"fuel": "petrol_mineral", "vehicle_class": "light_duty_truck", "model_year": "1976"}),
    *us(HUB, "4", ("", "Heavy-Duty Trucks", "CNG", ""), "vehicle-mile", M, "combustion", "x:veh.[mi_i]", {"fuel": "cng", "vehicle_class": "heavy_duty_truck"}),
    *us(HUB, "5", ("", "Agricultural Equipment", "Gasoline (2 stroke)", ""), "gallon", M, "combustion", "[gal_us]", {"fuel": "petrol_mineral", "vehicle_class": "agricultural_equipment", "engine": "2_stroke"}),
    *us((2024, 2025), "6", ("", "CAMX", "WECC California", ""), "MWh", "electricity.purchased", "generation", "MW.h", {}, region="egrid:CAMX", only="Total output"),
    *us((2023,), "6", ("", "NYUP", "NYUP (NPCC Upstate NY)", ""), "MWh", "electricity.purchased", "generation", "MW.h", {}, region="egrid:NYUP", only="Total output"),
    *us(HUB, "6", ("", "US Average", "US Average", ""), "MWh", "electricity.purchased", "generation", "MW.h", {}, only="Total output"),
    *us((2025,), "6", ("", "RFCW", "RFC West", ""), "fraction", "electricity.purchased", "t_and_d", "1", {}, region="egrid:RFCW", only="Grid gross loss"),
    *us(HUB, "7", ("", "Steam and Heat", "", ""), "mmBtu", "heat.purchased", "generation", "10*6.[Btu_IT]", {"medium": "heat|steam"}),
    *us((2023, 2024), "8", ("", "Waterborne Craft", "", ""), "ton-mile", "freight.moved", "combustion", "[ston_av].[mi_i]", {"mode": "sea"}),
    *us((2025,), "8", ("", "Aircraft", "", ""), "short ton-mile", "freight.moved", "combustion", "[ston_av].[mi_i]", {"mode": "air", "rf": "without"}),
    *us(HUB, "9", ("", "Asphalt Concrete", "Recycled", ""), "short ton", "waste.treated", "end_of_life", "[ston_av]", {"material": "asphalt_concrete", "treatment": "recycling"}),
    *us(HUB, "9", ("", "Mixed MSW", "Landfilled", ""), "short ton", "waste.treated", "end_of_life", "[ston_av]", {"material": "mixed_msw", "treatment": "landfill"}),
    *us(HUB, "10", ("", "Passenger Car", "", ""), "vehicle-mile", V, "combustion", "x:veh.[mi_i]", {"vehicle_class": "car_average"}),
    *us(HUB, "10", ("", "Air Travel - Long Haul (>= 2300 miles)", "", ""), "passenger-mile", "travel.moved", "combustion", "x:pax.[mi_i]", {"mode": "air", "haul": "long", "rf": "without"}),
    *us(HUB, "12", ("", "R-410A", "50% HFC-32 , 50% HFC-125", ""), "kg", "refrigerant.recharged", "fugitive", "kg", {"gas": "r410a"}),
]


def of_uk(rows, printed):
    for line, row in rows:
        if tuple(row[1:8]) == printed:
            unit = row[8].removesuffix(" per unit").removeprefix("kg ").removeprefix("CO2e of ")
            yield line, GAS_OF[unit], row[9]


def of_us(rows, printed):
    table, *cells, per, only = printed
    for line, row in rows:
        what, _, unit = row[9].partition(" per ")
        if (row[1], row[3:7], unit or what) != (table, cells, per):
            continue
        if row[7].startswith(only or "") and (only or not row[7].startswith("Heat")):
            name = what.split()[-1]
            yield line, GAS_OF.get(name, "total"), row[8]


def main(folder):
    files, spots = {}, []
    for publisher, year, printed, meaning in SPOTS:
        name = (UK if publisher == "desnz" else US).format(year)
        if name not in files:
            with open(Path(folder, name), newline="", encoding="utf-8") as file:
                files[name] = list(enumerate(csv.reader(file), start=1))
        found = list((of_uk if publisher == "desnz" else of_us)(files[name], printed))
        assert found, f"{name}: nothing is printed as {printed}"
        kind, boundary, memo, region, unit, qualifiers = meaning
        spots.append({
            "pack": f"{publisher}-{year}", "file": name, "lines": [line for line, _, _ in found],
            "activity_type": kind, "boundary": boundary, "memo_bucket": memo, "region": region,
            "unit": unit, "qualifiers": qualifiers, "values": {gas: value for _, gas, value in found},
        })
    rows = ",\n".join(json.dumps(spot, ensure_ascii=False, sort_keys=True) for spot in spots)
    sys.stdout.write(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
