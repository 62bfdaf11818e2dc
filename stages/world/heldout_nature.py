"""Held-out phrasings, part 2: elements, minerals, the sky and people of science (format: see part 1)."""

BLOCKS = """
elements.symbol | P246
W what letters do chemists write as the symbol for {S}?
N what is the symbol for {S} on the periodic table
T {S} appears in the periodic table under which chemical symbol?
S What chemical symbol is assigned to the element {S} in the periodic table?
V Which one- or two-letter chemical symbol denotes the element {S}?
E What chemical symbol belongs to the element {L}?

elements.category | P31
W what category of element is the stuff called {S}?
N what category does {S} fall under in the periodic table
T In the periodic table, {S} is shaded with which category of substances?
S Under which chemical category is the element {S} formally classified?
V To which recognised category of chemical elements is {S} assigned?
E Which category is the element {L} an example of?

solar_system.orbits | P397
W what planet or star does {S} go around in its orbit?
N what does {S} go around in its orbit
T {S} follows an orbit about which larger world or star?
S Around which parent body does the celestial object {S} complete its orbit?
V Which celestial body is the primary that {S} orbits?
E What is the parent body of {L}?

solar_system.discoverer | P61
W who first found the space object {S}?
N who gets credit for the discovery of {S} in astronomy
T Whose discovery added {S} to the known bodies of the Solar System?
S Which individual or team is officially recorded as the discoverer of the body {S}?
V To which astronomer or team is the discovery of the body {S} attributed?
E Who is named as the discoverer of the object {L}?

constellations.brightest_star | P527
W what star shines the brightest when you look at {S}?
N which bright star leads the constellation {S}
T Stargazers looking at {S} see which star as its brightest light?
S What is the proper name or designation of the brightest star within the constellation {S}?
V Which star has the greatest apparent brightness in the constellation {S}?
E Which star is the brightest one that {L} contains?

constellations.represents | P180
W what picture did people see in the stars of {S}?
N what is the constellation {S} supposed to look like
T Old star maps draw which figure for the constellation {S}?
S What object, animal or character does the constellation {S} traditionally depict?
V Which figure, creature or object is the constellation {S} said to portray?
E What does the constellation {L} depict?

minerals.crystal_system | P556
W what crystal system do you get when {S} grows?
N what system of crystals does the mineral {S} grow in
T Collectors sort the mineral {S} under which crystal system?
S To which crystal system is the mineral {S} assigned in crystallography?
V Under which crystal system do mineralogists formally classify {S}?
E Which crystal system is listed for the mineral {L}?

minerals.colour | P462
W what colour do you look for when hunting the mineral {S}?
N what colour does the mineral {S} usually show
T A sample of the mineral {S} most often shows which colour?
S What is the characteristic colour of specimens of the mineral {S}?
V Which colour is usually recorded for specimens of the mineral {S}?
E What colour do pieces of the mineral {L} have?

scientists.field | P101
W what field of study did {S} spend a career on?
N what field of science was {S} part of
T Students meet {S} in the history of which field of learning?
S In which academic field did {S} mainly carry out research?
V To which branch or field of science did {S} chiefly contribute?
E Which field of science is {L} linked with?

scientists.nationality | P27
W what nationality would you call the scientist {S}?
N what nationality is given for the scientist {S} in books
T Biographies describe the scientist {S} as a person of which nationality?
S What nationality is attributed to the scientist {S} in biographical records?
V Under which nationality is the scientist {S} usually recorded in biographies?
E What nationality is recorded for the scientist {L}?
"""
