"""Held-out phrasings, part 1: countries, states, cities, currencies, languages and features of the land.

A block's first line is `field.column | Wikidata property`; then one line per benchmark in its own style: W
WebQuestions, N Natural Questions, T TriviaQA, S SimpleQA, V SimpleQA Verified, E EntityQuestions. {S} is
the subject as it stands inside a sentence ("the Niger River"), {L} its bare label ("Niger River"). None of
them is a phrasing of the teacher's, and with a one-word subject at most 60 % of the content words are shared
(Jaccard).
"""

BLOCKS = """
countries.capital | P36
W what capital city runs the country of {S}?
N where is the capital of the country {S} located
T Which capital city appears beside {S} in an atlas of the world?
S In which city is the national capital of {S} officially situated?
V What city holds the official status of capital for the nation of {S}?
E Which town or city is listed as the capital of {L}?

countries.continent | P30
W what continent would you travel to if you visit {S}?
N which continent in the world atlas shows {S}
T Visitors to {S} set foot on which continent?
S Of which continent is the country of {S} geographically considered to form part?
V To which of the world's continents do geographers assign the country of {S}?
E On which continent can the country {L} be located?

currencies.country | P17
W what country does the money called {S} come from?
N in which country did people start to pay with {S}
T Collectors of coins file {S} under which country?
S Which country introduced {S} as a unit of currency?
V Of which country in the world is {S} recorded as a national currency?
E Which country is the home of the currency {L}?

currencies.subunit | P527
W what are the small coins called that add up to {S}?
N what is {S} split into for smaller coins
T Small change of {S} is counted in which subunit?
S In what subunit is a fraction of {S} formally expressed?
V Into which named subunit is one unit of {S} formally subdivided?
E Which subunit is part of the currency {L}?

us_states.capital | P36
W what city is the state capital of {S} in the us?
N where is the state capital of {S} located
T Lawmakers of the American state of {S} meet in which capital city?
S In which capital city is the state government of {S} seated?
V What city holds the official status of capital in the U.S. state of {S}?
E Which town or city is listed as the capital of the U.S. state of {L}?

us_states.state_bird | P2238
W what bird is on the list of symbols for {S}?
N what kind of bird was picked as a symbol of {S}
T Which feathered symbol, a bird, was adopted by the American state of {S}?
S What species of bird did the U.S. state of {S} adopt as an official symbol?
V Which bird has official emblem status in the U.S. state of {S}?
E Which bird is an official symbol of {L}?

languages.family | P279
W what family tree of languages does {S} grow on?
N what family do linguists put {S} in
T Scholars place {S} in which family of related tongues?
S Within which linguistic family is {S} formally classified?
V In linguistic classification, {S} is grouped under which family?
E In which family of tongues do experts list {L}?

languages.main_country | P17
W what country should you go to if you want to hear {S}?
N which country has the largest share of people who use {S}
T Travellers hear {S} most often in which country?
S In which country is the largest community of users of {S} established?
V Which country is recorded as the principal home of the community using {S}?
E In which country do many people use {L}?

cities.country | P17
W what country do you land in when you fly to {S}?
N which country in the world has the city {S}
T {S} is a city that you would find on a map of which country?
S Within the borders of which country is the city of {S} situated?
V In which sovereign country is the urban centre of {S} located?
E Which country is the city {L} located in?

cities.river_or_coast | P206
W what body of water is next to the city of {S}?
N what water runs along or past the city of {S}
T Which river or stretch of coast would you see from the city of {S}?
S Beside which river, lake or sea is the city of {S} situated?
V On which body of water, river or coast does the city of {S} lie?
E Which body of water is located next to the city {L}?

rivers.mouth | P403
W what does {S} run out into at its end?
N where does the water of {S} finally reach its mouth
T Sailing down to the mouth of {S} brings a boat to which water?
S Into which body of water does {S} discharge at its mouth?
V What sea, lake or river receives the waters of {S} at its mouth?
E Which body of water does the {L} reach at its mouth?

rivers.country | P17
W what country do you visit to see {S}?
N which country do maps show {S} in
T Boats on {S} sail through which country?
S Through the territory of which country does {S} run?
V Which country does the course of {S} cross according to gazetteers?
E In which country can the {L} be located?

mountains.range | P4552
W what range of high peaks is {S} in?
N which range do you climb in when you go up {S}
T Climbers on {S} have reached the heights of which range?
S To which range of peaks is the summit of {S} assigned?
V Within which named range is the summit of {S} situated?
E Which range of peaks includes {L}?

mountains.country | P17
W what country do you have to go to for climbing {S}?
N which country can you see {S} in
T Mountaineers heading for {S} travel to which country?
S Within the territory of which country does the summit of {S} rise?
V In which sovereign country is the peak of {S} located?
E Which country is the peak {L} located in?

lakes.country | P17
W what country do you swim in when you visit {S}?
N which country has {S} inside its borders
T Fishing boats on {S} may fly the flag of which country?
S Within the borders of which country is {S} situated?
V In which sovereign country is the basin of {S} located?
E Which country is the body of water {L} located in?

lakes.outflow | P201
W what river does the water of {S} go out by?
N which stream or river takes water away from {S}
T Water leaving {S} runs off along which outflow?
S By way of which outflow is water carried away from {S}?
V Which watercourse is the principal outflow of the lake known as {S}?
E Which outflow does the water of {L} follow?

islands.surrounding_water | P206
W what sea or ocean do you cross to get to {S}?
N what water is all around the island of {S}
T Waves of which sea or ocean break on the shores of {S}?
S In the waters of which sea or ocean is the island of {S} situated?
V Which ocean or sea directly borders the island of {S}?
E Which body of water is the island {L} located in?

islands.country | P17
W what country owns the island of {S}?
N which country is in charge of the island {S}
T The flag of which country flies over the island of {S}?
S Under the sovereignty of which country is the island of {S} administered?
V To which sovereign country does the territory of the island of {S} pertain?
E Which country is the island {L} governed by?
"""
