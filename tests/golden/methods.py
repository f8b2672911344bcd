"""Recomputes the golden numbers of every method from the publishers' files, with fractions alone.

    python3 tests/golden/methods.py ../shared/data > tests/golden/methods.json

Every value is looked up by its words and told with the file and the line it stands on. A line is
rounded once, half to even, to 10^-12 kg, from the exact fraction: kg of the gas, and CO2e in the
publisher's basis and in AR5, neither from the other.
"""

import csv
import json
import sys
from fractions import Fraction

DATA = sys.argv[1] if len(sys.argv) > 1 else "../shared/data"
MMBTU = Fraction("1055.05585262") * 10**6  # J
SHORT_TON, GALLON, MILE = Fraction("907.18474"), Fraction("3.785411784"), Fraction("1.609344")
UNITS = {  # of gases and amounts, in kg and in the unit that the case is calculated in
    "kg": Fraction(1),
    "g": Fraction(1, 1000),
    "[lb_av]": Fraction("0.45359237"),
    "t": Fraction(1000),
}


def table(name):
    """Rows with their physical lines, `#` lines left out."""
    with open(f"{DATA}/{name}", encoding="utf-8") as file:
        lines = [(number, line) for number, line in enumerate(file, 1) if not line.startswith("#")]
    rows = csv.DictReader(line for _, line in lines)
    return [(number, row) for (number, _), row in zip(lines[1:], rows)]


DESNZ = "uk_desnz_ghg_conversion_factors_2022.csv"
EPA = "epa_ghg_emission_factors_hub_2025.csv"
IPCC = "ipcc_gwp_sar_tar_ar4_ar5_ar6.csv"
TABLES = {name: table(name) for name in (DESNZ, EPA, IPCC)}


def one(name, **wanted):
    """The line and row whose cells are these."""
    found = [(n, r) for n, r in TABLES[name] if all(r[k] == v for k, v in wanted.items())]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


def gwp(gas, basis):
    if gas == "CO2":
        return Fraction(1)
    _, row = one(IPCC, Species=gas)
    return Fraction(row[{"ar4": "AR4GWP100", "ar5": "AR5GWP100"}[basis]])


def desnz(unit, uom, gases=True, **where):
    """A factor of the UK's flat file: its total and, where it has them, its gases."""
    keys = {"column": "column_text"}
    where = {keys.get(k, k): v for k, v in where.items()}
    number, row = one(DESNZ, uom=uom, ghg_unit="kg CO2e", **where)
    factor = {"unit": unit, "basis": "ar4", "region": "iso:GB", "total": row["value"], "gases": []}
    factor["lines"] = [f"{DESNZ}:{number}"]
    for gas in ("CO2", "CH4", "N2O") if gases else ():
        number, row = one(DESNZ, uom=uom, ghg_unit=f"kg CO2e of {gas}", **where)
        factor["gases"].append({"gas": gas, "repr": "co2e", "unit": "kg", "value": row["value"]})
        factor["lines"].append(f"{DESNZ}:{number}")
    return factor


def epa(unit, region="iso:US", **columns):
    """A factor of the EPA's hub: masses per gas."""
    where = columns.pop("where")
    factor = {"unit": unit, "basis": "ar5", "region": region, "gases": [], "lines": []}
    for gas, (name, of) in columns.items():
        number, row = one(EPA, factor=name, **where)
        factor["gases"].append({"gas": gas, "repr": "mass", "unit": of, "value": row["value"]})
        factor["lines"].append(f"{EPA}:{number}")
    return factor


def of_gas(gas):
    """A kilogram of a gas: the potential alone."""
    value = {"gas": gas, "repr": "mass", "unit": "kg", "value": "1"}
    return {"unit": "kg", "basis": "ar5", "region": "world:", "gases": [value], "lines": []}


def half_even(value):
    scaled = value * 10**12
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2)
    units = floor + (1 if up else 0)
    text = f"{abs(units):013d}"
    text = (text[:-12] + "." + text[-12:]).rstrip("0").rstrip(".")
    return ("-" if units < 0 else "") + text


