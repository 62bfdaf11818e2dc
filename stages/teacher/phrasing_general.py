"""Phrase book, part 4: keys common in encyclopedia infoboxes at large (format: see part 1)."""

BLOCKS = """
occupation, occupations, profession | occupation; profession | occupation profession work job | person
What was the occupation of {S}?
Which profession did {S} follow?
What did {S} do for a living?
As what did {S} earn a living?
{S} worked as {V}.
By profession, {S} was {V}.

spouse, spouses | spouse; husband or wife | spouse married marry wife husband | person
Who was the spouse of {S}?
To whom was {S} married?
Whom did {S} marry?
Who shared a marriage with {S}?
{S} was married to {V}.
{S} and {V} were married.

alma_mater, education | alma mater; place of study | alma mater studied study university education educated \
| person
What is the alma mater of {S}?
Where did {S} study?
At which institution was {S} educated?
Which institution did {S} attend?
{S} studied at {V}.
{S} was educated at {V}.

party | party; political party | party political | person
Which political party did {S} belong to?
What is the party of {S}?
Of which party was {S} a member?
{S} was a member of which political party?
{S} was a member of {V}.
In politics, {S} stood with {V}.

religion | religion; faith | religion faith religious
What is the religion of {S}?
Which religion is linked with {S}?
Which faith is recorded for {S}?
What faith goes with {S}?
{S} is linked with the faith {V}.

director, directed_by | director | director directed who
Who directed {S}?
Who is the director of {S}?
By whom was {S} directed?
Which director made {S}?
{S} was directed by {V}.
{V} directed {S}.

author, writer, written_by | author; writer | author writer wrote written who
Who wrote {S}?
Who is the author of {S}?
By whom was {S} written?
Which author wrote {S}?
{S} was written by {V}.
{V} wrote {S}.

artist, musician | artist; performing artist | artist performer recorded who
Who is the artist of {S}?
By which artist is {S}?
Which artist recorded {S}?
Who recorded {S}?
{S} was recorded by {V}.
{V} recorded {S}.

producer | producer | producer produced who
Who produced {S}?
Who is the producer of {S}?
By whom was {S} produced?
Which producer stood behind {S}?
{S} was produced by {V}.
{V} produced {S}.

publisher | publisher | publisher published publish
Who published {S}?
What is the publisher of {S}?
By which publisher was {S} brought out?
Which house published {S}?
{S} was published by {V}.
{V} published {S}.

label | record label; label | label record
On which label was {S} released?
What is the record label of {S}?
Which label released {S}?
Which record label brought out {S}?
{S} came out on {V}.
{V} released {S}.

genre | genre | genre style
What is the genre of {S}?
To which genre does {S} belong?
Which genre describes {S}?
In what genre is {S} placed?
{S} belongs to the genre {V}.
{S} is placed in the genre {V}.

released, release_date, pub_date, published | release date; date of publication | released release \
published when date
When was {S} released?
What is the release date of {S}?
When did {S} come out?
On what date was {S} first published?
{S} came out on {V}.
{S} was released on {V}.

language, languages | language | language
What is the language of {S}?
Which language is used in {S}?
In which language is {S}?
Which language belongs to {S}?
The language used in {S} is {V}.
{S} uses {V}.

founder, founders, founded_by | founder | founder founded who established
Who founded {S}?
Who is the founder of {S}?
By whom was {S} founded?
Who brought {S} into being?
{S} was founded by {V}.
{V} founded {S}.

founded, established, foundation, established_date, formation, opened | founding date; year of foundation | \
founded \
established opened when foundation formed
When was {S} founded?
When was {S} established?
What is the founding date of {S}?
Since when has {S} existed?
{S} was founded in {V}.
{S} has existed since {V}.

headquarters, hq_location, location_city | headquarters; head office | headquarters headquartered based office
Where is the headquarters of {S}?
Where is {S} based?
In which place does {S} have its head office?
From where is {S} run?
{S} is based in {V}.
{S} is run from {V}.

industry | industry; line of business | industry business
In which industry is {S} active?
What is the industry of {S}?
To which industry does {S} belong?
Which line of business is {S} in?
{S} is active in {V}.
{S} does business in {V}.

owner, owners | owner | owner owns owned who
Who owns {S}?
Who is the owner of {S}?
By whom is {S} owned?
To whom does {S} belong?
{S} is owned by {V}.
{V} owns {S}.

architect, architects | architect | architect designed who
Who designed {S}?
Who is the architect of {S}?
By which architect is {S}?
Which architect planned {S}?
{S} was designed by {V}.
{V} designed {S}.

location, place | location; place | location located where place
Where is {S}?
What is the location of {S}?
In which place is {S} found?
Where is {S} located?
{S} is found in {V}.
{S} is located in {V}.

type | type; kind | type kind
What type is {S}?
Of which type is {S}?
What is the type of {S}?
As what type is {S} classed?
{S} is classed as {V}.
{S} counts as {V}.

population_total, population, population_estimate | population; number of inhabitants | population \
inhabitants people many
What is the population of {S}?
How many inhabitants does {S} have?
How many people live in {S}?
What number of inhabitants is recorded for {S}?
{S} has {V} inhabitants.
In {S} live {V} people.

leader_name, leader_name1, mayor, president | leader; head | leader head leads mayor president who
Who is named as the leader of {S}?
Who leads {S}?
Who is the leader of {S}?
Who stands at the head of {S}?
{V} leads {S}.
{S} is led by {V}.

regnum, kingdom | kingdom; biological kingdom | kingdom regnum
Which biological kingdom does {S} belong to?
What is the kingdom of {S}?
To which kingdom do biologists assign {S}?
{S} is placed in which kingdom?
Biologists place {S} in the kingdom {V}.

phylum, divisio | phylum; division | phylum division
Which phylum does {S} belong to?
What is the phylum of {S}?
To which phylum do biologists assign {S}?
{S} is placed in which phylum?
Biologists place {S} in the phylum {V}.

classis | class; biological class | class classis
Which biological class does {S} belong to?
What is the class of {S}?
To which class do biologists assign {S}?
{S} is placed in which biological class?
Biologists place {S} in the class {V}.

ordo | order; biological order | order ordo
Which biological order does {S} belong to?
What is the order of {S}?
To which order do biologists assign {S}?
{S} is placed in which biological order?
Biologists place {S} in the order {V}.

familia | biological family; family | family familia
Which biological family does {S} belong to?
What is the biological family of {S}?
To which family do biologists assign {S}?
{S} is placed in which biological family?
Biologists place {S} in the family {V}.

genus | genus | genus
Which genus does {S} belong to?
What is the genus of {S}?
To which genus do biologists assign {S}?
{S} is placed in which genus?
Biologists place {S} in the genus {V}.

date | date | date when
On what date was {S}?
What is the date of {S}?
When did {S} take place?
When was {S}?
{S} took place on {V}.
{S} is dated {V}.

result | result; outcome | result outcome end
What was the result of {S}?
How did {S} end?
What was the outcome of {S}?
Which outcome did {S} have?
{S} ended in {V}.
The outcome of {S} was {V}.

team, current_team, club | team; club | team club play plays
Which team is {S} linked with?
What is the team of {S}?
For which team does {S} appear?
Which club goes with {S}?
{S} appears for {V}.

position, playing_position | position; playing position | position play
What is the position of {S}?
Which position does {S} take?
In what position is {S} found?
What position is recorded for {S}?
{S} takes the position {V}.

license, licence | licence | licence license
Under which licence is {S} available?
What is the licence of {S}?
Which licence covers {S}?
What licence applies to {S}?
{S} is available under the licence {V}.

developer, developers | developer | developer developed who
Who developed {S}?
Who is the developer of {S}?
By whom was {S} developed?
Which developer made {S}?
{S} was developed by {V}.
{V} developed {S}.
"""
