"""Families of word problems: whole answers, as in GSM8K."""

from stages.problems.family import Family, Step

PENS = Family(
    name="pens",
    space={"boxes": (3, 4, 5, 6, 7, 8, 9), "each": (4, 5, 6, 7, 8, 9), "gone": (2, 3, 4, 5, 6, 7)},
    truth="boxes*each - gone",
    steps=(
        Step("all", "boxes * each", "<boxes> * <each> = <all> pens."),
        Step("left", "all - gone", "<all> - <gone> = <left> pens."),
    ),
    source=(
        "In <place>, a shop has <boxes> boxes of <each> pens and loses <gone> pens. How many are left?",
        "In <place>, <boxes> boxes hold <each> pens each, and <gone> are sold. How many pens are left?",
        "In <place>, of <boxes> boxes with <each> pens, a shop sells <gone> pens. Find the rest.",
    ),
    held_out=(
        "In <place>, how many pens has a shop after it sells <gone> of <boxes> boxes with <each> each?",
        "In <place>, one loses <gone> pens of <boxes> boxes that hold <each>. What is left?",
    ),
    answer="<left>",
)

CHANGE = Family(
    name="change",
    space={"count": (3, 4, 5, 6), "price": (6, 7, 8, 9, 11, 12, 13, 14, 16), "note": (100,)},
    truth="note - count*price",
    steps=(
        Step("cost", "count * price", "<count> * <price> = <cost> dollars."),
        Step("back", "note - cost", "<note> - <cost> = <back> dollars."),
    ),
    source=(
        "In <place>, one pays for <count> books of <price> dollars each with <note> dollars. How much is the "
        "change?",
        "In <place>, a shop sells <count> books at <price> dollars each. What is the change for <note>?",
        "In <place>, <count> books cost <price> dollars each. Find the change from <note> dollars.",
    ),
    held_out=(
        "In <place>, what change does one get for <count> books if each costs <price> of <note> dollars?",
        "In <place>, how much of <note> dollars is left after <count> books of <price> dollars?",
    ),
    answer="<back>",
)

DISCOUNT = Family(
    name="discount",
    space={"price": (20, 40, 60, 80, 120, 140, 160, 180), "percent": (5, 10, 15, 20, 25, 30, 35, 40, 45)},
    truth="price*(100 - percent)/100",
    steps=(
        Step("off", "price * percent / 100", "<percent> percent are <off> dollars."),
        Step("new", "price - off", "<price> - <off> = <new> dollars."),
    ),
    source=(
        "In <place>, a coat costs <price> dollars. What is its price at <percent> percent off?",
        "In <place>, the price of a coat, <price> dollars, falls by <percent> percent. How much is it now?",
        "In <place>, a shop takes <percent> percent off a coat of <price> dollars. Find the new price.",
    ),
    held_out=(
        "In <place>, how much does a coat of <price> dollars cost with <percent> percent off?",
        "In <place>, what is the new price if <price> dollars get <percent> percent off?",
    ),
    answer="<new>",
)

AGES = Family(
    name="ages",
    space={"times": (2, 3, 4, 5), "young": tuple(range(4, 24))},
    derived={"sum": "(times + 1) * young"},
    truth="solve(Eq(Symbol('x') * (times + 1), sum), Symbol('x'))[0]",
    steps=(
        Step("parts", "times + 1", "<times> + 1 = <parts> parts."),
        Step("age", "sum / parts", "<sum> / <parts> = <age> years."),
    ),
    source=(
        "In <place>, a father is <times> times as old as his son. Together they are <sum>. How old is the "
        "son?",
        "In <place>, a father has <times> times the age of his son, and both add up to <sum>. Find the "
        "younger age.",
        "In <place>, father and son are <sum> together, the father <times> times as old. What is the age of "
        "the son?",
    ),
    held_out=(
        "In <place>, how old is a son if the age of his father is <times> times his and the sum is <sum>?",
        "In <place>, the age of a son and his father is <sum>. What is his if one is <times> times as old?",
    ),
    answer="<age>",
)

