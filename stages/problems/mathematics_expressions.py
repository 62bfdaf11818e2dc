"""Families of exercises: answers in LaTeX, as in MATH."""

from stages.problems.family import Family, Step

FRACTIONS = Family(
    name="fractions",
    space={"p": (1, 2), "a": (3, 5, 7, 9), "q": (1, 3), "b": (4, 8, 10, 16)},
    truth="Rational(p, a) + Rational(q, b)",
    steps=(
        Step("below", "a * b", "Below: $<a> * <b>=<below>$."),
        Step("above", "p * b + q * a", "Above: $<p> * <b>+<q> * <a>=<above>$."),
        Step("sum", "above / below", "The sum is $<sum>$."),
    ),
    source=(
        r"In <place>, compute $\frac{<p>}{<a>}+\frac{<q>}{<b>}$.",
        r"In <place>, one adds $\frac{<p>}{<a>}$ and $\frac{<q>}{<b>}$. What fraction is the sum?",
        r"In <place>, find the sum of $\frac{<p>}{<a>}$ and $\frac{<q>}{<b>}$.",
    ),
    held_out=(
        r"In <place>, what do $\frac{<p>}{<a>}$ and $\frac{<q>}{<b>}$ add up to?",
        r"In <place>, find what fraction one gets for $\frac{<p>}{<a>}+\frac{<q>}{<b>}$.",
    ),
    answer="<sum>",
    fractions=True,
)

LINEAR = Family(
    name="linear",
    space={"a": (3, 4, 5, 6, 7, 8, 9), "b": (2, 3, 4, 5, 6, 7, 8, 9), "root": tuple(range(3, 30))},
    derived={"c": "a * root + b"},
    truth="solve(Eq(a*Symbol('x') + b, c), Symbol('x'))[0]",
    steps=(
        Step("rest", "c - b", "$<a>x=<rest>$."),
        Step("x", "rest / a", "$x=<x>$."),
    ),
    source=(
        "In <place>, solve $<a>x+<b>=<c>$.",
        "In <place>, one finds that $<a>x+<b>=<c>$. What is $x$?",
        "In <place>, find $x$ if $<a>x+<b>$ equals $<c>$.",
    ),
    held_out=(
        "In <place>, what $x$ does one get for $<c>=<a>x+<b>$?",
        "In <place>, $<a>x+<b>$ equals $<c>$. What number is $x$?",
    ),
    answer="<x>",
)

DERIVATIVE = Family(
    name="derivative",
    space={"a": (2, 3, 4, 5, 6, 7, 8, 9), "b": tuple(range(2, 14))},
    truth="diff(a*Symbol('x')**2 + b*Symbol('x'), Symbol('x'))",
    steps=(
        Step("double", "2 * a", "$<a>x^2$ gives $<double>x$."),
        Step("slope", "b", "$<b>x$ gives $<slope>$."),
    ),
    source=(
        "In <place>, find the derivative of $<a>x^2+<b>x$.",
        "In <place>, $f(x)$ is $<a>x^2+<b>x$. What is $f'(x)$?",
        "In <place>, one finds the derivative of $<a>x^2+<b>x$. What is it?",
    ),
    held_out=(
        "In <place>, compute $f'(x)$ if $f(x)=<a>x^2+<b>x$.",
        "In <place>, what is the derivative if $f(x)$ is $<a>x^2+<b>x$?",
    ),
    answer="<double>x+<slope>",
)

ANTIDERIVATIVE = Family(
    name="antiderivative",
    space={"half": tuple(range(2, 13)), "b": tuple(range(2, 16))},
    derived={"a": "2 * half"},
    truth="integrate(a*Symbol('x') + b, Symbol('x'))",
    steps=(
        Step("square", "a / 2", "$<a>x$ gives $<square>x^2$."),
        Step("slope", "b", "$<b>$ gives $<slope>x$."),
    ),
    source=(
        r"In <place>, find $\int(<a>x+<b>)dx$ without a constant.",
        "In <place>, $f'(x)$ is $<a>x+<b>$ and $f(0)=0$. What is $f(x)$?",
        "In <place>, one integrates $<a>x+<b>$ without a constant. What is it?",
    ),
    held_out=(
        "In <place>, what polynomial without a constant has the derivative $<a>x+<b>$?",
        "In <place>, find $f(x)$ if $f(0)=0$ and its derivative is $<a>x+<b>$.",
    ),
    answer="<square>x^2+<slope>x",
)

EXPAND = Family(
    name="expand",
    space={"a": (2, 3, 4, 5, 6, 7, 8), "b": (3, 4, 5, 6, 7, 8, 9, 11, 12)},
    truth="expand((Symbol('x') + a)*(Symbol('x') + b))",
    steps=(
        Step("sum", "a + b", "$<a>+<b>=<sum>$."),
        Step("product", "a * b", "$<a> * <b>=<product>$."),
    ),
    source=(
        "In <place>, expand $(x+<a>)(x+<b>)$.",
        "In <place>, one multiplies $x+<a>$ by $x+<b>$. What is it?",
        "In <place>, find the polynomial $(x+<a>)(x+<b>)$.",
    ),
    held_out=(
        "In <place>, what polynomial does one get from $x+<a>$ times $x+<b>$?",
        "In <place>, find what $(x+<a>)(x+<b>)$ equals.",
    ),
    answer="x^2+<sum>x+<product>",
)

