"""Held-out phrasings, part 1: countries, states, cities, currencies, languages and features of the land.

A block's first line is `field.column | Wikidata property`; then one line per benchmark in its own style: W
WebQuestions, N Natural Questions, T TriviaQA, S SimpleQA, V SimpleQA Verified, E EntityQuestions. {S} is
the subject as it stands inside a sentence ("the Niger River"), {L} its bare label ("Niger River").

The words are plain ones that the articles or the teacher's questions use, so that an item measures whether a
fact is known rather than a vocabulary. None is a phrasing of the teacher's: with subjects of one or two
content words, fewer than 80 % of the content words are shared (Jaccard), the threshold of decontamination.
"""

BLOCKS = """
countries.capital | P36
W what place do people call the capital of {S}?
N the country {S} has what place as its capital
T {S} is a country with its capital at which place?
S In which place does the country of {S} have its capital?
V Which place is named as its capital by {S}?
E Which place is named as the capital of {L}?

countries.continent | P30
W what continent do the people of {S} live on?
N {S} belongs to what continent on the map
T {S} belongs to which one of the continents?
S To which continent does the country of {S} belong?
V Of which continent does the land of {S} form part?
E Which continent is home to the country {L}?

currencies.country | P17
W what country does the currency called {S} come from?
N {S} is a currency that has which home country
T {S} is a currency that comes from which country?
S Which country uses the currency called {S}?
V In which country do people pay with {S}?
E What is the home country of the currency {L}?

currencies.subunit | P527
W what is a smaller part of {S} called?
N what is the subunit of one unit of {S} called
T {S} is divided into which subunits?
S Into which subunits is the currency called {S} divided?
V What name is given to the smaller part of {S}?
E Which subunits does the currency {L} have?

us_states.capital | P36
W what is the capital of {S} called?
N {S} has what place as its capital
T {S} is a state with which place named as its capital?
S In which place does {S} have its official capital?
V Which place is named as its state capital by {S}?
E Which place is the capital of {L}?

us_states.state_bird | P2238
W what bird stands for {S}?
N {S} has which bird as its official bird
T {S} chose which bird to stand for it?
S Which bird is known as the symbol of the state {S}?
V Which bird is the official symbol of {S}?
E What is the official bird of {L}?

languages.family | P279
W what family is {S} counted in?
N which family is {S} part of
T {S} is counted among the languages of which family?
S Within which family of languages is {S} placed?
V What family is {S} known to come from?
E Which family does {L} come from?

languages.main_country | P17
W what country is {S} most spoken in?
N in what country is {S} spoken above all
T {S} is at home above all in which country?
S Which country is most closely tied to {S}?
V In which country is {S} spoken by most people?
E In which country is {L} spoken most?

cities.country | P17
W what country does the city {S} lie in?
N the city of {S} is part of which country
T {S} is a city that lies in which country?
S In which country is the city of {S} found?
V Of which country is the city {S} a part?
E In which country is the city {L} located?

cities.river_or_coast | P206
W what water is beside the city of {S}?
N which water does {S} look out on
T The city of {S} was built beside which water?
S Beside which river or sea does {S} stand?
V On which water does the city of {S} lie?
E Which water lies beside {L}?

rivers.mouth | P403
W what does {S} run into at its mouth?
N in what water is the mouth of {S} found
T The mouth of {S} is at which sea, lake or river?
S Into which body of water does {S} flow?
V Which water does {S} reach in the end?
E Which water does the {L} flow into at its mouth?

rivers.country | P17
W what country does {S} run through?
N which country is crossed by {S}
T {S} flows through which country?
S Through which country does the water of {S} flow?
V Which country do the waters of {S} run through?
E Which country does the {L} flow through?

mountains.range | P4552
W what range does {S} belong to?
N which range of mountains is {S} found in
T {S} is counted among the mountains of which range?
S To which range of mountains does {S} belong?
V Of which range is {S} a summit?
E Which range is {L} found in?

mountains.country | P17
W what country does the mountain {S} rise in?
N in which country does the mountain {S} stand
T To see {S}, one travels to which country?
S In which country is the mountain called {S} found?
V Which country is the mountain {S} a part of?
E Which country does the mountain {L} stand in?

lakes.country | P17
W what country do the waters of {S} lie in?
N {S} is found on the map of which country
T On the map, {S} lies in which country?
S In which country does the water of {S} lie?
V Within which country are the waters of {S} found?
E Which country does {L} lie within?

lakes.outflow | P201
W what river does the water of {S} run out into?
N which river is the outflow of {S}
T {S} empties through which river?
S By which river is {S} drained?
V Which river takes the water out of {S}?
E Which water is the outflow of {L}?

islands.surrounding_water | P206
W what water is around {S}?
N which sea is the island of {S} in
T The water around {S} is which sea?
S In which water does the island of {S} lie?
V Which sea or ocean is found around {S}?
E Which water is {L} found in?

islands.country | P17
W what country is the island {S} part of?
N which country has {S} among its islands
T {S} is counted among the islands of which country?
S Of which country does the island of {S} form part?
V Which country counts {S} among its islands?
E Which country is {L} a part of?
"""