def lines(slot, amount, factor):
    """The lines of an amount in the factor's unit: gas, kg, published, ar5."""
    out, rest = [], Fraction(factor["total"]) if "total" in factor else None
    for gas in factor["gases"]:
        per = Fraction(gas["value"]) * UNITS[gas["unit"]]
        basis = gwp(gas["gas"], factor["basis"])
        mass = per / basis if gas["repr"] == "co2e" else per
        if rest is not None:
            rest -= mass * basis
        kg = amount * mass
        co2e = [half_even(kg * basis), half_even(kg * gwp(gas["gas"], "ar5"))]
        out.append([slot, gas["gas"], half_even(kg), *co2e])
    if rest:
        gas = "co2e_residue" if factor["gases"] else "co2e"
        out.append([slot, gas, "0", half_even(amount * rest), half_even(amount * rest)])
    return out


CASES = []


def case(name, row, *slots):
    """A row, and for each slot: method, factor record, amount in the factor's unit."""
    kind, quantity, unit, qualifiers, more = row
    factors, expected, methods = [], [], {}
    for slot, method, record, factor, amount in slots:
        methods[slot] = method
        if record is not None:
            factors.append({**record, **factor})
        expected += lines(slot, amount, factor) if factor["gases"] or "total" in factor else []
    CASES.append(
        {
            "name": name,
            "row": {"kind": kind, "quantity": quantity, "unit": unit, "qualifiers": qualifiers, **more},
            "factors": factors,
            "methods": methods,
            "lines": expected,
        }
    )


def record(kind, boundary, memo="", what="emission", **qualifiers):
    return {
        "activity_type": kind,
        "boundary": boundary,
        "memo": memo,
        "kind": what,
        "qualifiers": qualifiers,
    }


F = Fraction


def fuels():
    kind = "fuel.combusted.stationary"
    burnt = desnz("t", "tonnes", level_1="Fuels", level_3="Coal (industrial)")
    well = desnz("t", "tonnes", False, level_1="WTT- fuels", level_3="Coal (industrial)")
    case(
        "stationary.fuel by mass",
        (kind, "1234.5", "kg", {"fuel": "coal_industrial"}, {}),
        ("s1", "stationary.fuel@1", record(kind, "combustion", fuel="coal_industrial"), burnt, F("1.2345")),
        ("c3_wtt", "wtt.published@1", record(kind, "upstream", fuel="coal_industrial"), well, F("1.2345")),
    )
    case(
        "stationary.carbon",
        (kind, "10", "t", {"fuel": "coal_industrial"}, {"inputs": {"carbon_content": ["70.5", "%"], "oxidation": ["98", "%"]}}),
        ("s1", "stationary.carbon@1", None, of_gas("CO2"), F(10000) * F("0.705") * F("0.98") * F(44, 12)),
    )
    where = {"table": "1", "item": "Anthracite"}
    content_line, content = one(EPA, factor="Heat Content (HHV)", **where)
    factor = {"unit": "10*6.[Btu_IT].x:gross", "basis": "ar5", "region": "iso:US", "gases": [], "lines": []}
    for gas, of, unit in (("CO2", "kg CO2 per mmBtu", "kg"), ("CH4", "g CH4 per mmBtu", "g"), ("N2O", "g N2O per mmBtu", "g")):
        number, row = one(EPA, factor=f"{gas} Factor", unit=of, **where)
        factor["gases"].append({"gas": gas, "repr": "mass", "unit": unit, "value": row["value"]})
        factor["lines"].append(f"{EPA}:{number}")
    property_record = {
        **record(kind, "combustion", what="property", fuel="anthracite", property="heat_content"),
        "unit": "[ston_av]", "basis": "ar5", "region": "iso:US", "gases": [],
        "total": content["value"], "total_unit": "10*6.[Btu_IT].x:gross", "lines": [f"{EPA}:{content_line}"],
    }
    amount = F(2000) / SHORT_TON * F(content["value"])
    case(
        "stationary.heat",
        (kind, "2", "t", {"fuel": "anthracite"}, {"region": "US"}),
        ("s1", "stationary.heat@1", record(kind, "combustion", fuel="anthracite"), factor, amount),
    )
    CASES[-1]["factors"].append(property_record)


