"""Sentence frames, part 3: elements, minerals, the sky and people of science (format: see part 1)."""

BLOCKS = """
elements.lead
{B} is a chemical element with the symbol {V}.
{B} is a chemical element whose symbol is {V}.
{B} is the chemical element that has the symbol {V}.
{B} is a chemical element; its symbol is {V}.

elements.symbol
The symbol of {S} is {V}.
{S} has the symbol {V}.
In formulas {S} appears as {V}.
Chemists write {S} with the symbol {V}.

elements.category
{S} is a {V}.
In the periodic table {S} is counted as a {V}.
The category of {S} is {V}.
By category {S} belongs with every other {V}.

elements.atomic_number
The atomic number of {S} is {V}.
{S} has the atomic number {V}.
The number of protons in an atom of {S} is {V}.
In the periodic table {S} is number {V}.

elements.atomic_mass
The atomic mass of {S} is {V}.
{S} has an atomic mass of {V}.
Weighed in atomic mass units, {S} comes to {V}.
Tables give {V} as the atomic mass of {S}.

elements.group
{S} stands in group {V} of the periodic table.
The group of {S} is {V}.
{S} shares group {V} with its closest relatives.
In the periodic table, column {V} holds {S}.

elements.period
{S} stands in period {V} of the periodic table.
The period of {S} is {V}.
In the periodic table, row {V} holds {S}.
{S} is found in the row numbered {V}.

elements.block
{S} is in the {V} block.
The block of {S} is {V}.
By its electrons {S} falls into block {V}.
Chemists count {S} to block {V}.

elements.state_at_room_temperature
At room temperature {S} is a {V}.
The state of {S} at room temperature is {V}.
On an ordinary day {S} is a {V}.
Neither warmed nor cooled, {S} is a {V}.

elements.discoverer
{S} was discovered by {V}.
The discoverer of {S} is {V}.
The discovery of {S} is due to {V}.
Credit for finding {S} goes to {V}.

elements.discovery_year
{S} was discovered in {V}.
The discovery of {S} dates from {V}.
The year of the discovery of {S} is {V}.
The finding of {S} belongs to the year {V}.

solar_system.lead
{B} is a {K} that orbits {T}.
{B} is a {K} in orbit around {T}.
{B} is a {K} whose orbit leads around {T}.
{B} is a {K}; the body it orbits is {T}.

solar_system.orbits
{S} orbits {T}.
The body that {S} orbits is {T}.
{S} goes around {T}.
At the centre of the path of {S} is {T}.

solar_system.discoverer
{S} was discovered by {V}.
The discoverer of {S} is {V}.
The discovery of {S} is credited to {V}.
Credit for the discovery of {S} goes to {V}.

solar_system.kind
{S} is a {V}.
Astronomers count {S} as a {V}.
By its kind {S} is a {V}.
As a body of the Solar System {S} is a {V}.

solar_system.discovery_year
{S} was discovered in {V}.
The discovery of {S} dates from {V}.
The year of the discovery of {S} is {V}.
The finding of {S} belongs to the year {V}.

solar_system.mean_radius_km
The mean radius of {S} is {V} kilometres.
{S} has a mean radius of {V} kilometres.
From its centre to its surface {S} measures {V} kilometres.
Seen as a ball, {S} has a radius of {V} kilometres.

solar_system.orbital_period_days
{S} takes {V} days for one orbit.
The orbital period of {S} is {V} days.
One orbit of {S} lasts {V} days.
{S} comes round again after {V} days.

solar_system.named_after
{S} is named after {V}.
The name of {S} comes from {V}.
{S} owes its name to {V}.
The name given to {S} recalls {V}.

constellations.lead
{B} is a constellation whose brightest star is {V}.
{B} is a constellation with {V} as its brightest star.
{B} is one of the 88 constellations; its brightest star is {V}.
{B} is a constellation in which {V} is the brightest star.

constellations.brightest_star
The brightest star of {S} is {V}.
{V} is the brightest star in {S}.
No star of {S} shines brighter than {V}.
First among the stars of {S} in brightness is {V}.

constellations.represents
{S} stands for the figure of the {V}.
The figure drawn in {S} is the {V}.
On star charts {S} is shown as the {V}.
The stars of {S} are said to form the {V}.

constellations.abbreviation
{S} is abbreviated {V}.
The abbreviation of {S} is {V}.
Star catalogues shorten {S} to {V}.
In three letters {S} is written {V}.

constellations.genitive
The genitive of {S} is {V}.
Stars of {S} are named with the genitive {V}.
In star names {S} becomes {V}.
The form used for stars in {S} is {V}.

constellations.celestial_hemisphere
{S} is a {V} constellation.
The celestial hemisphere of {S} is {V}.
{S} belongs to the {V} part of the sky.
Astronomers count {S} as {V}.

minerals.lead
{B} is a mineral of the {V} crystal system.
{B} is a mineral that crystallises in the {V} system.
{B} is a mineral whose crystal system is {V}.
{B} is a mineral with {V} crystals.

minerals.crystal_system
The crystal system of {S} is {V}.
{S} forms crystals of the {V} system.
Crystals of {S} belong to the {V} system.
In crystal form {S} is {V}.

minerals.colour
The usual colour of {S} is {V}.
{S} is most often {V}.
Pieces of {S} tend to be {V}.
In colour {S} is typically {V}.

minerals.formula
The chemical formula of {S} is {V}.
{S} has the formula {V}.
Chemists give {S} the formula {V}.
Written as a formula, {S} is {V}.

minerals.mohs_hardness
On the Mohs scale {S} has a hardness of {V}.
The Mohs hardness of {S} is {V}.
{S} reaches {V} on the scale of Mohs.
Scratch tests give {S} a hardness of {V}.

scientists.lead
{B} was a scientist in the field of {V}.
{B} was a scientist who worked in {V}.
{B} was a scholar whose field was {V}.
{B} is remembered as a scientist in the field of {V}.

scientists.field
The field of {S} was {V}.
{S} worked in the field of {V}.
In {V}, {S} found a life's work.
The subject to which {S} turned was {V}.

scientists.nationality
The nationality of {S} was {V}.
By nationality {S} was {V}.
Reference books list {S} as {V}.
{S} is counted as {V}.

scientists.birth_year
{S} was born in {V}.
The year of birth of {S} is {V}.
The life of {S} began in {V}.
{V} was the year in which {S} was born.

scientists.death_year
{S} died in {V}.
The year of death of {S} is {V}.
The life of {S} ended in {V}.
{V} was the year in which {S} died.

scientists.birth_place
{S} was born in {V}.
The birthplace of {S} is {V}.
{S} came from {V}.
{V} is the place where {S} was born.

scientists.known_for
{S} is known for {V}.
The name of {S} is linked with {V}.
What made {S} famous was {V}.
{S} is remembered for {V}.
"""
