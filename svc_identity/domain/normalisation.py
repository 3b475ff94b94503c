"""One spelling for what people type, so that the same text is the same bytes."""

import unicodedata

from svc_identity.domain.errors import NameInvalid

DISPLAY_NAME_LENGTH_MAX = 50
SHOP_NAME_LENGTH_MAX = 80

JOINERS = frozenset("\u200c\u200d")
"""Format characters that belong to writing: Persian words and emoji families need them."""

BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: the Hangul fillers and the empty Braille pattern."""

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co"})


def normalised_email(text: str) -> str:
    """Return an address without surrounding space; its case stays as typed."""
    return unicodedata.normalize("NFC", text).strip()


def email_key(email: str) -> str:
    """Return what two spellings of one address have in common."""
    return normalised_email(email).lower()


def normalised_password(text: str) -> str:
    """Return a password as every keyboard spells it (OpaqueString of RFC 8265, section 4.2).

    Nothing is trimmed: only composed characters and kinds of space are made equal.
    """
    spaces = (" " if unicodedata.category(character) == "Zs" else character for character in text)
    return unicodedata.normalize("NFC", "".join(spaces))


def normalised_display_name(text: str) -> str:
    """Return a name for others to see; ``NameInvalid`` if nothing visible is left."""
    return _visible(text, field="display_name", length_max=DISPLAY_NAME_LENGTH_MAX)


def normalised_shop_name(text: str) -> str:
    """Return a shop's name for others to see; ``NameInvalid`` if nothing visible is left."""
    return _visible(text, field="shop_name", length_max=SHOP_NAME_LENGTH_MAX)


def _visible(text: str, *, field: str, length_max: int) -> str:
    """Compose, drop what cannot be seen (it would make two names look alike), join the spaces."""
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace()
        or character in JOINERS
        or not (character in BLANKS or unicodedata.category(character) in INVISIBLE_CATEGORIES)
    )
    name = " ".join(kept.split())
    if not name.strip("".join(JOINERS) + " ") or len(name) > length_max:
        raise NameInvalid(field=field, length_max=length_max)
    return name