def mobile():
    kind = "fuel.combusted.mobile"
    gallon = epa("[gal_us]", CO2=("CO2 Factor", "kg"), where={"table": "2", "item": "Diesel Fuel"})
    where = {"table": "4", "item": "Medium- and Heavy-Duty Vehicles", "model_year": "2007-2022"}
    driven = epa("x:veh.[mi_i]", CH4=("CH4 Factor", "g"), N2O=("N2O Factor", "g"), where=where)
    words = {"fuel": "diesel_mineral", "vehicle_class": "medium_heavy_duty_truck", "model_year": "2015"}
    case(
        "mobile.fuel with its other gases by distance",
        (kind, "100", "[gal_us]", words, {"region": "US", "inputs": {"distance": ["800", "km"]}}),
        ("s1", "mobile.fuel@1", record(kind, "combustion", fuel="diesel_mineral"), gallon, F(100)),
        ("s1_gases", "mobile.gases_by_distance@1", record(kind, "combustion", **{**words, "model_year": "2014|2015|2016"}), driven, F(800) / MILE),
    )
    other = {"fuel": "diesel_mineral", "vehicle_class": "locomotive"}
    where = {"table": "5", "item": "Locomotives"}
    machine = epa("[gal_us]", CH4=("CH4 Factor", "g"), N2O=("N2O Factor", "g"), where=where)
    case(
        "mobile.fuel with its other gases by fuel",
        (kind, "100", "[gal_us]", other, {"region": "US"}),
        ("s1", "mobile.fuel@1", record(kind, "combustion", fuel="diesel_mineral"), gallon, F(100)),
        ("s1_gases", "mobile.gases_by_fuel@1", record(kind, "combustion", **other), machine, F(100)),
    )
    where = {"level_3": "Average car", "column": "Diesel"}
    car = desnz("x:veh.km", "km", level_1="Passenger vehicles", **where)
    well = desnz("x:veh.km", "km", False, level_1="WTT- pass vehs & travel (land)", **where)
    words = {"vehicle_class": "car_average", "fuel": "diesel"}
    case(
        "mobile.distance",
        ("vehicle.driven", "1000", "x:veh.km", words, {}),
        ("s1", "mobile.distance@1", record("vehicle.driven", "combustion", **words), car, F(1000)),
        ("c3_wtt", "wtt.published@1", record("vehicle.driven", "upstream", **words), well, F(1000)),
    )
    case(
        "mobile.distance of somebody else's car",
        ("vehicle.driven", "1000", "x:veh.km", words, {"scope": 3, "category": 6}),
        ("s3", "mobile.distance@1", record("vehicle.driven", "combustion", **words), car, F(1000)),
        ("s3_wtt", "wtt.published@1", record("vehicle.driven", "upstream", **words), well, F(1000)),
    )
    case(
        "travel.occupancy",
        ("travel.moved", "1000", "x:pax.km", {**words, "mode": "car"}, {"inputs": {"occupancy": ["3", "1"]}}),
        ("s3", "travel.occupancy@1", record("vehicle.driven", "combustion", **words), car, F(1000, 3)),
        ("s3_wtt", "wtt.occupancy@1", record("vehicle.driven", "upstream", **words), well, F(1000, 3)),
    )
    of_commute = ("commute.moved", "1000", "x:pax.km", {**words, "mode": "car"}, {"inputs": {"occupancy": ["1.6", "1"]}})
    case(
        "commute.occupancy",
        of_commute,
        ("s3", "commute.occupancy@1", record("vehicle.driven", "combustion", **words), car, F(1000) / F("1.6")),
        ("s3_wtt", "wtt.occupancy@1", record("vehicle.driven", "upstream", **words), well, F(1000) / F("1.6")),
    )
    inputs = {"one_way": ["7.5", "[mi_i]"], "days": ["210", "d"], "occupancy": ["1.2", "1"]}
    amount = F(35) * F("7.5") * MILE * 2 * 210 / F("1.2")
    case(
        "commute.average_vehicle",
        ("commute.moved", "35", "x:pax", {**words, "mode": "car"}, {"inputs": inputs}),
        ("s3", "commute.average_vehicle@1", record("vehicle.driven", "combustion", **words), car, amount),
        ("s3_wtt", "wtt.average_vehicle@1", record("vehicle.driven", "upstream", **words), well, amount),
    )
    where = {"level_3": "Average car", "column": "Battery Electric Vehicle"}
    power = desnz("x:veh.km", "km", level_1="UK electricity for EVs", **where)
    lost = desnz("x:veh.km", "km", level_1="UK electricity T&D for EVs", **where)
    well = desnz("x:veh.km", "km", False, level_1="WTT- pass vehs & travel (land)", **where)
    charged = {"vehicle_class": "car_average", "fuel": "battery_electric"}

    def on_battery(name, row, family, average, amount):
        case(
            name,
            row,
            ("s3_power", f"{family}.{average}@1", record("vehicle.driven", "generation", **charged), power, amount),
            ("s3_tnd", f"tnd.{average}@1", record("vehicle.driven", "t_and_d", **charged), lost, amount),
            ("s3_wtt", f"wtt.{average}@1", record("vehicle.driven", "upstream", **charged), well, amount),
        )

    car = {**charged, "mode": "car"}
    three = {"inputs": {"occupancy": ["3", "1"]}}
    on_battery("travel.occupancy on a battery", ("travel.moved", "1000", "x:pax.km", car, three), "travel", "occupancy", F(1000, 3))
    on_battery("commute.occupancy on a battery", ("commute.moved", "1000", "x:pax.km", car, three), "commute", "occupancy", F(1000, 3))
    inputs = {"one_way": ["7.5", "[mi_i]"], "days": ["210", "d"], "occupancy": ["1.2", "1"]}
    staff = ("commute.moved", "35", "x:pax", car, {"inputs": inputs})
    on_battery("commute.average_vehicle on a battery", staff, "commute", "average_vehicle", F(35) * F("7.5") * MILE * 2 * 210 / F("1.2"))
    litre = desnz("L", "litres", level_1="Fuels", level_3="Diesel (average biofuel blend)")
    upstream = desnz("L", "litres", False, level_1="WTT- fuels", level_3="Diesel (average biofuel blend)")
    case(
        "mobile.economy",
        ("vehicle.driven", "1000", "x:veh.km", words, {"inputs": {"economy": ["17", "km/L"]}}),
        ("s1", "mobile.economy@1", record("fuel.combusted.stationary", "combustion", fuel="diesel"), litre, F(1000, 17)),
        ("c3_wtt", "wtt.economy@1", record("fuel.combusted.stationary", "upstream", fuel="diesel"), upstream, F(1000, 17)),
    )
    inputs = {"fuel": ["120.5", "L"], "own_share": ["35", "%"]}
    carrier = record("fuel.combusted.stationary", "combustion", fuel="diesel")
    before = record("fuel.combusted.stationary", "upstream", fuel="diesel")
    words = {"mode": "road", "vehicle_class": "hgv_average", "fuel": "diesel"}
    case(
        "freight.fuel",
        ("freight.moved", "5000", "t.km", words, {"inputs": inputs}),
        ("s3", "freight.fuel@1", carrier, litre, F("120.5") * F("0.35")),
        ("s3_wtt", "wtt.fuel@1", before, upstream, F("120.5") * F("0.35")),
    )
    case(
        "travel.fuel, in gallons",
        ("travel.moved", "300", "x:pax.km", {"mode": "car", "fuel": "diesel"}, {"inputs": {"fuel": ["7", "[gal_us]"]}}),
        ("s3", "travel.fuel@1", carrier, litre, 7 * GALLON),
        ("s3_wtt", "wtt.fuel@1", before, upstream, 7 * GALLON),
    )


