"""Phrase book, part 1: countries, cities, states, currencies and languages.

One block per infobox key. Its first line reads ``keys | nouns | cues | unit`` (several keys share a block;
cues are words that hint at the key in a question; `person` instead of a unit marks facts about people).
A line with {V} is a statement, a line without is a question; {S} is the article's title, {V} the value.
"""

BLOCKS = """
capital | capital; capital city | capital govern government seat
What is the capital of {S}?
Which city is the capital of {S}?
What is the name of the capital city of {S}?
From which city is {S} governed?
Which city serves as the seat of government of {S}?
{S} is governed from {V}.
The government of {S} sits in {V}.
{V} is the seat of government of {S}.

continent | continent | continent
On which continent does {S} lie?
Which continent is {S} part of?
What is the continent of {S}?
{S} is found on which continent?
{S} lies in {V}.
{S} is part of {V}.
On the map of continents, {S} falls in {V}.

currency, currency_name | currency; official currency; money | currency money pay
What is the currency of {S}?
Which currency is used in {S}?
What money do people in {S} pay with?
What is the name of the currency of {S}?
People in {S} pay with the {V}.
The {V} is used as money in {S}.
Prices in {S} are given in the {V}.

official_language, official_languages | official language; main official language | language official \
spoken speak
What is the official language of {S}?
Which language is official in {S}?
Which official language does {S} use?
In which language does {S} conduct official business?
{S} conducts official business in {V}.
{V} has official status in {S}.
In {S}, {V} is official.

largest_city | largest city; biggest city; most populous city | largest biggest city populous
What is the largest city of {S}?
Which city is the largest in {S}?
What is the biggest city in {S}?
Which city in {S} has the most inhabitants?
No city in {S} is larger than {V}.
{V} has more inhabitants than any other city in {S}.
{V} is the largest city in {S}.

calling_code | calling code; telephone code; international dialling code | calling dialling dial telephone \
phone
What is the calling code of {S}?
Which telephone code is used to reach {S}?
What is the international dialling code for {S}?
Which code does one dial to call {S} from abroad?
To call {S} from abroad, one dials {V}.
Telephone numbers in {S} begin with {V}.
Calls to {S} start with {V}.

iso_code, iso_3166_code | ISO code; standard ISO code | iso standard
What is the ISO code of {S}?
Which ISO code stands for {S}?
What code does the ISO standard give to {S}?
By which ISO code is {S} known?
The ISO standard gives {S} the code {V}.
In ISO lists, {V} stands for {S}.
{V} stands for {S} in the ISO standard.

internet_tld, cctld | internet top-level domain; country domain | internet domain top level website
What is the internet top-level domain of {S}?
Which internet domain belongs to {S}?
What ending do the web addresses of {S} have?
Which top-level domain is assigned to {S}?
Web addresses of {S} end in {V}.
The domain {V} is assigned to {S}.
Websites from {S} use the ending {V}.

area_km2, area_total_km2, area_total | area; total area; surface area | area large square kilometres | \
square kilometres
What is the area of {S} in square kilometres?
How many square kilometres does {S} cover?
How large is {S} in square kilometres?
What area does {S} have, measured in square kilometres?
{S} covers {V}.
{S} extends over {V}.
The land of {S} measures {V}.

demonym, population_demonym | demonym; name for its people | demonym inhabitant people called
What is the demonym of {S}?
What are the people of {S} called?
Which word describes a person from {S}?
What is a person from {S} called?
A person from {S} is called {V}.
People from {S} are described as {V}.
The word {V} describes someone from {S}.

highest_point, highest_mountain | highest point; highest elevation; top | highest point elevation tallest \
summit
What is the highest point of {S}?
Which place is the highest in {S}?
What is the name of the highest elevation in {S}?
At which point does {S} reach its greatest height?
{S} reaches its greatest height at {V}.
No place in {S} is higher than {V}.
{V} rises above every other place in {S}.

driving_side, drives_on | driving side; side of the road for driving | drive driving side road traffic
On which side of the road do people drive in {S}?
What is the driving side in {S}?
Which side of the road is used for driving in {S}?
Which side does traffic keep to in {S}?
Traffic in {S} keeps to the {V}.
Drivers in {S} keep to the {V} side.
In {S} people drive on the {V}.

country, sovereign_state, location_country | country; home country | country nation state
Which country does {S} belong to?
What is the country of {S}?
With which country is {S} associated?
{S} belongs to which country?
{S} belongs to {V}.
{S} is associated with {V}.
{V} is the country that {S} belongs to.

subunit, subunit_name_1 | subunit; smaller unit; fractional unit | subunit smaller unit divided fraction cents
What is the subunit of the {S}?
Into what smaller unit is the {S} divided?
What is the fractional unit of the {S} called?
Which smaller unit makes up the {S}?
The {S} is divided into the {V}.
The smaller unit of the {S} is called {V}.
One {S} is made up of smaller units called {V}.

symbol | symbol; written symbol | symbol sign written letters
What is the symbol of {S}?
Which symbol stands for {S}?
By what symbol is {S} represented?
What symbol is used for {S}?
{S} is written with the symbol {V}.
The symbol {V} stands for {S}.
{V} is short for {S}.

central_bank, issuing_authority | central bank; issuing bank; issuer | central bank issue issues issued
What is the central bank of the {S}?
Which central bank issues the {S}?
Which institution issues the {S}?
By which bank is the {S} issued?
The {S} is issued by the {V}.
The {V} issues the {S}.
Notes of the {S} come from the {V}.

abbreviation | abbreviation; short form; standard abbreviation | abbreviation abbreviated short form
What is the abbreviation of {S}?
How is {S} abbreviated?
Which abbreviation stands for {S}?
What is the short form of {S}?
{S} is abbreviated {V}.
The abbreviation {V} stands for {S}.
{S} is shortened to {V}.

admission_year, admission_date | year of admission; admission year; year of statehood | year admitted \
statehood join joined union when
In which year was {S} admitted to the Union?
When did {S} become a state?
What is the admission year of {S}?
In what year did {S} join the Union?
{S} became a state in {V}.
{S} joined the Union in {V}.
In {V}, {S} was admitted to the Union.

nickname, nicknames | nickname; popular nickname; byname | nickname nicknamed popular byname
What is the nickname of {S}?
By which nickname is {S} known?
What is {S} nicknamed?
Which popular name does {S} carry?
{S} is nicknamed {V}.
People call {S} by the name {V}.
{S} is popularly known as {V}.

state_bird, bird | state bird; official bird | bird
What is the state bird of {S}?
Which bird is the state bird of {S}?
Which bird represents {S}?
What bird did {S} choose as its state bird?
The {V} represents {S} among birds.
{S} chose the {V} as state bird.
Among birds, {S} is represented by the {V}.

state_flower, flower | state flower; official flower | flower
What is the state flower of {S}?
Which flower is the state flower of {S}?
Which flower represents {S}?
What flower did {S} choose as its state flower?
The {V} represents {S} among flowers.
{S} chose the {V} as state flower.
Among flowers, {S} is represented by the {V}.

region, subdivision_name1 | region; wider region | region area part
Which region does {S} belong to?
What is the region of {S}?
In which region is {S} found?
{S} is part of which region?
{S} is part of the region {V}.
{S} is found in the region {V}.
The region around {S} is {V}.

family, familycolor | family; language family | family related
Which language family does {S} belong to?
What is the language family of {S}?
To which family of languages is {S} assigned?
{S} is a member of which language family?
{S} is a member of the {V} family.
{S} descends within the {V} family.
Linguists place {S} in the {V} family.

branch, fam2 | branch; branch within its family | branch
Which branch of its family does {S} belong to?
What is the branch of {S}?
To which branch is {S} assigned?
Of which branch is {S} a member?
{S} is a member of the {V} branch.
Linguists place {S} in the {V} branch.
{S} grew out of the {V} branch.

writing_system, script | writing system; script | writing script alphabet written write
What is the writing system of {S}?
Which script is {S} written in?
In which writing system is {S} written?
What script do writers of {S} use?
{S} is written in {V}.
Writers of {S} use {V}.
Texts in {S} are set down in {V}.

main_country, states | main country; principal country | country spoken speak mainly
Which country is the main home of {S}?
In which country is {S} mainly spoken?
What is the main country of {S}?
Where do most speakers of {S} live?
{S} is mainly spoken in {V}.
Most speakers of {S} live in {V}.
{V} is home to most speakers of {S}.

iso_639_code, iso1, iso2, iso3 | ISO 639 code; language code | iso 639 language code
What is the ISO 639 code of {S}?
Which language code stands for {S}?
By which ISO 639 code is {S} identified?
What code does ISO 639 give to {S}?
ISO 639 gives {S} the code {V}.
The language code {V} stands for {S}.
Catalogues of languages list {S} under {V}.

native_name, nativename | native name; own name | native own name locally
What is the native name of {S}?
What do its own speakers call {S}?
By which native name is {S} known?
What is {S} called by native speakers?
Natives call {S} by the name {V}.
In its own tongue, {S} is called {V}.
{V} is what natives call {S}.

utc_offset, utc_offset1, timezone | standard time; time offset; UTC offset | utc time offset zone timezone
What is the UTC offset of {S}?
Which standard time does {S} keep?
What offset from UTC applies in {S}?
In which time zone do the clocks of {S} run?
Clocks in {S} run on {V}.
{S} keeps the time {V}.
Standard time in {S} is {V}.

river_or_coast | river or coast; nearby water; waterside | river coast water waterside lies stands
On which river or coast does {S} stand?
What is the river or coast of {S}?
Which water does {S} border?
By which river or coast was {S} built?
{S} stands by the {V}.
{S} was built beside the {V}.
The water at {S} is the {V}.

airport_code, iata | airport code; IATA code | airport iata
What is the airport code of {S}?
Which airport code is used for {S}?
What code do airline tickets to {S} show?
By which airport code do airlines know {S}?
Airlines know {S} by the code {V}.
Tickets to {S} show the code {V}.
Luggage tags for {S} read {V}.

landmark, landmarks | landmark; famous landmark; best-known sight | landmark sight famous monument
What is a famous landmark of {S}?
Which landmark is {S} known for?
What is the best-known sight of {S}?
Which famous sight stands in {S}?
{S} is known for the {V}.
Visitors to {S} go to see the {V}.
The {V} is found in {S}.
"""
