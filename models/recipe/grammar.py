"""Random sentences with known statistics: ``sentence(random.Random)`` gives one.

Everything is lower case and without punctuation but the apostrophe, so that a word error is a hearing error.
"""

import random
import re
import zlib
from dataclasses import dataclass

from .lexicon import COLLOCATIONS, ENGLISH, FRENCH, FRENCH_PHRASES, HOMOPHONES, MINIMAL_PAIRS, PHRASES

FRENCH_SHARE = 0.2

# weight, template; {class} is a word of that class, the others are in `_expand`.
TEMPLATES = [
    (3, "{np} {moved} {np} {pp}"), (2, "{np} {moved} {np}"), (2, "{np} {went} {pp}"), (2, "{np} {goes} {pp}"),
    (2, "{np} {likes} {object}"), (1, "{plural_np} {like} {object}"), (1, "{np} {did} {np} {when}"),
    (1, "{name} {did} {np} {pp}"), (1, "the {family} gave {name} a {adjective} {thing}"),
    (1, "can you {do} the {thing} please"), (1, "please {do} the {colour} {thing}"),
    (1, "i don't {do} the {thing} {when}"), (1, "did you {do} my {thing}"), (1, "{np} is {feeling} {when}"),
    (1, "are you {feeling}"), (1, "i'm very {feeling} {when}"), (1, "it's very {weathery} {when}"),
    (1, "the {weather} and the {weather} came from the {place}"), (1, "it was a {weathery} {season} day"),
    (1, "there was {weather} in {city} on {day}"), (1, "the {ordinal} {job} {said} nothing"),
    (1, "the {ordinal} of {month}"), (1, "on {day} the {ordinal} of {month}"),
    (1, "the {ordinal} {vehicle} is {adjective}"), (2, "{number} {animals} and {number} {things}"),
    (1, "{number} plus {number} is {number}"), (1, "my phone number is {digit} {digit} {digit} {digit}"),
    (1, "there are {number} {things} on the {thing}"), (1, "the {vehicle} to {city} leaves at {number}"),
    (1, "{name} lives in {city}"), (1, "{name} comes from {country}"),
    (1, "we travelled from {country} to {country}"), (1, "i would like a {colour} {thing}"),
    (1, "a cup of {drink} and some {food}"), (1, "{name} eats {food} with {fruits}"),
    (1, "do you want {drink} or {drink}"), (1, "my {family} is a {job}"), (1, "her {body} is {colour}"),
    (1, "his {body} and his {body} hurt"), (1, "the {job} {said} that the {animal} is {adjective}"),
    (1, "{name} and {name} play {sport} {when}"), (1, "we study {subject} on {day}"),
    (1, "the {thing} is made of {material}"), (1, "the {vehicle} went {adverb} {pp}"),
    (1, "{pronoun} {went} {adverb} {pp}"), (1, "where is the {adjective} {thing}"), (1, "who {moved} my {thing}"),
    (1, "why is the {animal} so {adjective}"), (1, "look at the {colour} {animal}"),
    (1, "the {animal} is {adjective} but the {animal} is {adjective}"), (1, "not the {pair} but the {pair}"),
    (1, "say {pair} again"), (1, "{pair} {pair} {pair}"),
]
_TEMPLATE_WEIGHTS = [weight for weight, _ in TEMPLATES]
MAX_WORDS = 16


@dataclass(frozen=True)
class Sentence:
    language: str
    text: str
    kind: str  # template, phrase, collocation, number or salad

    @property
    def is_held_out(self) -> bool:
        """Whether this sentence belongs to evaluation, decided by its text alone so that no list need be kept.

        Fixed phrases and collocations are never held out: each is a single sentence, so withholding one withholds the
        only place where its words meet.
        """
        if self.kind in ("phrase", "collocation") or len(self.text.split()) < 3:
            return False
        return zlib.crc32(self.text.encode()) % 25 == 0


def sentence(rng: random.Random, simple: bool = False) -> Sentence:
    """One sentence; `simple` gives only single words and short phrases, which is what training begins with."""
    draw = rng.random()
    if rng.random() < FRENCH_SHARE:
        if simple or draw < 0.12:
            if draw < 0.3:
                return Sentence("fr", rng.choice(FRENCH_PHRASES), "phrase")
            return Sentence("fr", " ".join(rng.choice(FRENCH_SALAD) for _ in range(rng.choice((1, 1, 2)))), "salad")
        if draw < 0.28:
            return Sentence("fr", rng.choice(FRENCH_PHRASES), "phrase")
        return Sentence("fr", _french(rng), "template")
    if simple:
        draw *= 0.34
    if draw < 0.15:  # word salad: no language model can help, so the encoder has to listen
        return Sentence("en", " ".join(rng.choice(ENGLISH_SALAD) for _ in range(rng.choice((1, 1, 1, 2, 3)))), "salad")
    if draw < 0.27:
        return Sentence("en", rng.choice(PHRASES), "phrase")
    if draw < 0.34:
        digits = 1 if simple else rng.choice((1, 1, 2, 3, 4, 5, 6))
        spoken = _number(rng) if rng.random() < 0.4 else " ".join(rng.choice(ENGLISH["digit"]) for _ in range(digits))
        return Sentence("en", spoken, "number")
    if draw < 0.41:
        opening = rng.choice(list(COLLOCATIONS))
        return Sentence("en", f"{opening} {rng.choice(COLLOCATIONS[opening])}", "collocation")
    text = _english(rng)
    if draw > 0.94:
        text += " and " + _english(rng)
    return Sentence("en", " ".join(text.split()[:MAX_WORDS]), "template")