def gases():
    r410a = desnz("kg", "kg", False, level_1="Refrigerant & other", level_3="R410A", column="Emissions including only Kyoto products")
    top = ("refrigerant.recharged", "12.5", "kg", {"gas": "R-410A"})
    inputs = {"retired_capacity": ["4", "kg"], "recovered": ["3.1", "kg"]}
    kind = "refrigerant.recharged"
    case(
        "fugitive.service",
        (*top, {"inputs": inputs}),
        ("s1", "fugitive.service@1", record(kind, "fugitive", gas="r410a"), r410a, F("12.5") + 4 - F("3.1")),
    )
    inputs = {"stock_begin": ["30", "kg"], "stock_end": ["22", "kg"], "sold": ["1", "kg"], "capacity_begin": ["100", "kg"], "capacity_end": ["104", "kg"]}
    case(
        "fugitive.mass_balance, the potential of the gas alone",
        ("refrigerant.balance", "10", "kg", {"gas": "HFC-134a"}, {"inputs": inputs}),
        ("s1", "fugitive.mass_balance@1", None, of_gas("HFC134a"), F(30 - 22 + 10 - 1 - 4)),
    )
    inputs = {"charge": ["250", "kg"], "years": ["1", "x:yr"], "retired": ["40", "kg"]}
    amount = F(20) * F("0.01") + 250 * F("0.15") + 40 * 1 * (1 - F("0.95"))
    case(
        "fugitive.screening",
        ("refrigerant.screened", "20", "kg", {"gas": "hfc32", "equipment": "chiller"}, {"inputs": inputs}),
        ("s1", "fugitive.screening@1", None, of_gas("HFC32"), amount),
    )
    case("direct.mass", ("gas.emitted", "1.5", "kg", {"gas": "SF6"}, {}), ("s1", "direct.mass@1", None, of_gas("SF6"), F("1.5")))
    for gas, name, quantity in (("CH4", "Methane", "3.25"), ("N2O", "Nitrous oxide", "0.04")):
        row = ("gas.emitted", quantity, "kg", {"gas": name}, {})
        case(f"direct.mass of {gas}, the potential alone", row, ("s1", "direct.mass@1", None, of_gas(gas), F(quantity)))
        printed = desnz("kg", "kg", False, level_1="Refrigerant & other", level_3=name, column="Emissions including only Kyoto products")
        value = {"gas": gas, "repr": "co2e", "unit": "kg", "value": printed.pop("total")}
        printed["gases"] = [value]
        of = record("refrigerant.recharged", "fugitive", gas=gas.lower())
        case(f"direct.mass of {gas} as published", row, ("s1", "direct.mass@1", of, printed, F(quantity)))
    case("direct.mass outside the Kyoto group", ("gas.emitted", "2", "kg", {"gas": "R22"}, {}), ("non_kyoto", "direct.mass@1", None, of_gas("HCFC22"), F(2)))


