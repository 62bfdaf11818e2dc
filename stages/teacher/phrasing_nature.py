"""Phrase book, part 3: elements, minerals, the sky and people of science (format: see part 1)."""

BLOCKS = """
atomic_number, number | atomic number; number of protons | atomic number protons
What is the atomic number of {S}?
Which atomic number does {S} have?
How many protons are in an atom of {S}?
Under which number does {S} stand in the periodic table?
An atom of {S} has {V} protons.
{S} stands at number {V} in the periodic table.
The nucleus of {S} holds {V} protons.

atomic_mass, standard_atomic_weight | atomic mass; atomic weight | atomic mass weight heavy
What is the atomic mass of {S}?
Which atomic mass does {S} have?
What is the atomic weight of {S}?
How heavy is an atom of {S} in atomic mass units?
An atom of {S} weighs {V} atomic mass units.
{S} weighs {V} on the atomic scale.
Chemists reckon {S} at {V} atomic mass units.

group | group; group in the periodic table; column of the periodic table | group column
Which group of the periodic table is {S} in?
What is the group of {S}?
To which group does {S} belong?
In which column of the periodic table does {S} stand?
{S} stands in group {V}.
{S} belongs to group {V} of the periodic table.
Column {V} of the periodic table contains {S}.

period | period; period in the periodic table; row of the periodic table | period row
Which period of the periodic table is {S} in?
What is the period of {S}?
To which period does {S} belong?
In which row of the periodic table does {S} stand?
{S} stands in period {V}.
{S} belongs to period {V} of the periodic table.
Row {V} of the periodic table contains {S}.

block | block; block of the periodic table | block
Which block of the periodic table is {S} in?
What is the block of {S}?
To which block does {S} belong?
{S} is placed in which block of the periodic table?
{S} stands in the {V}.
{S} is placed in block {V}.
Chemists count {S} to the block {V}.

category, series | category; class of elements | category class
What is the category of {S}?
Which category of elements does {S} belong to?
To which class of elements is {S} counted?
In which category do chemists place {S}?
Chemists place {S} under {V}.
{S} is counted as {V}.
Among the elements, {S} is classed as {V}.

state_at_room_temperature, phase | state at room temperature; state of matter | state room temperature \
solid liquid gas phase matter
What is the state of {S} at room temperature?
In which state of matter is {S} at room temperature?
Is {S} a solid, a liquid or a gas at room temperature?
Which state of matter does {S} take at room temperature?
At room temperature, {S} is {V}.
In a warm room, {S} is found as {V}.
{S} takes the state {V} at room temperature.

discoverer, discovered_by, discovery_by | discoverer; finder | who discovered discoverer discovery found \
credited
Who discovered {S}?
By whom was {S} discovered?
Who is the discoverer of {S}?
Who is credited with the discovery of {S}?
{S} was discovered by {V}.
{V} discovered {S}.
The discovery of {S} is credited to {V}.

discovery_year, discovered, discovery_date | year of discovery; discovery year | year when discovered \
discovery found
In which year was {S} discovered?
When was {S} discovered?
What is the discovery year of {S}?
In what year was {S} first found?
{S} was discovered in {V}.
In {V}, {S} was first found.
The discovery of {S} dates from {V}.

kind | kind of body; type of celestial body | kind type celestial body object
What kind of celestial body is {S}?
What is the kind of {S}?
Which type of body is {S}?
As what kind of body is {S} classed?
{S} is a {V}.
Astronomers class {S} as a {V}.
Among celestial bodies, {S} counts as a {V}.

orbits, satellite_of, parent_body | parent body; central body | orbit orbits orbiting around circle circles
What body does {S} orbit?
Around which body does {S} move?
{S} circles which body?
Which body lies at the centre of the orbit of {S}?
{S} orbits {V}.
{S} moves around {V}.
The orbit of {S} leads around {V}.

mean_radius_km, mean_radius, radius | mean radius; average radius | radius mean large kilometres | kilometres
What is the mean radius of {S} in kilometres?
How many kilometres does the mean radius of {S} measure?
How large is the average radius of {S} in kilometres?
What radius does {S} have, measured in kilometres?
From centre to surface, {S} measures {V}.
{S} has a radius of {V}.
The distance from centre to surface of {S} is {V}.

orbital_period_days, orbital_period | orbital period; time of one orbit | orbital period orbit days long | \
days
What is the orbital period of {S} in days?
How many days does one orbit of {S} take?
How long does {S} need for one orbit, in days?
In how many days does {S} complete an orbit?
{S} completes an orbit in {V}.
One orbit of {S} takes {V}.
{S} needs {V} for one orbit.

named_after, named_for | namesake; origin of its name | named name namesake after
After whom or what is {S} named?
What is {S} named after?
Who or what gave {S} its name?
Who or what is the namesake of {S}?
{S} is named after {V}.
{V} gave {S} its name.
The name {S} goes back to {V}.

brightest_star, brighteststarname | brightest star; most brilliant star | brightest star brilliant
What is the brightest star of {S}?
Which star is the brightest in {S}?
What is the name of the brightest star in {S}?
Which star outshines the others in {S}?
No star in {S} is brighter than {V}.
{V} outshines the other stars in {S}.
In {S}, {V} shines brightest.

genitive | genitive; genitive form | genitive form
What is the genitive of {S}?
Which genitive form belongs to {S}?
What genitive is used in the star names of {S}?
How does the name {S} read in the genitive?
In the genitive, {S} becomes {V}.
Star names in {S} use the form {V}.
The name {S} turns into {V} in the genitive.

celestial_hemisphere, hemisphere | celestial hemisphere; hemisphere of the sky | hemisphere northern \
southern sky half
In which celestial hemisphere is {S}?
What is the celestial hemisphere of {S}?
Which half of the sky holds {S}?
To which hemisphere of the sky does {S} belong?
{S} lies in the {V} sky.
The {V} sky holds {S}.
{S} is counted among the {V} constellations.

represents, symbolism | figure; represented figure | represent represents represented figure picture stand
What does {S} represent?
What figure is seen in {S}?
What is represented by {S}?
Which figure does {S} stand for?
{S} represents {V}.
The stars of {S} stand for {V}.
{S} pictures {V} in the sky.

formula, chemical_formula | formula; chemical formula | formula chemical composition
What is the formula of {S}?
Which chemical formula does {S} have?
What is the chemical formula of {S}?
By what formula do chemists describe {S}?
Chemists write {S} as {V}.
{S} has the composition {V}.
{S} is made up as {V}.

mohs_hardness, mohs | Mohs hardness; hardness | mohs hardness hard scale
What is the Mohs hardness of {S}?
How hard is {S} on the Mohs scale?
Which value does {S} have on the Mohs scale?
Where does {S} stand on the Mohs scale of hardness?
{S} reaches {V} on the Mohs scale.
On the Mohs scale, {S} stands at {V}.
{S} scratches like a mineral of hardness {V}.

crystal_system, system | crystal system; system of its crystals | crystal system crystals crystallise
What is the crystal system of {S}?
In which crystal system does {S} form?
Which system do the crystals of {S} follow?
{S} crystallises in which system?
{S} crystallises in the {V} system.
Crystals of {S} are {V}.
{S} forms {V} crystals.

colour, color | colour; typical colour | colour color coloured
What is the colour of {S}?
Which colour does {S} have?
What colour is {S}?
In what colour is {S} typically found?
{S} is typically {V}.
{S} is found in {V}.
Samples of {S} look {V}.

birth_year, birth_date, born | year of birth; birth year | born birth year when | person
In which year was {S} born?
When was {S} born?
What is the birth year of {S}?
In what year did the life of {S} begin?
{S} was born in {V}.
The life of {S} began in {V}.
In {V}, {S} was born.

death_year, death_date, died | year of death; death year | died death die year when | person
In which year did {S} die?
When did {S} die?
What is the death year of {S}?
In what year did the life of {S} end?
{S} died in {V}.
The life of {S} ended in {V}.
In {V}, {S} passed away.

birth_place, birthplace, place_of_birth | birthplace; place of birth | born birth birthplace place where | \
person
Where was {S} born?
What is the birthplace of {S}?
In which place was {S} born?
In which place did the life of {S} begin?
{S} was born in {V}.
{S} came into the world in {V}.
The life of {S} began in {V}.

death_place, place_of_death | place of death | died death die place where | person
Where did {S} die?
What is the place of death of {S}?
In which place did {S} die?
In which place did the life of {S} end?
{S} died in {V}.
The life of {S} ended in {V}.

nationality, citizenship | nationality; citizenship | nationality national citizen citizenship | person
What is the nationality of {S}?
Which nationality did {S} have?
Of which nationality was {S}?
What nationality do reference works give for {S}?
{S} was {V} by nationality.
By citizenship, {S} was {V}.

field, fields, discipline | field; field of work; discipline | field work worked discipline subject science \
| person
What was the field of {S}?
In which field did {S} work?
Which discipline did {S} work in?
What is the scientific field of {S}?
{S} worked in {V}.
{S} was active in {V}.
The work of {S} belongs to {V}.

known_for, notable_works, notable_work | main achievement; claim to fame; best-known work | known famous \
achievement best | person
What is {S} known for?
For what is {S} best known?
What is the best-known achievement of {S}?
What made {S} famous?
{S} is known for {V}.
{S} became famous for {V}.
{V} made {S} famous.
"""
