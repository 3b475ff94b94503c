"""What the demonstration sells."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lot:
    """A thing, with what it opens at and what people think it is worth, in cents.

    `reserve_minor` is hidden from the bidders; None means that it sells at any price.
    """

    title: str
    description: str
    opening_minor: int
    worth_minor: int
    reserve_minor: int | None = None


LOTS = (
    Lot(
        "Cartier Tank, 1990s",
        "Gold-plated case, quartz, serviced last spring. The strap is new, the patina is not.",
        120_00,
        780_00,
        450_00,
    ),
    Lot(
        "Leica M6, black chrome",
        "Meter works, shutter is accurate to 1/1000. Brassed where fingers have been for decades.",
        400_00,
        2_150_00,
        1_600_00,
    ),
    Lot(
        "Braun T3 pocket radio, 1958",
        "The one that inspired a famous music player. Plays medium wave, smells of Bakelite.",
        25_00,
        260_00,
    ),
    Lot(
        "Fender Jazzmaster, 1964",
        "All original but the tuners. Sunburst, case candy included, one neck repair.",
        900_00,
        4_800_00,
        3_500_00,
    ),
    Lot(
        "Olivetti Valentine typewriter",
        "Red as ever, with its sleeve. Types evenly; the e is a little proud of itself.",
        40_00,
        320_00,
    ),
    Lot(
        "First edition: The Left Hand of Darkness",
        "Ace paperback original, 1969. Tight spine, uncracked, previous owner's name inside.",
        15_00,
        180_00,
    ),
    Lot(
        "Eames lounge chair, rosewood, 1971",
        "With ottoman. Shock mounts replaced, leather fed twice a year, label present.",
        600_00,
        3_900_00,
        2_800_00,
    ),
    Lot(
        "Nintendo Game Boy, boxed",
        "Launch model with manual and a falling-blocks game that needs no introduction.",
        20_00,
        145_00,
    ),
    Lot(
        "Omega Speedmaster, 1968",
        "Calibre 861, dial untouched. Went to no moon, but ran through two marathons.",
        800_00,
        4_200_00,
        3_000_00,
    ),
    Lot(
        "Moroccan Beni Ourain rug, 2 by 3 m",
        "Hand-knotted undyed wool, about fifty years old, washed and moth-free.",
        80_00,
        690_00,
    ),
    Lot(
        "Technics SL-1200 MK2, a pair",
        "Both from one club, both rebuilt. Pitch faders centred and honest.",
        150_00,
        880_00,
        500_00,
    ),
    Lot(
        "Polaroid SX-70, tan leather",
        "Folds flat, focuses sharp, ejects film as it should. Tested with fresh film.",
        30_00,
        240_00,
    ),
    Lot(
        "Murano glass vase, 1960s",
        "Sommerso in amber and green, 28 cm, no chips. Catches the afternoon like a lamp.",
        25_00,
        210_00,
    ),
    Lot(
        "Brompton, six gears, raw lacquer",
        "Ridden to work and nowhere else. New chain, dynamo light, fits under any desk.",
        200_00,
        950_00,
        600_00,
    ),
    Lot(
        "Signed print: Lighthouse at Dusk",
        "Linocut, 14 of 50, framed behind museum glass. Numbered and signed in pencil.",
        20_00,
        165_00,
    ),
    Lot(
        "Sony Walkman TPS-L2",
        "The blue and silver original with two headphone jacks and the orange talk button.",
        60_00,
        520_00,
    ),
    Lot(
        "La Pavoni lever espresso machine",
        "Chrome, eight cups, new seals. Makes excellent coffee once it has trained its owner.",
        70_00,
        430_00,
    ),
    Lot(
        "Meteorite slice, Campo del Cielo",
        "92 g of etched iron with a certificate. Four and a half billion years, one owner.",
        15_00,
        130_00,
    ),
    Lot(
        "Herman Miller Nelson clock",
        "Ball clock in walnut, silent movement, runs to the minute.",
        30_00,
        290_00,
    ),
    Lot(
        "Wooden sailing dinghy, 3.4 m",
        "Clinker-built in 1978, revarnished, with sails and trailer. Collect at the jetty.",
        250_00,
        1_450_00,
        900_00,
    ),
)

SELLERS = (
    "Second Hand Watches",
    "Attic & Archive",
    "Nordlicht Vintage",
    "The Listening Room",
)

SHOW_SELLER = "Live from the Attic"

BIDDERS = (
    *("Ada", "Bo", "Chidi", "Dunya", "Emre", "Freya", "Goro", "Hana", "Ines", "Jonas"),
    *("Kamala", "Liam", "Mei", "Nuru", "Olga", "Paulo", "Qing", "Rosa", "Samir", "Tove"),
)
