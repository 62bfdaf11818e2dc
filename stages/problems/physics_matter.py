"""Families of problems of electricity, waves, heat and matter, each answered by a number and its unit."""

from stages.problems.family import Family, Step

# fmt: off
_FREQUENCIES = (  # MHz
    10, 12, 15, 16, 20, 24, 25, 30, 32, 40, 45, 48, 50, 60, 64, 75, 80, 90, 96,
    100, 120, 125, 150, 160, 180, 200, 240, 250, 300, 320, 400, 480, 500, 600,
)
# fmt: on

OHM = Family(
    name="ohm",
    space={"u": (3, 5, 6, 9, 12, 15, 18, 24), "r": (4, 5, 8, 10, 12, 15, 16, 20, 25, 40)},
    units={"u": "V", "r": "ohm"},
    truth="u / r",
    steps=(Step("i", "u / r", "I = U / R = <u> / <r> = <i> ampere."),),
    source=(
        "In <place>, a lamp of <r> ohm is at <u> V. What current flows?",
        "In <place>, a lamp with a resistance of <r> ohm gets <u> V. Find the current.",
        "In <place>, how much current flows through <r> ohm at <u> V?",
    ),
    held_out=(
        "In <place>, what current does a lamp take if <u> V are on its <r> ohm?",
        "In <place>, find how much flows in a lamp: <u> V and <r> ohm.",
    ),
    answer="<i>",
    unit="ampere",
)

POWER = Family(
    name="power",
    space={"u": (3, 5, 6, 9, 12, 15, 18, 24), "i": (2, 3, 4, 5, 6, 7, 8, 9)},
    units={"u": "V", "i": "A"},
    truth="u * i",
    steps=(Step("p", "u * i", "P = U I = <u> * <i> = <p> watt."),),
    source=(
        "In <place>, a motor takes <i> A at <u> V. What is its power?",
        "In <place>, <i> A flow through a motor at <u> V. Find its power.",
        "In <place>, how much power do <i> A give at <u> V?",
    ),
    held_out=(
        "In <place>, what power does a motor have if it gets <u> V and <i> A?",
        "In <place>, find how much power <u> V and a current of <i> A give a motor.",
    ),
    answer="<p>",
    unit="watt",
)

CHARGE = Family(
    name="charge",
    space={"i": (2, 3, 4, 5, 6, 7, 8, 9), "t": (2, 3, 4, 5, 6, 7, 8, 9)},
    units={"i": "A", "t": "min"},
    truth="i * t",
    steps=(
        Step("s", "t * 60", "<t> min = <s> s."),
        Step("q", "i * s", "Q = I t = <i> * <s> = <q> coulomb."),
    ),
    source=(
        "In <place>, a current of <i> A flows for <t> min. What charge is that?",
        "In <place>, a cell takes <i> A for <t> min. Find its charge.",
        "In <place>, how much charge flows through a cell at <i> A in <t> min?",
    ),
    held_out=(
        "In <place>, what charge does a cell get if <i> A flow for <t> min?",
        "In <place>, find how much charge <t> min at <i> A give a cell.",
    ),
    answer="<q>",
    unit="coulomb",
)

WAVELENGTH = Family(
    name="wavelength",
    space={"f": _FREQUENCIES, "c": (300000,)},
    units={"f": "MHz", "c": "km/s"},
    truth="c / f",
    steps=(
        Step("u", "c / 1000", "c / 1000 = <u>."),
        Step("l", "u / f", "<u> / <f> = <l> m."),
    ),
    source=(
        "In <place>, a radio sends at <f> MHz. What is the wavelength?",
        "In <place>, the frequency of a radio is <f> MHz. Find its wavelength.",
        "In <place>, how long are the waves of a radio at <f> MHz?",
    ),
    held_out=(
        "In <place>, what wavelength has a radio if it sends waves of <f> MHz?",
        "In <place>, find how long the waves are if the frequency is <f> MHz.",
    ),
    answer="<l>",
    unit="m",
)

HEAT = Family(
    name="heat",
    space={"m": (2, 3, 4, 5, 6, 7, 8, 9), "d": (5, 10, 15, 20, 25, 30, 40, 50), "c": ("4.18",)},
    units={"m": "kg", "d": "delta_degC", "c": "kJ/kg/delta_degC"},
    truth="c * m * d",
    steps=(
        Step("q", "c * m", "1 K takes <c> * <m> = <q> kilojoule."),
        Step("k", "q * d", "Q = <q> * <d> = <k> kilojoule."),
    ),
    source=(
        "In <place>, <m> kg of water get <d> K warmer. What heat is needed?",
        "In <place>, one warms <m> kg of water by <d> K. Find the heat.",
        "In <place>, how much heat does one need to make <m> kg of water <d> K warmer?",
    ),
    held_out=(
        "In <place>, what heat does one need if <m> kg of water get warmer by <d> K?",
        "In <place>, find how much heat is needed for <d> K if one has <m> kg of water.",
    ),
    answer="<k>",
    unit="kilojoule",
)

PRESSURE = Family(
    name="pressure",
    space={"f": (30, 36, 40, 45, 60, 72, 75, 80, 90), "s": (4, 5, 6, 8, 9, 12, 15, 20)},
    units={"f": "N", "s": "cm^2"},
    truth="f / s",
    steps=(
        Step("q", "f / s", "<f> / <s> = <q> N/cm^2."),
        Step("p", "q * 10", "p = <p> kilopascal."),
    ),
    source=(
        "In <place>, a piston presses with <f> N on <s> cm^2. What is the pressure?",
        "In <place>, a force of <f> N acts on an area of <s> cm^2. Find the pressure.",
        "In <place>, how much pressure do <f> N make on <s> cm^2?",
    ),
    held_out=(
        "In <place>, what pressure has a piston if its area is <s> cm^2 and its force <f> N?",
        "In <place>, find how much pressure <s> cm^2 of a piston get by <f> N.",
    ),
    answer="<p>",
    unit="kilopascal",
)

DENSITY = Family(
    name="density",
    space={"m": (18, 24, 27, 36, 45, 54, 63, 72, 81, 96), "v": (4, 5, 6, 8, 9, 10, 12, 15)},
    units={"m": "g", "v": "cm^3"},
    truth="m / v",
    steps=(Step("d", "m / v", "<m> g / <v> cm^3 = <d> g/cm^3."),),
    source=(
        "In <place>, a stone of <m> g has a volume of <v> cm^3. What is its density?",
        "In <place>, the mass of a stone is <m> g and its volume <v> cm^3. Find its density.",
        "In <place>, how much is the density of <v> cm^3 with a mass of <m> g?",
    ),
    held_out=(
        "In <place>, what density does one get if <v> cm^3 of stone have <m> g?",
        "In <place>, a stone takes <v> cm^3 and has <m> g. Find how much its density is.",
    ),
    answer="<d>",
    unit="g/cm^3",
)

FAMILIES = (OHM, POWER, CHARGE, WAVELENGTH, HEAT, PRESSURE, DENSITY)
