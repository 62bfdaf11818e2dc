"""Which cells and ledgers a study has: the grid that `weigh` is told, never what lies in a folder."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stages import protocols
from stages.errors import BadInput
from stages.grid import PLAIN, Arm, Cut, Target, cell_name

SAMPLES, TOKENS = "samples", "tokens"  # as in `Arm.matched`
RESPONSES = "responses"  # per question: what a protocol shares with a plain cell of another N
_ONE = Cut(1.0, 1)


class Ledger(NamedTuple):
    """Whose calls a ledger holds."""

    teacher: str
    domain: str  # one of `grid.SOURCES`
    protocol: str = PLAIN.protocol

    @property
    def name(self) -> str:
        """Return the ledger's file stem."""
        own = "" if self.protocol == PLAIN.protocol else f"-{self.protocol}"
        return f"{self.teacher}-{self.domain}{own}"


class Place(NamedTuple):
    """A cell's coordinates."""

    teacher: str
    student: str
    domain: str  # one of `grid.SOURCES`
    cut: Cut
    protocol: str = PLAIN.protocol
    matched: str = SAMPLES

    @property
    def name(self) -> str:
        """Return the cell's file stem."""
        arm = Arm(self.teacher, self.protocol, self.matched)
        return cell_name(self.student, Target(self.domain, None), self.cut, arm)

    @property
    def ledger(self) -> Ledger:
        """Return the ledger that the cell's training set is cut from."""
        return Ledger(self.teacher, self.domain, protocols.parse(self.protocol).ledger)

    @property
    def columns(self) -> dict[str, object]:
        """Return what every row of the cell says of itself, and what `train` wrote beside its models."""
        arm = {"teacher": self.teacher, "protocol": self.protocol, "matched": self.matched}
        return {
            "student": self.student,
            "strategy": self.domain,
            "density": None,
            **self.cut._asdict(),
            **arm,
        }


class Unmatched(NamedTuple):
    """A protocol's cut that meets a plain cut at equal responses per question, not at equal N."""

    protocol: str
    cut: Cut
    plain: Cut


class Audited(NamedTuple):
    """A protocol's cell and the plain cell that it is held against."""

    place: Place
    plain: Place
    matched: str  # SAMPLES, TOKENS or RESPONSES


