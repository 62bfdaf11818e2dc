"""Families of problems of mechanics: a number to three significant digits and its unit, as in SciBench."""

from stages.problems.family import Family, Step

SPEED = Family(
    name="speed",
    space={"d": (3, 6, 9, 12, 15, 18, 24, 30), "t": (4, 5, 8, 10, 12, 15, 20, 25)},
    units={"d": "km", "t": "min"},
    truth="d / t",
    steps=(
        Step("s", "t * 60", "<t> min = <s> s."),
        Step("v", "d * 1000 / s", "v = <d> km / <s> s = <v> m/s."),
    ),
    source=(
        "In <place>, a train goes <d> km in <t> min. What is its speed?",
        "In <place>, a train takes <t> min for <d> km. How fast is it?",
        "In <place>, find the speed if a train goes a distance of <d> km in <t> min.",
    ),
    held_out=(
        "In <place>, how fast is a train if <d> km take <t> min?",
        "In <place>, a distance of <d> km takes a train <t> min. What speed is that?",
    ),
    answer="<v>",
    unit="m/s",
)

FORCE = Family(
    name="force",
    space={"m": tuple(range(2, 16)), "a": ("1.2", "1.5", "2", "2.5", "3", "4", "6", "8")},
    units={"m": "kg", "a": "m/s^2"},
    truth="m * a",
    steps=(Step("f", "m * a", "F = m a = <m> * <a> = <f> newton."),),
    source=(
        "In <place>, a cart of <m> kg gets an acceleration of <a> m/s^2. What force acts on it?",
        "In <place>, a cart of <m> kg is accelerated at <a> m/s^2. Find the force.",
        "In <place>, what force gives a cart of mass <m> kg an acceleration of <a> m/s^2?",
    ),
    held_out=(
        "In <place>, how much force does a cart of <m> kg need for <a> m/s^2?",
        "In <place>, find what force acts if a mass of <m> kg has <a> m/s^2.",
    ),
    answer="<f>",
    unit="newton",
)

KINETIC = Family(
    name="kinetic",
    space={"m": (2, 3, 4, 5, 6, 7, 8, 9, 12), "v": (3, 4, 5, 6, 7, 8, 9, 11, 12)},
    units={"m": "kg", "v": "m/s"},
    truth="m * v ** 2 / 2",
    steps=(
        Step("w", "v ** 2", "<v>^2 = <w>."),
        Step("e", "m * w / 2", "E = <m> * <w> / 2 = <e> joule."),
    ),
    source=(
        "In <place>, a sled of <m> kg goes at <v> m/s. What is its kinetic energy?",
        "In <place>, the speed of a sled of <m> kg is <v> m/s. Find its kinetic energy.",
        "In <place>, how much kinetic energy have <m> kg at <v> m/s?",
    ),
    held_out=(
        "In <place>, what energy has a sled if its mass is <m> kg and its speed <v> m/s?",
        "In <place>, find how much energy <m> kg have at a speed of <v> m/s.",
    ),
    answer="<e>",
    unit="joule",
)

MOMENTUM = Family(
    name="momentum",
    space={"m": tuple(range(2, 14)), "v": (3, 4, 5, 6, 7, 8, 9, 11, 12)},
    units={"m": "kg", "v": "m/s"},
    truth="m * v",
    steps=(Step("p", "m * v", "p = m v = <m> * <v> = <p> kg m/s."),),
    source=(
        "In <place>, a ball of <m> kg goes at <v> m/s. What is its momentum?",
        "In <place>, the speed of a ball of <m> kg is <v> m/s. Find its momentum.",
        "In <place>, how much momentum has a mass of <m> kg at <v> m/s?",
    ),
    held_out=(
        "In <place>, what momentum has a ball if its mass is <m> kg and its speed <v> m/s?",
        "In <place>, how much momentum does it make if <m> kg have <v> m/s?",
    ),
    answer="<p>",
    unit="kg m/s",
)

SPRING = Family(
    name="spring",
    space={"k": (20, 30, 40, 50, 60, 80, 90), "x": (2, 3, 4, 5, 6, 7, 8, 9)},
    units={"k": "N/m", "x": "cm"},
    truth="k * x",
    steps=(
        Step("m", "x / 100", "<x> cm = <m> m."),
        Step("f", "k * m", "F = k x = <k> * <m> = <f> newton."),
    ),
    source=(
        "In <place>, a spring of <k> N/m gets <x> cm longer. What force acts on it?",
        "In <place>, a spring with <k> N/m is pulled by <x> cm. Find the force.",
        "In <place>, with <k> N/m, a spring gets longer by <x> cm. How many N act?",
    ),
    held_out=(
        "In <place>, if <x> cm longer, what force has a <k> N/m spring?",
        "In <place>, find how much force acts on a spring for <x> cm and <k> N/m.",
    ),
    answer="<f>",
    unit="newton",
)

WORK = Family(
    name="work",
    space={"f": (15, 25, 35, 45, 55, 65, 75, 85, 95), "d": (20, 30, 40, 50, 60, 70, 80, 90)},
    units={"f": "N", "d": "cm"},
    truth="f * d",
    steps=(
        Step("m", "d / 100", "<d> cm = <m> m."),
        Step("w", "f * m", "W = <f> * <m> = <w> joule."),
    ),
    source=(
        "In <place>, a box is pushed <d> cm by a force of <f> N. What work is that?",
        "In <place>, a force of <f> N pushes a box over <d> cm. Find the work.",
        "In <place>, how much work does it take to push a box <d> cm with <f> N?",
    ),
    held_out=(
        "In <place>, what work does a force of <f> N do on a box if it goes <d> cm?",
        "In <place>, find how much work <f> N do over <d> cm for a box.",
    ),
    answer="<w>",
    unit="joule",
)

HEIGHT = Family(
    name="height",
    space={"m": tuple(range(2, 13)), "h": (2, 3, 4, 5, 6, 7, 8, 9), "g": ("9.81",)},
    units={"m": "kg", "h": "m", "g": "m/s^2"},
    truth="m * g * h",
    steps=(
        Step("w", "m * g", "m g = <m> * <g> = <w> newton."),
        Step("e", "w * h", "E = <w> * <h> = <e> joule."),
    ),
    source=(
        "In <place>, a crate of <m> kg is lifted by <h> m. What energy does it gain?",
        "In <place>, a crate of <m> kg gets <h> m higher. Find the energy that it gains.",
        "In <place>, how much energy does it take to lift <m> kg by <h> m?",
    ),
    held_out=(
        "In <place>, what energy does it take if a crate has <m> kg and is lifted <h> m?",
        "In <place>, find how much energy a crate gains: <m> kg get <h> m higher.",
    ),
    answer="<e>",
    unit="joule",
)

FAMILIES = (SPEED, FORCE, KINETIC, MOMENTUM, SPRING, WORK, HEIGHT)
