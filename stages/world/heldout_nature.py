"""Held-out phrasings, part 2: elements, minerals, the sky and people of science (format: see part 1)."""

BLOCKS = """
elements.symbol | P246
W what symbol do chemists write for {S}?
N what is the chemical symbol of the element {S}
T In formulas, {S} appears with which symbol?
S Which symbol does the chemical element {S} have?
V With which symbol do chemists write {S} in formulas?
E What is the chemical symbol of {L}?

elements.category | P31
W what category is the element {S} in?
N {S} is in which category of the periodic table
T In the periodic table, {S} is counted in which category?
S To which category does the chemical element {S} belong?
V Which category of the periodic table is {S} listed in?
E What category does the element {L} have?

solar_system.orbits | P397
W what is at the centre of the path of {S}?
N what is the body that {S} goes around
T The orbit of {S} leads around which body?
S In the Solar System, which body does {S} orbit?
V What is the name of the body that {S} orbits?
E What is {L} in orbit around?

solar_system.discoverer | P61
W who is the one that first discovered {S}?
N which person is the discoverer of {S}
T Credit for the discovery of {S} goes to whom?
S By which person was {S} first discovered?
V Who has the credit for the discovery of {S}?
E Who is named as the discoverer of {L}?

constellations.brightest_star | P527
W what star outshines all the stars of {S}?
N which star is brightest among all the stars of {S}
T Among the stars of {S}, which is the brightest?
S Which is the brightest of the stars in {S}?
V Which of the stars in the constellation {S} is the brightest?
E What is the brightest one of the stars of {L}?

constellations.represents | P180
W what figure is drawn in {S}?
N what are the stars of {S} said to form
T On star charts, {S} is shown as what?
S Which figure do the stars of {S} form?
V Which figure are the stars of {S} said to show?
E What figure does {L} show?

minerals.crystal_system | P556
W what system do crystals of {S} belong to?
N {S} is counted in which system by its crystals
T {S} forms crystals of which system?
S To which system do crystals of the mineral {S} belong?
V Which system is given for the crystals of {S}?
E Which system do the crystals of {L} form?

minerals.colour | P462
W what is the usual colour of {S}?
N what colour is {S} most often
T Pieces of {S} are most often which colour?
S Which colour is the mineral {S} known for?
V What colour do pieces of {S} have?
E Which colour is most usual for {L}?

scientists.field | P101
W what field is the scientist {S} known for?
N in what field is {S} remembered as a scientist
T {S} was a scientist who worked in which field?
S To which field did {S} belong as a scientist?
V What was the main field that {S} worked in?
E In which field is {L} best known?

scientists.nationality | P27
W what nationality is given for the scientist {S}?
N {S} is remembered as a scientist of which nationality
T By nationality, the scientist {S} was counted as what?
S Under which nationality do books list {S}?
V Which nationality do books give for the scientist {S}?
E What nationality do books give for {L}?
"""