class Plan(NamedTuple):
    """The study's grid, without repetitions; protocols and variants are those of the first student."""

    students: tuple[str, ...]
    teachers: tuple[str, ...]
    domains: tuple[str, ...]
    shares: tuple[float, ...]
    budgets: tuple[int, ...]
    protocols: tuple[str, ...] = ()  # of the first teacher
    protocol_cut: Cut = _ONE
    unmatched: tuple[Unmatched, ...] = ()
    mixed_cuts: tuple[Cut, ...] = ()
    variants: tuple[Ledger, ...] = ()  # other temperatures and thresholds

    @classmethod
    def of(
        cls,
        students: Iterable[str],
        teachers: Iterable[str],
        domains: Iterable[str],
        shares: Iterable[float],
        budgets: Iterable[int],
        protocols: Iterable[str] = (),
        protocol_cut: Cut = _ONE,
        unmatched: Iterable[tuple[str, Cut, Cut]] = (),
        mixed_cuts: Iterable[Cut] = (),
        variants: Iterable[tuple[str, str, str]] = (),
    ) -> "Plan":
        """Return the plan of what may name things twice; `variants` are (teacher, domain, protocol)."""
        return cls(
            tuple(dict.fromkeys(students)),
            tuple(dict.fromkeys(teachers)),
            tuple(dict.fromkeys(domains)),
            tuple(sorted(set(shares))),
            tuple(sorted(set(budgets))),
            tuple(dict.fromkeys(protocols)),
            protocol_cut,
            tuple(Unmatched(*one) for one in dict.fromkeys(unmatched)),
            tuple(dict.fromkeys(mixed_cuts)),
            tuple(Ledger(*one) for one in dict.fromkeys(variants)),
        )

    def check(self, budget: int) -> None:
        """Refuse a grid that cannot be studied.

        Args:
            budget: held out.

        Raises:
            BadInput: the laws would have nothing to predict or too little to be fitted to, or a protocol has
                no plain cell beside it.
        """
        if budget not in self.budgets or 1.0 not in self.shares:
            raise BadInput(
                f"--share, --budget: no 1x{budget} to hold the laws against; add it, or set `budget`"
            )
        if len(self.budgets) < 3 or max(self.budgets) > budget:
            raise BadInput(
                f"--budget {' '.join(map(str, self.budgets))}: the laws need two below `budget` {budget} "
                "and none above; correct one of them"
            )
        plain = [one.plain for one in self.unmatched] + ([self.protocol_cut] if self.protocols else [])
        for cut in plain:
            if cut not in self.cuts:
                raise BadInput(f"cut {cut}: no plain cell of it among --share and --budget; add it there")

    @property
    def cuts(self) -> list[Cut]:
        """Return the cuts of the plain grid."""
        return [Cut(share, budget) for share in self.shares for budget in self.budgets]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return every (teacher, student)."""
        return [(teacher, student) for teacher in self.teachers for student in self.students]

    @property
    def plain(self) -> list[Place]:
        """Return the cells of the plain grid."""
        return [
            Place(*pair, domain, cut) for pair in self.pairs for domain in self.domains for cut in self.cuts
        ]

    @property
    def curves(self) -> list[list[Place]]:
        """Return the plain grid's cells, those of one curve together: all budgets, ascending."""
        plain, n = self.plain, len(self.budgets)
        return [plain[i : i + n] for i in range(0, len(plain), n)]

    @property
    def matched(self) -> list[tuple[Place, Place]]:
        """Return the pairs of plain cells with equal share × budget, fewer questions first."""
        return [
            (Place(*pair, domain, fewer), Place(*pair, domain, more))
            for pair in self.pairs
            for domain in self.domains
            for fewer, more in nested(self.cuts)
        ]

    @property
    def allocations(self) -> list[tuple[Cut, Cut]]:
        """Return the mixed source's fixed question sets, each beside more questions asked once."""
        return [cuts for cuts in nested(self.mixed_cuts) if cuts[1].budget == 1]

    @property
    def allocated(self) -> list[tuple[Place, Place]]:
        """Return the pairs of cells of the mixed source that meet, the fixed question set first."""
        return [
            (Place(*pair, "mixed", fixed), Place(*pair, "mixed", more))
            for pair in self.pairs
            for fixed, more in self.allocations
        ]

    @property
    def audited(self) -> list[Audited]:
        """Return the protocols' cells, each with its plain cell."""
        found = []
        for domain in self.domains:
            first = (self.teachers[0], self.students[0], domain)
            for protocol in self.protocols:
                plain = Place(*first, self.protocol_cut)
                place = plain._replace(protocol=protocol)
                found.append(Audited(place, plain, SAMPLES))
                if place.ledger != plain.ledger:
                    found.append(Audited(place._replace(matched=TOKENS), plain, TOKENS))
            for one in self.unmatched:
                found.append(
                    Audited(Place(*first, one.cut, one.protocol), Place(*first, one.plain), RESPONSES)
                )
        return found

    @property
    def mixed(self) -> list[Place]:
        """Return the cells of the mixed source."""
        return [Place(*pair, "mixed", cut) for pair in self.pairs for cut in self.mixed_cuts]

    @property
    def variations(self) -> list[Ledger]:
        """Return the first teacher's plain ledger of each varied domain, and the variants beside it."""
        plain = dict.fromkeys(Ledger(self.teachers[0], variant.domain) for variant in self.variants)
        return [
            one for first in plain for one in (first, *(v for v in self.variants if v.domain == first.domain))
        ]

    def varied(self, variant: Ledger) -> list[Place]:
        """Return a variant's cells: all questions, every budget."""
        where = (variant.teacher, self.students[0], variant.domain)
        return [Place(*where, Cut(1.0, r), variant.protocol) for r in self.budgets]

    @property
    def places(self) -> list[Place]:
        """Return every cell once."""
        audited = [one.place for one in self.audited]
        varied = [place for variant in self.variants for place in self.varied(variant)]
        return list(dict.fromkeys([*self.plain, *audited, *self.mixed, *varied]))

    @property
    def ledgers(self) -> list[Ledger]:
        """Return every ledger once, in the order of the cells."""
        return list(dict.fromkeys(place.ledger for place in self.places))


def nested(cuts: Sequence[Cut]) -> list[tuple[Cut, Cut]]:
    """Return the pairs of cuts with equal share × budget: fewer questions more often, and more questions."""
    return [
        (fewer, more)
        for fewer in cuts
        for more in cuts
        if fewer.share < more.share and fewer.share * fewer.budget == more.share * more.budget
    ]