RADICAL = Family(
    name="radical",
    space={"k": (2, 3, 4, 5, 6, 7, 8, 9), "m": (2, 3, 5, 6, 7)},
    derived={"n": "k * k * m"},
    truth="sqrt(n)",
    steps=(
        Step("square", "n / m", "$<n>=<square> * <m>$."),
        Step("root", "k", "The root of $<square>$ is $<root>$."),
    ),
    source=(
        r"In <place>, simplify $\sqrt{<n>}$.",
        r"In <place>, one writes $\sqrt{<n>}$ as $a\sqrt{b}$ with the least $b$. What is it?",
        "In <place>, find the simplest form of the square root of $<n>$.",
    ),
    held_out=(
        r"In <place>, what is $\sqrt{<n>}$ in the simplest form?",
        r"In <place>, one takes the square root of $<n>$. What $a\sqrt{b}$ has the least $b$?",
    ),
    answer=r"<root>\sqrt{<m>}",
)

SEQUENCE = Family(
    name="sequence",
    space={"a": (2, 3, 4, 5, 6, 7, 8, 9), "d": (3, 4, 5, 6, 7, 8, 9), "n": tuple(range(8, 31))},
    derived={"b": "a + d"},
    truth="a + (n - 1)*(b - a)",
    steps=(
        Step("step", "b - a", "The step is $<b>-<a>=<step>$."),
        Step("term", "a + (n - 1) * step", "$<a>+(<n>-1) * <step>=<term>$."),
    ),
    source=(
        "In <place>, an arithmetic sequence starts $<a>, <b>$. What is term $<n>$?",
        "In <place>, an arithmetic sequence has the terms $<a>, <b>$ first. Find term $<n>$.",
        "In <place>, find term $<n>$ of the arithmetic sequence $<a>, <b>, ...$.",
    ),
    held_out=(
        "In <place>, what term has an arithmetic sequence at $<n>$ if $<a>$ and $<b>$ are its first?",
        "In <place>, one has an arithmetic sequence, first $<a>$, then $<b>$. What is term number $<n>$?",
    ),
    answer="<term>",
)

SLOPE = Family(
    name="slope",
    space={"a": (1, 2, 3), "b": (1, 2, 3, 4, 5, 6, 7, 8), "c": (6, 7, 8, 9), "d": (3, 5, 9, 11, 14)},
    truth="Rational(d - b, c - a)",
    steps=(
        Step("rise", "d - b", "Rise: $<d>-<b>=<rise>$."),
        Step("run", "c - a", "Run: $<c>-<a>=<run>$."),
        Step("slope", "rise / run", "The slope is $<slope>$."),
    ),
    source=(
        "In <place>, find the slope of the line through $(<a>,<b>)$ and $(<c>,<d>)$.",
        "In <place>, a line goes from $(<a>,<b>)$ to $(<c>,<d>)$. What is its slope?",
        "In <place>, what slope has a line with the points $(<a>,<b>)$ and $(<c>,<d>)$?",
    ),
    held_out=(
        "In <place>, $(<a>,<b>)$ and $(<c>,<d>)$ are on a line. Compute the slope that it has.",
        "In <place>, what slope does one get from the points $(<a>,<b>)$ and $(<c>,<d>)$?",
    ),
    answer="<slope>",
    fractions=True,
)

RING = Family(
    name="ring",
    space={"r": (2, 3, 4, 5, 6, 7, 8), "s": (9, 10, 11, 12, 13, 14, 15)},
    truth="pi*(s**2 - r**2)",
    steps=(
        Step("outer", "s ** 2", "$<s>^2=<outer>$."),
        Step("inner", "r ** 2", "$<r>^2=<inner>$."),
        Step("area", "outer - inner", "$<outer>-<inner>=<area>$."),
    ),
    source=(
        "In <place>, find the area between circles of radius $<r>$ and $<s>$ with the same center.",
        "In <place>, a circle of radius $<r>$ is cut from one of radius $<s>$. What area is left?",
        "In <place>, what is the area of a ring with the radius $<r>$ inside and $<s>$ outside?",
    ),
    held_out=(
        "In <place>, compute the area of a ring between circles of radius $<r>$ and $<s>$.",
        "In <place>, what area is left if a circle of radius $<s>$ loses one of radius $<r>$?",
    ),
    answer=r"<area>\pi",
)

FAMILIES = (FRACTIONS, LINEAR, DERIVATIVE, ANTIDERIVATIVE, EXPAND, RADICAL, SEQUENCE, SLOPE, RING)