def processes():
    limestone = {**of_gas("CO2"), "gases": [{"gas": "CO2", "repr": "mass", "unit": "kg", "value": "0.43971"}]}
    case(
        "process.carbonate",
        ("process.carbonate", "3", "t", {"material": "limestone"}, {"inputs": {"purity": ["95", "%"]}}),
        ("s1", "process.carbonate@1", None, limestone, F(3000) * F("0.95")),
    )
    case(
        "process.clinker",
        ("process.clinker", "7", "t", {}, {"inputs": {"ckd": ["1.02", "1"]}}),
        ("s1", "process.clinker@1", None, of_gas("CO2"), F(7000) * F("0.65") * F(4397, 5603) * F("1.02")),
    )
    inputs = {"carbon_content": ["85", "%"], "output": ["1", "t"], "output_carbon": ["40", "%"]}
    case(
        "process.balance",
        ("process.balance", "2", "t", {"material": "petroleum coke"}, {"inputs": inputs}),
        ("s1", "process.balance@1", None, of_gas("CO2"), (F(2000) * F("0.85") - F(1000) * F("0.4")) * F(44, 12)),
    )


def energy():
    kind, words = "heat.purchased", {"medium": "heat", "network": "district"}
    place = {"level_3": "District heat and steam"}
    heat = desnz("kW.h", "kWh", level_1="Heat and steam", **place)
    lost = desnz("kW.h", "kWh", level_1="Transmission and distribution", level_2="Distribution - district heat & steam")
    well = desnz("kW.h", "kWh", False, level_1="WTT- heat and steam", level_2="WTT- heat and steam", **place)
    more = desnz("kW.h", "kWh", False, level_1="WTT- heat and steam", level_2="WTT- district heat & steam distribution")
    made = {"medium": "heat|steam", "network": "district"}
    case(
        "heat.average",
        (kind, "3600", "MJ", words, {}),
        ("s2_lb", "heat.average@1", record(kind, "generation", **made), heat, F(1000)),
        ("s2_mb", "heat.average@1", None, heat, F(1000)),
        ("c3_tnd", "tnd.published@1", record(kind, "t_and_d", **made), lost, F(1000)),
        ("c3_wtt", "wtt.published@1", record(kind, "upstream", **made), well, F(1000)),
        ("c3_wtt_tnd", "wtt.published@1", record(kind, "upstream_t_and_d", **made), more, F(1000)),
    )
    kind = "electricity.purchased"
    where = {"table": "6", "item": "CAMX"}
    grid = epa("MW.h", "egrid:CAMX", CO2=("Total output CO2", "[lb_av]"), CH4=("Total output CH4", "[lb_av]"), N2O=("Total output N2O", "[lb_av]"), where=where)
    number, row = one(EPA, factor="Grid gross loss", **where)
    loss = {
        **record(kind, "t_and_d", what="loss_rate"), "unit": "1", "basis": "ar5", "region": "egrid:CAMX",
        "gases": [], "total": row["value"], "total_unit": "1", "lines": [f"{EPA}:{number}"],
    }
    case(
        "tnd.generation",
        (kind, "1234.5", "kW.h", {}, {"region": "CAMX/US"}),
        ("s2_lb", "electricity.grid@1", record(kind, "generation"), grid, F("1.2345")),
        ("s2_mb", "electricity.grid_fallback@1", None, grid, F("1.2345")),
        ("c3_tnd", "tnd.generation@1", None, grid, F("1.2345") * F(row["value"])),
    )
    CASES[-1]["factors"].append(loss)
    resold = desnz("kW.h", "kWh", level_1="UK electricity")
    case(
        "generation.resold",
        ("electricity.resold", "500", "kW.h", {}, {}),
        ("s3", "generation.resold@1", record(kind, "generation"), resold, F(500)),
    )
    case(
        "generation.exported",
        ("electricity.exported", "500", "kW.h", {"technology": "solar"}, {}),
        ("memo", "generation.exported@1", record(kind, "generation"), resold, F(500)),
    )
    case(
        "generation.own, its certificates sold",
        ("electricity.generated", "500", "kW.h", {"technology": "solar", "certificates_kept": "no"}, {}),
        ("s2_mb", "electricity.grid_fallback@1", record(kind, "generation"), resold, F(500)),
    )


