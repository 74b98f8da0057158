"""Who speaks: the voices of training, those held out, and one engine that is never heard in training.

A voice is drawn with its rate, pitch and a factor of playing speed, which moves the formants as another vocal tract
would. espeak-ng speaks most clips because it is the fastest and has the most voices; its variants are kept in two
disjoint lists so that an unseen voice is unseen in everything but its engine.
"""

import random
from dataclasses import dataclass

ESPEAK_BASES = {
    "en": ["gmw/en-US"] * 6 + ["gmw/en"] * 3 + ["gmw/en-GB-x-rp", "gmw/en-US-nyc", "gmw/en-GB-scotland",
                                                "gmw/en-GB-x-gbclan", "gmw/en-029"],
    "fr": ["roa/fr"] * 6 + ["roa/fr-BE", "roa/fr-CH"],
}
ESPEAK_VARIANTS = """m1 m2 m3 m4 m5 m6 m8 f1 f2 f3 f4 Alex Andrea Andy Annie Denis Diogo Gene Jacky Lee Marco Mario
    Michael Mike Storm adam anika antonio aunty belinda benjamin boris caleb david ed edward grandma grandpa gustave
    iven john linda max michel miguel norbert pablo paul pedro quincy rob robert sandro shelby steph travis victor zac
    klatt klatt2 klatt3""".split()
HELD_OUT_VARIANTS = "f5 m7 Alicia Hugo klatt4 steph3 iven3 marcelo".split()
FLITE_VOICES = ["slt", "slt", "rms", "rms", "awb", "awb", "kal16", "kal"]
FESTIVAL_VOICES = ["kal_diphone", "ked_diphone", "ked_diphone"]
UNSEEN_ENGINE_VOICE = "cmu_us_slt_arctic_hts"  # festival's HTS vocoder: no clip of training comes from it

SPEEDS = (0.89, 0.92, 0.95, 0.98, 1.0, 1.0, 1.0, 1.02, 1.05, 1.08, 1.12)


@dataclass(frozen=True)
class Voice:
    engine: str
    name: str
    speed: float = 1.0
    rate: float = 1.0  # espeak-ng: words a minute; flite and festival: stretch of the durations
    pitch: float | None = None
    pitch_range: float = 50

    @property
    def label(self) -> str:
        return f"{self.engine}/{self.name}"


def draw(rng: random.Random, language: str, held_out: bool = False) -> Voice:
    speed = rng.choice(SPEEDS)
    if held_out:
        rate = rng.choice((115, 235)) if rng.random() < 0.3 else rng.randint(125, 225)
        name = f"{rng.choice(ESPEAK_BASES[language])}+{rng.choice(HELD_OUT_VARIANTS)}"
        return Voice("espeak-ng", name, speed, rate, rng.randint(25, 80), rng.randint(20, 80))
    chance = rng.random() if language == "en" else 1.0
    if chance < 0.23:
        name = rng.choice(FLITE_VOICES)
        pitch = rng.uniform(80, 220) if name.startswith("kal") else None
        return Voice("flite", name, speed, rng.uniform(0.75, 1.3), pitch)
    if chance < 0.33:
        return Voice("festival", rng.choice(FESTIVAL_VOICES), speed, rng.uniform(0.75, 1.3))
    base = rng.choice(ESPEAK_BASES[language])
    name = f"{base}+{rng.choice(ESPEAK_VARIANTS)}" if rng.random() < 0.9 else base
    return Voice("espeak-ng", name, speed, rng.randint(125, 225), rng.randint(25, 80), rng.randint(20, 80))