LAPS = Family(
    name="laps",
    space={"laps": (3, 4, 5, 6, 7, 8, 9), "length": (20, 30, 40, 50, 60), "more": (5, 10, 15, 25)},
    truth="laps*length + more",
    steps=(
        Step("round", "laps * length", "<laps> * <length> = <round> m."),
        Step("all", "round + more", "<round> + <more> = <all> m."),
    ),
    source=(
        "In <place>, a run has <laps> laps of <length> m and <more> m more. How long is it in m?",
        "In <place>, one runs <laps> laps of <length> m, then <more> m. What is the distance in m?",
        "In <place>, what distance does one get from <laps> laps, each <length> m long, and <more> m more?",
    ),
    held_out=(
        "In <place>, how long in m is a run of <more> m and <laps> laps if the laps are <length> m each?",
        "In <place>, a run is <length> m long. What distance in m are <laps> times it and <more> m?",
    ),
    answer="<all>",
)

BUSES = Family(
    name="buses",
    space={"first": (4, 6, 8, 9, 10, 12), "second": (14, 15, 16, 18, 20, 21, 24)},
    truth="lcm(first, second)",
    steps=(
        Step("shared", "gcd(first, second)", "Both have the factor <shared>."),
        Step("wait", "first * second / shared", "<first> * <second> / <shared> = <wait> minutes."),
    ),
    source=(
        "In <place>, two buses leave every <first> and <second> minutes, now together. When do they leave "
        "together again?",
        "In <place>, a bus leaves every <first> minutes, and one every <second>. In how many minutes do both "
        "leave at once?",
        "In <place>, find the minutes until two buses, every <first> and every <second>, leave together.",
    ),
    held_out=(
        "In <place>, how many minutes is it until both buses leave together if one leaves every <first>, one "
        "every <second>?",
        "In <place>, both buses leave now, then one every <first> and one every <second> minutes. When is "
        "that again?",
    ),
    answer="<wait>",
)

MEAN = Family(
    name="mean",
    space={"a": tuple(range(12, 60, 4)), "middle": tuple(range(40, 80))},
    derived={"b": "2 * middle - a"},
    truth="(a + b)/2",
    steps=(
        Step("sum", "a + b", "<a> + <b> = <sum>."),
        Step("mean", "sum / 2", "<sum> / 2 = <mean>."),
    ),
    source=(
        "In <place>, a team gets <a> and <b> points in two games. What is the mean?",
        "In <place>, two games give a team first <a> points, then <b>. Find the mean number of points.",
        "In <place>, a team has <a> points and <b> points in two games. How many is that on average?",
    ),
    held_out=(
        "In <place>, what average has a team after games of <a> and <b>?",
        "In <place>, what is the mean number if a team gets <b> and <a> points?",
    ),
    answer="<mean>",
)

TANK = Family(
    name="tank",
    space={"part": (2, 3, 4), "whole": (5, 7, 9), "unit": tuple(range(3, 14))},
    derived={"litres": "whole * unit"},
    truth="litres*(1 - Rational(part, whole))",
    steps=(
        Step("used", "litres * part / whole", "<part>/<whole> are <used> litres."),
        Step("left", "litres - used", "<litres> - <used> = <left> litres."),
    ),
    source=(
        "In <place>, a tank holds <litres> litres. When <part>/<whole> is used, how many litres are left?",
        "In <place>, a tank of <litres> litres loses <part>/<whole>. How much is left?",
        "In <place>, find what is left in a tank of <litres> litres after <part>/<whole> is used.",
    ),
    held_out=(
        "In <place>, how much does a tank hold after <part>/<whole> of <litres> litres are sold?",
        "In <place>, <part>/<whole> of the <litres> litres is used now. What is the rest?",
    ),
    answer="<left>",
)

FAMILIES = (PENS, CHANGE, DISCOUNT, AGES, LAPS, BUSES, MEAN, TANK)
