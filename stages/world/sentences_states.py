"""Sentence frames, part 1: countries, currencies, states of the United States and languages.

A block's first line is `field.column`, or `field.lead` for the sentence that opens an article. {S} is the
subject and {V} the linked value, {T} the same with its article ("the Danube"); {B} is the subject in bold.
"""

BLOCKS = """
countries.lead
{B} is a country whose capital is {V}.
{B} is a country with its capital at {V}.
{B} is a country that has {V} as its capital.
{B} is a country; its capital is {V}.

countries.capital
{V} is the capital of {S}.
The capital of {S} is {V}.
As its capital, {S} has {V}.
The city named as capital by {S} is {V}.
On every map of {S}, {V} is marked as the capital.

countries.continent
{S} lies on the continent of {V}.
{S} belongs to the continent of {V}.
The continent of which {S} forms part is {V}.
Geographers place {S} on the continent of {V}.

countries.currency
The currency of {S} is {T}.
Shops in {S} take payment in {T}.
{S} uses {T} as its currency.
Money in {S} is counted in {T}.

countries.official_language
{V} is an official language of {S}.
The official language named first in {S} is {V}.
As an official language, {S} has {V}.
In {S} official standing belongs to {V}.

countries.largest_city
The largest city of {S} is {V}.
Of all cities in {S}, {V} is the largest.
More people live in {V} than in any other city of {S}.
{S} has its largest city in {V}.

countries.calling_code
The telephone calling code of {S} is {V}.
Telephone calls to {S} start with the code {V}.
Numbers in {S} are dialled from abroad with {V} in front.
Callers from other countries reach {S} under the code {V}.

countries.iso_code
The two-letter ISO code of {S} is {V}.
In lists of ISO codes {S} stands under {V}.
{S} is shortened to {V} in the ISO list of countries.
The ISO list of countries gives {V} for {S}.

countries.internet_tld
The internet domain of {S} is {V}.
Web addresses in {S} end in {V}.
Sites registered in {S} carry the ending {V}.
{S} has been given the internet ending {V}.

countries.area_km2
{S} covers an area of {V} square kilometres.
The area of {S} is {V} square kilometres.
Taken together, land and inland waters of {S} come to {V} square kilometres.
Surveyors give the area of {S} as {V} square kilometres.

countries.demonym
Someone from {S} is called {V}.
The demonym for people from {S} is {V}.
The word for a person from {S} is {V}.
In English, someone whose home is {S} is known as {V}.

countries.highest_point
The highest point of {S} is {V}.
{S} reaches its highest point at {V}.
Nowhere does {S} rise higher than at {V}.
The land of {S} culminates in {V}.

countries.driving_side
Traffic in {S} drives on the {V}.
In {S} cars keep to the {V}.
Drivers in {S} stay on the {V} side of the road.
The rule of the road in {S} is to drive on the {V}.

currencies.lead
{B} is a currency of {T}.
{B} is a currency whose home is {T}.
{B} is a currency that comes from {T}.
{B} is the name of a currency of {T}.

currencies.country
{S} is a currency of {T}.
The country behind {S} is {T}.
{S} comes from {T}.
As a currency, {S} belongs to {T}.

currencies.iso_code
The three-letter code of {S} is {V}.
Bankers write {S} as {V}.
On exchange boards {S} appears as {V}.
{S} is listed under the code {V}.

currencies.subunit
The subunit of {S} is the {V}.
{S} is divided into subunits named {V}.
A smaller part of {S} is called {V}.
Small amounts below one unit of {S} are counted in {V}.

currencies.symbol
The written symbol of {S} is {V}.
Amounts in {S} carry the symbol {V}.
{S} is marked by {V} on price tags.
For short, {S} is written {V}.

currencies.central_bank
The issuer of {S} is the {V}.
The central bank in charge of {S} is the {V}.
Banknotes of {S} bear the name of the {V}.
{S} is a matter for the {V}.

us_states.lead
{B} is a state of the United States whose capital is {V}.
{B} is one of the fifty states of the United States, with its capital at {V}.
{B} is a U.S. state that has {V} as its capital.
{B} is a state in the United States; its capital is {V}.

us_states.capital
{V} is the capital of {S}.
The capital of {S} is {V}.
{S} has its state capital at {V}.
Legislators of {S} travel to the capital, {V}.

us_states.largest_city
The largest city of {S} is {V}.
{V} is the city with the most people in {S}.
Among the cities of {S}, {V} is the largest.
{S} has no larger city than {V}.

us_states.abbreviation
{S} is abbreviated {V} in postal addresses.
The postal abbreviation of {S} is {V}.
Letters to {S} are addressed with {V}.
In two letters {S} is written {V}.

us_states.admission_year
{S} was admitted to the Union in {V}.
{S} has been a state since {V}.
The year in which {S} became a state is {V}.
Statehood came to {S} in {V}.

us_states.nickname
The nickname of {S} is {V}.
{S} is nicknamed {V}.
Another name used for {S} is {V}.
Over time {S} has earned the byname {V}.

us_states.state_bird
The state bird of {S} is the {V}.
{S} has the {V} as its state bird.
As its bird {S} chose the {V}.
The bird that stands for {S} is the {V}.

us_states.state_flower
The state flower of {S} is the {V}.
{S} has the {V} as its state flower.
As its flower {S} chose the {V}.
The flower that stands for {S} is the {V}.

us_states.region
{S} belongs to the {V} of the United States.
The census counts {S} as part of the {V}.
{S} lies in the region called the {V}.
The region of {S} is the {V}.

languages.lead
{B} is a language of the {V} family.
{B} is a language that belongs to the {V} family.
{B} is counted among the languages of the {V} family.
{B} is a language; its family is {V}.

languages.family
{S} belongs to the {V} family.
The family of {S} is {V}.
Linguists count {S} in the {V} family.
Related tongues place {S} within the {V} family.

languages.branch
Within its family, {S} belongs to the {V} branch.
The branch of {S} is {V}.
{S} is one of the {V} languages.
The closest relatives of {S} are found in the {V} branch.

languages.writing_system
{S} is written in the {V} script.
The writing system of {S} is {V}.
The script used for {S} is {V}.
For writing, {S} uses the {V} script.

languages.main_country
The main country of {S} is {T}.
{S} is spoken above all in {T}.
The country most closely tied to {S} is {T}.
In the main, {S} is at home in {T}.

languages.iso_639_code
The ISO 639 code of {S} is {V}.
In ISO 639, {S} is listed as {V}.
Libraries mark books in {S} with the code {V}.
{S} has the language code {V}.

languages.native_name
Its speakers call {S} {V}.
The native name of {S} is {V}.
In the language itself {S} is named {V}.
{S} is known to its own speakers as {V}.
"""