def suppliers():
    kind = "electricity.purchased"
    grid = desnz("kW.h", "kWh", level_1="UK electricity")
    own = {"unit": "MW.h", "basis": "ar5", "region": "iso:GB", "total": "57.25", "gases": [], "lines": []}
    case(
        "electricity.supplier",
        (kind, "800", "kW.h", {}, {"supplier": "green-7"}),
        ("s2_lb", "electricity.grid@1", record(kind, "generation"), grid, F(800)),
        ("s2_mb", "electricity.supplier@1", record(kind, "generation", supplier="green-7"), own, F("0.8")),
    )
    mix = {**own, "total": "380.5"}
    case(
        "electricity.residual_mix",
        (kind, "800", "kW.h", {}, {}),
        ("s2_lb", "electricity.grid@1", record(kind, "generation"), grid, F(800)),
        ("s2_mb", "electricity.residual_mix@1", record(kind, "generation", what="residual_mix"), mix, F("0.8")),
    )
    kind, made = "heat.purchased", {"medium": "heat|steam"}
    heat = desnz("kW.h", "kWh", level_1="Heat and steam", level_3="Onsite heat and steam")
    case(
        "heat.supplier",
        (kind, "800", "kW.h", {"medium": "steam", "network": "onsite"}, {"supplier": "works-1"}),
        ("s2_lb", "heat.average@1", record(kind, "generation", **made), heat, F(800)),
        ("s2_mb", "heat.supplier@1", record(kind, "generation", supplier="works-1", **made), own, F("0.8")),
    )
    kind, words = "waste.treated", {"material": "paper", "treatment": "recycling"}
    case(
        "waste.supplier",
        (kind, "800", "kg", words, {"supplier": "works-1"}),
        ("s3", "waste.supplier@1", record(kind, "end_of_life", supplier="works-1", **words), {**own, "unit": "t"}, F("0.8")),
    )


