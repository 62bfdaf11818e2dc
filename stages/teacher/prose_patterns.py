"""What `prose` looks for in a sentence: one line per pattern, the value in its one group.

{DATE} is a date or a year, {NAME} a run of capitalised words. Names are bounded in words and gaps in
characters, so that matching stays linear in a sentence's length.
"""

import functools
import re

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = rf"(?:\d{{1,2}} {_MONTH},? \d{{3,4}}|{_MONTH} \d{{1,2}}, ?\d{{4}}|{_MONTH} \d{{4}}|\d{{4}})"
_JOINT = r"(?:(?:of|the|de|del|da|di|du|la|le|von|van|der|den|bin|al) ){0,2}"
_NAME = rf"(?:St\. )?[A-Z](?:\.|[\w’'-]*)(?: {_JOINT}[A-Z](?:\.(?= )|[\w’'-]*)){{0,4}}"
_LINES = r"""
date_of_birth | \bborn(?: [A-Z][\w.-]+){0,4},?;? (?:on )?({DATE})
date_of_birth | \( ?(?:[^()\d]{0,40}[;,] )?({DATE})(?: in [^()–-]{2,60})? ?[–—-]+ ?[^()]{0,60}\d{3,4}
date_of_death | \([^()]{0,80}\d{3,4}[^()–—]{0,60} ?[–—] ?({DATE})
date_of_death | \bdied (?:on |in )?({DATE})
birth_place | \bborn\b[^.;()]{0,40}? (?:in|at) (?:the )?({NAME})
death_place | \bdied\b[^.;()]{0,40}? (?:in|at) (?:the )?({NAME})
director | \bdirected(?: and (?:written|produced|co-written))? by ({NAME})
author | \b(?:written|authored)(?: and \w+)? by ({NAME})
author | \b(?:novel|book|poem|play|story|manga)(?: series)? by (?:[A-Z]?[a-z][\w-]* ){0,4}({NAME})
artist | \b(?:album|single|song|EP|mixtape)(?: recorded| released)? by (?:[A-Z]?[a-z][\w-]* ){0,5}({NAME})
producer | \bproduced by ({NAME})
publisher | \bpublished by ({NAME})
developer | \bdeveloped by ({NAME})
architect | \bdesigned by (?:the )?(?:architects? )?({NAME})
founder | \b(?:founded|established|created|co-founded)(?: in \d{4})? by ({NAME})
owner | \bowned by (?:the )?({NAME})
leading_actor | \b(?:starring|stars) ({NAME})
released | \b(?:released|published|premiered|issued|aired)\b[^.;]{0,40}? (?:in|on) ({DATE})
founded | \b(?:founded|established|formed|incorporated|started|began)\b[^.;]{0,30}? (?:in|on) ({DATE})
opened | \b(?:opened|inaugurated)\b[^.;]{0,30}? (?:in|on) ({DATE})
year_of_construction | \b(?:built|constructed|completed|erected)\b[^.;]{0,20}? in (\d{4})
headquarters | \b(?:headquartered|based) in (?:the )?({NAME})
location | \b(?:located|situated|lies|lying|held) (?:in|on|near|at|within) (?:the )?({NAME})
location | \b(?:{PLACE})\b[^.;()]{0,40}? in (?:the )?({NAME})
population | \bpopulation (?:of|was|is)(?: about| around| approximately| estimated at)? ?(\d[\d,]*)
team | \b(?:plays|played|playing|appeared)\b[^.;()]{0,50}? (?:for|with) (?:the )?({NAME})
membership | \bmember of (?:the )?({NAME})
alma_mater | \b(?:studied|educated|graduated|degree)\b[^.;()]{0,40}? (?:at|from) (?:the )?({NAME})
alma_mater | \b(?:attended|attending) (?:the )?({NAME})
spouse | \b(?:married(?: to)?|(?:wife|husband|widow|spouse) of)(?: \w+){0,3}? ({NAME})
parent | \b(?:son|daughter|child) of(?: the| [a-z]+){0,4} ({NAME})
sibling | \b(?:brother|sister|sibling) of(?: the| [a-z]+){0,4} ({NAME})
familia | \bfamily ([A-Z][a-z]+(?:idae|aceae|inae))\b
genus | \bgenus ([A-Z][a-z]+)\b
language | \b([A-Z][a-z]+)-? ?language\b
alternative_name | \b(?:also known as|better known as|also called|formerly known as) (?:the )?[\"“]? ?({NAME})
year_of_election | \b(?:elected|appointed|inducted)\b[^.;]{0,60}? in (\d{4})
"""
_PLACE = (
    "town|village|city|municipality|commune|district|county|region|river|lake|mountain|island|school|church|"
    "park|building|station|museum|suburb|neighbou?rhood|hamlet|community|province|stadium|college|university|"
    "newspaper|parish|cemetery"
)
_COUNTRIES = (
    "Afghanistan|Albania|Algeria|Argentina|Armenia|Australia|Austria|Azerbaijan|Bangladesh|Belarus|Belgium|"
    "Bolivia|Bosnia and Herzegovina|Brazil|Bulgaria|Cambodia|Cameroon|Canada|Chile|China|Colombia|Costa Rica|"
    "Croatia|Cuba|Cyprus|Czech Republic|Denmark|Ecuador|Egypt|England|Estonia|Ethiopia|Finland|France|"
    "Germany|Ghana|Greece|Hungary|Iceland|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy|Jamaica|Japan|"
    "Jordan|Kazakhstan|Kenya|Latvia|Lebanon|Lithuania|Luxembourg|Malaysia|Mexico|Moldova|Mongolia|Morocco|"
    "Nepal|Netherlands|New Zealand|Nigeria|North Korea|Norway|Pakistan|Peru|Philippines|Poland|Portugal|"
    "Romania|Russia|Scotland|Senegal|Serbia|Singapore|Slovakia|Slovenia|South Africa|South Korea|Spain|"
    "Sri Lanka|Sudan|Sweden|Switzerland|Syria|Taiwan|Tanzania|Thailand|Tunisia|Turkey|Uganda|Ukraine|"
    "United Kingdom|United States|Uruguay|Venezuela|Vietnam|Wales|Zambia|Zimbabwe"
)
COUNTRY = re.compile(rf"(?:\bin|,) (?:the )?({_COUNTRIES})\b(?! (?:national|and)\b)")
DEFINITION = re.compile(r"\b(?:is|was|are|were) (?:an?|the|one of the) ((?:[\w’'-]+ ?){1,8})")
# What ends the noun phrase of a definition.
END = re.compile(
    r"\b(?:who|which|that|where|whose|when|located|situated|in|on|at|from|of|for|by|to|with|about|best|born|"
    r"known|directed|written|produced|created|released|published|founded|established|starring|based|playing|"
    r"played|active|set|made|used|named|called|currently|composed|recorded|featuring|as|is|was|has|had|near|"
    r"developed|between|during|within|since|under|working|living|owned|designed|built|found|serving|formed|"
    r"than|being|having|noted|famous|also|he|she|it|held|only|most|formerly|native|originally|specializing)\b"
)
_PEOPLE = r"[A-Z][a-z]+(?:an|ish|ese|ch|ek|i|ss|elsh|no|Zealand|Rican|Lankan)"
DEMONYM = re.compile(
    rf"^(?:(?:North|South|West|East|New|Costa|Puerto|Sri|Saudi) )?{_PEOPLE}"
    r"(?:[- ]+(?!Roman)[A-Z][a-z]+(?:an|ish|ese|ch|i))? "
)
PERSON = re.compile(
    r"(?:or|er|ist|ian|man|woman|ant|ess|poet|monk|bishop|king|queen|judge|saint|star|model|athlete|scholar|"
    r"chef|coach|mathematic\w*|general|priest|critic|duke|count|earl|noble|diplomat|surgeon|pilot|spy)$"
)
RELATION = re.compile(r"\b(?:sons?|daughters?|child|brother|sister|wife|husband|heir|member|name)$")
WORK = re.compile(
    r"\b(?:film|album|song|single|novel|book|series|game|play|magazine|show|documentary|EP|opera)$"
)


@functools.cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return (key, pattern) in the order of precedence."""
    filled = _LINES.strip().replace("{DATE}", _DATE).replace("{NAME}", _NAME).replace("{PLACE}", _PLACE)
    pairs = (line.split(" | ", 1) for line in filled.splitlines())
    return tuple((key, re.compile(pattern)) for key, pattern in pairs)
