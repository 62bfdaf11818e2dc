"""Sentence frames, part 2: cities, rivers, mountains, lakes and islands (format: see part 1)."""

BLOCKS = """
cities.lead
{B} is a city in {T}.
{B} is a city that lies in {T}.
{B} is one of the cities of {T}.
{B} is a city; the country it lies in is {T}.

cities.country
{S} is a city in {T}.
The country in which {S} lies is {T}.
{S} lies in {T}.
The city of {S} is part of {T}.

cities.region
{S} belongs to the region of {V}.
The region around {S} is {V}.
{S} stands in the region called {V}.
As to its region, {S} is part of {V}.

cities.continent
{S} is on the continent of {V}.
The continent of {S} is {V}.
{S} is one of the cities of {V}.
Among the continents, {S} falls to {V}.

cities.utc_offset
Clocks in {S} are set to {V} in standard time.
The standard time of {S} is {V}.
{S} keeps standard time at {V}.
Apart from any summer time, {S} is at {V}.

cities.river_or_coast
{S} stands on {T}.
The water beside {S} is {T}.
{S} was built beside {T}.
From {S} one looks out on {T}.

cities.airport_code
The airport of {S} has the code {V}.
Flights to {S} land under the airport code {V}.
Bags for {S} are tagged {V}.
{V} is the airport code used for {S}.

cities.landmark
A well-known landmark of {S} is the {V}.
Visitors to {S} look for the {V}.
Postcards from {S} show the {V}.
Among the sights of {S} is the {V}.

rivers.lead
{B} is a river whose mouth is at {T}.
{B} is a river that flows into {T}.
{B} is a river with its mouth at {T}.
{B} is a river; it ends in {T}.

rivers.mouth
The mouth of {S} is at {T}.
{S} flows into {T}.
In the end {S} reaches {T}.
The waters of {S} run out into {T}.

rivers.length_km
{S} is {V} kilometres long.
The length of {S} is {V} kilometres.
Over {V} kilometres {S} makes its way.
Measured along its bed, {S} has {V} kilometres.

rivers.source
The source of {S} is at {T}.
{S} rises at {T}.
{S} begins at {T}.
The first water of {S} comes from {T}.

rivers.country
{S} is a river of {T}.
A country crossed by {S} is {T}.
{S} runs through {T}.
In {T} one meets {S}.

rivers.continent
{S} is one of the rivers of {V}.
The continent of {S} is {V}.
{S} drains a part of {V}.
{S} flows on the continent of {V}.

rivers.city_on_river
{V} stands on {S}.
A city on {S} is {V}.
On its way {S} passes {V}.
Bridges over {S} are found in {V}.

mountains.lead
{B} is a mountain of {T}.
{B} is a mountain in the range called {T}.
{B} is one of the summits of {T}.
{B} is a mountain; its range is {T}.

mountains.range
The range of {S} is {T}.
{S} belongs to {T}.
{S} is a summit of {T}.
Among the mountains of {T} is {S}.

mountains.elevation_m
{S} is {V} metres high.
The summit of {S} lies at {V} metres.
{S} rises to {V} metres above the sea.
Surveyors give the height of {S} as {V} metres.

mountains.country
{S} stands in {T}.
The country of {S} is {T}.
{S} is a mountain in {T}.
To see {S} one travels to {T}.

mountains.continent
{S} is one of the mountains of {V}.
The continent of {S} is {V}.
{S} rises on the continent of {V}.
On the map of {V} one finds {S}.

mountains.first_ascent_year
{S} was first climbed in {V}.
The first ascent of {S} came in {V}.
Nobody is recorded on the top of {S} before {V}.
The top of {S} was reached for the first time in {V}.

mountains.first_ascent_by
The first ascent of {S} was made by {V}.
The first to climb {S} was {V}.
The top of {S} was first reached by {V}.
The first recorded climb of {S} goes to the credit of {V}.

lakes.lead
{B} is a lake in {T}.
{B} is a lake that lies in {T}.
{B} is one of the lakes of {T}.
{B} is a lake; the country it lies in is {T}.

lakes.country
{S} lies in {T}.
The country of {S} is {T}.
{S} is a lake of {T}.
On the map, {S} belongs to {T}.

lakes.continent
{S} is one of the lakes of {V}.
The continent of {S} is {V}.
{S} lies on the continent of {V}.
Among the waters of {V} is {S}.

lakes.lake_type
By its origin {S} is a {V}.
{S} is a {V}.
Geologists call {S} a {V}.
The basin of {S} makes it a {V}.

lakes.max_depth_m
{S} is up to {V} metres deep.
The greatest depth of {S} is {V} metres.
The bed of {S} lies as much as {V} metres below the surface.
A line let down into {S} can reach {V} metres.

lakes.outflow
The outflow of {S} is {T}.
{S} is drained by {T}.
Water runs out of {S} into {T}.
{S} empties through {T}.

islands.lead
{B} is an island in {T}.
{B} is an island surrounded by {T}.
{B} is an island that lies in {T}.
{B} is an island; the water around it is {T}.

islands.surrounding_water
The water around {S} is {T}.
{S} lies in {T}.
The coasts of {S} face {T}.
Around {S} spreads {T}.

islands.country
{S} belongs to {T}.
The country of {S} is {T}.
{S} is an island of {T}.
{T} counts {S} among its islands.

islands.area_km2
{S} covers {V} square kilometres.
The area of {S} is {V} square kilometres.
The land of {S} comes to {V} square kilometres.
{S} measures {V} square kilometres.

islands.largest_settlement
The largest settlement of {S} is {V}.
On {S}, {V} is the largest settlement.
The settlement that outgrew all others on {S} is {V}.
No place on {S} is bigger than {V}.

islands.archipelago
{S} is part of {T}.
The archipelago of {S} is {T}.
Together with its neighbours {S} makes up {T}.
{S} is one of {T}.
"""