def others():
    def plain(name, row, method, of, factor, amount, well=None):
        slots = [("s3", method, of, factor, amount)]
        if well:
            slots.append(("s3_wtt", well[0], {**of, "boundary": "upstream"}, well[1], amount))
        case(name, row, *slots)

    water = desnz("m3", "cubic metres", False, level_1="Water supply")
    plain("water supplied", ("water.supplied", "12", "m3", {}, {}), "published.per_unit@1", record("water.supplied", "cradle_to_gate"), water, F(12))
    sewage = desnz("m3", "cubic metres", False, level_1="Water treatment")
    plain("water treated", ("water.treated", "12", "m3", {}, {}), "published.per_unit@1", record("water.treated", "end_of_life"), sewage, F(12))
    books = desnz("t", "tonnes", False, level_1="Waste disposal", level_3="Books", column="Landfill")
    words = {"material": "books", "treatment": "landfill"}
    plain("waste.treatment", ("waste.treated", "250", "kg", words, {}), "waste.treatment@1", record("waste.treated", "end_of_life", **words), books, F("0.25"))
    mass = lambda gas, value: {"gas": gas, "repr": "mass", "unit": "kg", "value": value}
    compost = {"unit": "t", "basis": "ar5", "region": "iso:DE", "gases": [mass("CH4", "1.4"), mass("N2O", "0.074")], "lines": []}
    words = {"material": "garden_waste", "treatment": "composting"}
    plain("waste.treatment by methane and nitrous oxide alone", ("waste.treated", "12500", "kg", words, {"region": "DE"}), "waste.treatment@1", record("waste.treated", "end_of_life", **words), compost, F("12.5"))
    where = {"level_2": "HGV (all diesel)", "level_3": "All HGVs", "column": "Average laden"}
    hgv = desnz("t.km", "tonne.km", level_1="Freighting goods", **where)
    where["level_2"] = "WTT- HGV (all diesel)"
    well = desnz("t.km", "tonne.km", False, level_1="WTT- delivery vehs & freight", **where)
    words = {"mode": "road", "vehicle_class": "hgv_average"}
    of = record("freight.moved", "combustion", laden="average", **words)
    plain("freight.distance", ("freight.moved", "5000", "t.km", words, {}), "freight.distance@1", of, hgv, F(5000), ("wtt.published@1", well))
    leg = {"inputs": {"distance": ["320", "km"]}}
    plain("freight.leg", ("freight.moved", "7500", "kg", words, leg), "freight.leg@1", of, hgv, F("7.5") * 320, ("wtt.leg@1", well))
    for rf, column in (("with", "With RF"), ("without", "Without RF")):
        where = {"level_3": "Short-haul, to/from UK", "level_4": "Economy class", "column": column}
        flight = desnz("x:pax.km", "passenger.km", level_1="Business travel- air", **where)
        words = {"mode": "air", "haul": "short", "class": "economy", "rf": rf}
        of = record("travel.moved", "combustion", **words)
        plain(f"travel.distance by air {rf} radiative forcing", ("travel.moved", "2400", "x:pax.km", words, {}), "travel.distance@1", of, flight, F(2400))
    rail = desnz("x:pax.km", "passenger.km", level_1="Business travel- land", level_3="National rail")
    of = record("travel.moved", "combustion", mode="rail_national")
    plain("travel.distance by rail in miles", ("travel.moved", "100", "x:pax.[mi_i]", {"mode": "rail_national"}, {}), "travel.distance@1", of, rail, F(100) * MILE)
    plain("commute.distance", ("commute.moved", "100", "x:pax.km", {"mode": "National rail"}, {}), "commute.distance@1", of, rail, F(100))
    inputs = {"inputs": {"one_way": ["12.5", "km"], "days": ["220", "d"], "share": ["35", "%"]}}
    where = {"level_3": "National rail"}
    well = desnz("x:pax.km", "passenger.km", False, level_1="WTT- pass vehs & travel (land)", **where)
    plain("commute.average", ("commute.moved", "80", "x:pax", {"mode": "rail_national"}, inputs), "commute.average@1", of, rail, F(80) * F("0.35") * F("12.5") * 2 * 220, ("wtt.average@1", well))
    hotel = desnz("x:room_night", "Room per night", False, level_1="Hotel stay", level_3="France")
    hotel["region"] = "iso:FR"
    plain("travel.hotel", ("travel.stayed", "3", "x:room_night", {"country": "fr"}, {}), "travel.hotel@1", record("travel.stayed", "use"), hotel, F(3))
    home = desnz("x:fte.h", "per FTE Working Hour", False, level_1="Homeworking", level_2="Homeworking (office equipment + heating)")
    plain("commute.telework", ("commute.worked_home", "160", "x:fte.h", {}, {}), "commute.telework@1", record("commute.worked_home", "use"), home, F(160))
    paper = desnz("t", "tonnes", False, level_1="Material use", level_3="Paper and board: paper", column="Closed-loop source")
    of = record("goods.purchased", "cradle_to_gate", item="paper", origin="closed_loop")
    plain("published.per_unit", ("goods.purchased", "-40", "kg", {"origin": "closed_loop"}, {"item": "Paper"}), "published.per_unit@1", of, paper, F("-0.04"))
    own = {"unit": "kg", "basis": "ar5", "region": "world:", "total": "0.731", "gases": [], "lines": []}
    of = record("goods.purchased", "cradle_to_gate", what="supplier_pcf", item="paper", supplier="mill-7")
    more = {"item": "paper", "supplier": "mill-7"}
    plain("supplier.specific", ("goods.purchased", "40", "kg", {}, more), "supplier.specific@1", of, own, F(40))
    plain("capital goods", ("capital.purchased", "40", "kg", {"origin": "closed_loop"}, {"item": "paper"}), "published.per_unit@1", record("goods.purchased", "cradle_to_gate", item="paper", origin="closed_loop"), paper, F("0.04"))
    mass = {"unit": "kg", "basis": "published", "region": "world:", "total": "1", "gases": [], "lines": []}
    case("a removal", ("removal.made", "2.5", "t", {"pool": "soil"}, {}), ("memo", "direct.mass@1", None, mass, F(2500)))
    case("a credit", ("credit.cancelled", "3", "t", {"registry": "Verra"}, {}), ("memo", "direct.mass@1", None, mass, F(3000)))


for family in (fuels, mobile, gases, processes, energy, suppliers, others):
    family()
json.dump(CASES, sys.stdout, indent=1, ensure_ascii=False)
sys.stdout.write("\n")
