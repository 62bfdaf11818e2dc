"""Phrase book, part 2: rivers, mountains, lakes and islands (format: see part 1)."""

BLOCKS = """
length_km, length | length; total length | length long kilometres | kilometres
What is the length of {S} in kilometres?
How many kilometres long is {S}?
How long is {S} in kilometres?
What length does {S} have, measured in kilometres?
{S} is {V} long.
{S} runs for {V}.
From end to end, {S} measures {V}.

source, source1, source1_location | source; headwater; place of origin | source rise rises begin begins \
start origin
What is the source of the {S}?
Where does the {S} rise?
From what source does the {S} flow?
Where does the {S} begin its course?
The {S} rises at {V}.
The {S} begins its course at {V}.
The course of the {S} starts from {V}.

mouth, mouth_location | mouth; end; outlet | mouth flow flows empty empties end ends drain
What is the mouth of the {S}?
Into what does the {S} flow?
Where does the {S} end its course?
Which water does the {S} empty into?
The {S} flows into the {V}.
The {S} empties into the {V}.
The course of the {S} ends at the {V}.

city_on_river, cities | city on its banks; riverside city | city banks stands
Which city stands on the {S}?
What city lies on the banks of the {S}?
Which city does the {S} flow through?
What is a city on the {S}?
The {S} flows through {V}.
{V} stands on the {S}.
{V} lies on the banks of the {S}.

elevation_m, elevation | elevation; height; height above the sea | elevation height high metres | metres
What is the elevation of {S} in metres?
How high is {S} in metres?
How many metres above the sea does {S} rise?
What height does {S} have, measured in metres?
{S} rises {V} above the sea.
{S} is {V} high.
{S} reaches a height of {V}.

range, parent_range, mountain_range | range; mountain range | range mountains
Which mountain range is {S} part of?
What is the mountain range of {S}?
In which range does {S} stand?
{S} is one of the mountains of which range?
{S} stands in the {V}.
{S} is one of the mountains of the {V}.
The {V} includes {S}.

first_ascent_year, first_ascent | year of the first ascent; first ascent | year first ascent climbed when
In which year was {S} first climbed?
When was the first ascent of {S}?
What is the first ascent year of {S}?
In what year did climbers first reach the top of {S}?
{S} was first climbed in {V}.
Climbers first stood on {S} in {V}.
In {V}, the top of {S} was first reached.

first_ascent_by | first climber; leader of the first ascent | who first ascent climbed climber
Who first climbed {S}?
By whom was {S} first climbed?
Who made the first ascent of {S}?
Which climber first reached the top of {S}?
{S} was first climbed by {V}.
{V} first reached the top of {S}.
The first ascent of {S} was made by {V}.

lake_type, type_of_lake | type of lake; kind of lake | type kind lake
What type of lake is {S}?
What is the lake type of {S}?
Which kind of lake is {S}?
To which type of lake does {S} belong?
Among lakes, {S} counts as {V}.
{S} belongs to the lakes of type {V}.
Geographers class {S} as {V}.

max_depth_m, max_depth, depth | greatest depth; maximum depth | depth deep deepest metres | metres
What is the greatest depth of {S} in metres?
How deep is {S} in metres?
How many metres deep is {S} at most?
What maximum depth does {S} have, measured in metres?
{S} is {V} deep at most.
At the deepest place, {S} measures {V}.
{S} reaches down {V}.

outflow | outflow; outlet | outflow outlet drain drains leaves flows
What is the outflow of {S}?
Through what does water leave {S}?
Which river drains {S}?
By what outflow is {S} drained?
{S} is drained by the {V}.
Water leaves {S} through the {V}.
The {V} carries water out of {S}.

surrounding_water, surrounded_by, water_body | surrounding water; surrounding sea | surrounding surround \
surrounded water sea ocean
Which water surrounds {S}?
What is the surrounding water of {S}?
In which sea or ocean does {S} lie?
By which water is {S} surrounded?
{S} lies in the {V}.
{S} is surrounded by the {V}.
The {V} surrounds {S}.

largest_settlement, country_largest_city | largest settlement; biggest settlement | largest biggest \
settlement town
What is the largest settlement of {S}?
Which settlement on {S} is the largest?
What is the biggest town on {S}?
Where do most people on {S} live?
No settlement on {S} is larger than {V}.
{V} is the largest place on {S}.
Most people on {S} live in {V}.

archipelago | archipelago; island group | archipelago island group chain
Which archipelago does {S} belong to?
What is the archipelago of {S}?
{S} is part of which island group?
In which group of islands does {S} lie?
{S} is one of the islands of the {V}.
{S} lies among the {V}.
The {V} includes {S}.
"""