def _english(rng):
    template = rng.choices(TEMPLATES, _TEMPLATE_WEIGHTS)[0][1]
    pairs, used = rng.choice(MINIMAL_PAIRS), set()
    text = re.sub(r"\{(\w+)\}", lambda match: _expand(rng, match[1], pairs, used), template)
    return re.sub(r"\b(?:a|an) (\w+)", lambda match: f"{_indefinite(match[1])} {match[1]}", text)


def _expand(rng, symbol, pairs, used):
    if symbol == "np":
        if rng.random() < 0.15:
            return rng.choice(ENGLISH["name"])
        noun = rng.choice(ENGLISH[rng.choice(("animal", "animal", "job", "job", "family", "thing", "vehicle", "fruit"))])
        modifier = rng.choice(ENGLISH[rng.choice(("adjective", "colour"))]) + " " if rng.random() < 0.35 else ""
        return f"{rng.choice(ENGLISH['determiner'])} {modifier}{noun}"
    if symbol == "plural_np":
        return f"{rng.choice(ENGLISH['plural_determiner'])} {rng.choice(ENGLISH[rng.choice(('animals', 'things'))])}"
    if symbol == "pp":
        return f"{rng.choice(ENGLISH['preposition'])} the {rng.choice(ENGLISH['place'])}"
    if symbol == "object":
        food, drink = rng.choice(ENGLISH["food"]), rng.choice(ENGLISH["drink"])
        coloured = f"the {rng.choice(ENGLISH['colour'])} {rng.choice(ENGLISH['thing'])}"
        return rng.choice((food, rng.choice(ENGLISH["fruits"]), drink, coloured, f"{food} and {drink}"))
    if symbol == "number":
        return _number(rng)
    words = pairs if symbol == "pair" else ENGLISH[symbol]
    word = rng.choice([word for word in words if word not in used] or words)
    used.add(word)
    return word


def _indefinite(word):
    return "an" if word[0] in "aeiou" and not word.startswith(("uni", "one")) else "a"


def _number(rng):
    draw = rng.random()
    below_hundred = f"{rng.choice(ENGLISH['tens'])} {rng.choice(ENGLISH['digit'][1:])}"
    if draw < 0.3:
        return rng.choice(ENGLISH["digit"][1:])
    if draw < 0.5:
        return rng.choice(ENGLISH["teen"])
    if draw < 0.6:
        return rng.choice(ENGLISH["tens"])
    if draw < 0.85:
        return below_hundred
    count = rng.choice(ENGLISH["digit"][1:])
    if draw < 0.95:
        return f"{count} hundred and {below_hundred}" if rng.random() < 0.5 else f"{count} hundred"
    return f"{count} thousand"


def _french(rng):
    draw, choice = rng.random(), lambda word_class: rng.choice(FRENCH[word_class])
    if draw < 0.25:
        tail = f" {choice('preposition')} {_french_noun_phrase(rng)}" if rng.random() < 0.4 else ""
        return f"{_french_noun_phrase(rng)} {choice('takes_object')} {_french_noun_phrase(rng)}{tail}"
    if draw < 0.40:
        return f"{choice('pronoun')} {choice('takes_object')} {_french_noun_phrase(rng)}"
    if draw < 0.55:
        return f"{_french_noun_phrase(rng)} {choice('stands_alone')} {choice('preposition')} {_french_noun_phrase(rng)}"
    if draw < 0.68:
        return f"{choice('number')} {choice('plural')} et {choice('number')} {choice('plural')}"
    if draw < 0.80:
        gender = rng.choice(("masculine", "feminine"))
        return f"{_french_noun_phrase(rng, gender)} est {choice(gender + '_adjective')}"
    if draw < 0.90:
        return f"{choice('when')} c'est {choice('day')}"
    verb = choice("first_person")
    elided = f"j'{verb}" if verb[0] == "a" else f"je {verb}"
    return f"{elided} {_french_noun_phrase(rng)} {choice('when')}"


def _french_noun_phrase(rng, gender=None):
    gender = gender or rng.choice(("masculine", "feminine"))
    noun = rng.choice(FRENCH[gender])
    masculine = gender == "masculine"
    determiner = rng.choice(("le", "un", "mon", "ce", "son") if masculine else ("la", "une", "ma", "cette", "sa"))
    if noun[0] in "aeéoh":  # elision and liaison before a vowel
        determiner = {"le": "l'", "la": "l'", "ce": "cet", "ma": "mon", "sa": "son"}.get(determiner, determiner)
    return determiner + noun if determiner.endswith("'") else f"{determiner} {noun}"


def _vocabulary(classes, *texts):
    words = {word for members in classes for word in members}
    return sorted(words | {word for text in texts for word in re.sub(r"\{\w+\}", " ", text).split()})


ENGLISH_WORDS = _vocabulary(
    [*ENGLISH.values(), *MINIMAL_PAIRS, ["an", "hundred", "thousand"]], *PHRASES, *COLLOCATIONS,
    *(ending for endings in COLLOCATIONS.values() for ending in endings), *(text for _, text in TEMPLATES))
FRENCH_WORDS = _vocabulary(
    [*FRENCH.values(), "le la un une mon ma ce cet cette son sa est et je c'est l'oiseau l'école".split()], *FRENCH_PHRASES)
ENGLISH_SALAD = [word for word in ENGLISH_WORDS if word not in HOMOPHONES]
FRENCH_SALAD = [word for word in FRENCH_WORDS if word not in HOMOPHONES]
