"""Letters of each script as sounds, in one small alphabet of our own. Tables only.

Sounds: a e i o u, p b v f t d k g m n l r s z, and x (kh), q (gh), h, c (ts), j (dz), C (ch), J (dj), S (sh),
Z (zh). A glide is written y; it is dropped or becomes i later (`redact.names.fold`).

Sources: BGN/PCGN romanisations of Armenian (1981), Russian (1947), Azerbaijani (1993) and Georgian (2009);
the practical transcription of Armenian names into Russian; the alphabets of Azerbaijani of 1939 and 1991.
"""

from __future__ import annotations

ARMENIAN = dict(
    zip(
        "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
        (
            *(
                "a",
                "b",
                "g",
                "d",
                "ye",
                "z",
                "e",
                "",
                "t",
                "Z",
                "i",
                "l",
                "x",
                "c",
                "k",
                "h",
                "j",
                "q",
                "C",
                "m",
            ),
            *(
                "y",
                "n",
                "S",
                "o",
                "C",
                "p",
                "J",
                "r",
                "s",
                "v",
                "t",
                "r",
                "c",
                "v",
                "p",
                "k",
                "o",
                "f",
                "yev",
            ),
        ),
        strict=True,
    )
)
ARMENIAN_PAIRS = {"ու": "u", "իւ": "yu", "եւ": "yev", "եա": "ya", "եօ": "yo", "ոյ": "uy", "եւո": "yevo"}
"""Read before single letters; the second to fifth are the old orthography's."""

RUSSIAN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        (
            *("a", "b", "v", "g", "d", "ye", "ye", "Z", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r"),
            *("s", "t", "u", "f", "x", "c", "C", "S", "S", "", "i", "", "e", "yu", "ya"),
        ),
        strict=True,
    )
)
CYRILLIC = RUSSIAN | {
    # Azerbaijani of 1939 to 1991
    **{"ә": "a", "ғ": "q", "ҝ": "g", "ј": "y", "ө": "o", "ү": "u", "һ": "h", "ҹ": "J"},
    # Ukrainian and Belarusian, for spellings in their passports
    **{"і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "v"},
}
CYRILLIC_PAIRS = {"дж": "J", "дз": "j", "тс": "c", "тч": "C", "тш": "C"}

LATIN = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            *("a", "b", "J", "d", "e", "f", "g", "h", "i", "J", "k", "l", "m", "n"),
            *("o", "p", "g", "r", "s", "t", "u", "v", "v", "x", "y", "z"),
        ),
        strict=True,
    )
) | {
    # Azerbaijani and Turkish; c and j above are theirs, and j is also French
    **{"ə": "a", "ğ": "q", "ı": "i", "ş": "S", "ç": "C", "ö": "o", "ü": "u", "â": "a", "î": "i", "û": "u"},
    # scholarly romanisation of Armenian (Hübschmann-Meillet)
    **{"š": "S", "ž": "Z", "č": "C", "ǰ": "J", "ł": "q", "ṙ": "r", "ē": "e", "ō": "o", "ḫ": "x"},
    **{"ß": "s", "æ": "e", "ø": "o"},
}
LATIN_PAIRS = {
    # English
    **{"kh": "x", "gh": "q", "ch": "C", "sh": "S", "zh": "Z", "ts": "c", "tz": "c", "dz": "j", "dj": "J"},
    **{"jh": "J", "ck": "k", "ph": "p", "th": "t", "yev": "yev", "rh": "r", "ee": "i", "oo": "u"},
    # French
    **{"tch": "C", "ou": "u", "gue": "ge", "gui": "gi", "dch": "J"},
    # German
    **{"tsch": "C", "dsch": "J", "sch": "S"},
}
GERMAN_MARKS = ("sch", "jan", "jew", "ja")
"""In a word with one of these j is a glide, and ch is kh."""

GEORGIAN = dict(
    zip(
        "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
        "abgdevztiklmnopZrstupkqkSCcjcCxJh",
        strict=True,
    )
)

LOOK_ALIKES = dict(zip("авекмнорстухіј", "abekmhopctyxij", strict=True))
"""Cyrillic letters that look Latin, lower case: one among letters of the other alphabet is taken for that."""
LOOK_ALIKE_DIGITS = {"0": "o", "1": "i", "3": "з", "5": "s", "8": "b", "|": "i"}
"""What OCR reads for letters, and what hides a name from a search."""

COARSE = str.maketrans(
    {
        **{
            "b": "p",
            "d": "t",
            "g": "k",
            "q": "k",
            "f": "v",
            "j": "C",
            "J": "C",
            "c": "C",
            "Z": "C",
            "S": "C",
        },
        **{"x": "", "h": "", "o": "u", "e": "i", "z": "s"},
    }
)
"""Sounds that spellings of one name confuse: voiced and voiceless (Western Armenian), g, gh and k, sibilant
sounds, h and kh, which Russian drops or writes g."""

ROOTS = {
    **{"ukanis": "uvanis", "uanis": "uvanis", "uvanis": "uvanis"},  # Hovhannes, Оганес, Ohannes
    **{"lukas": "kukas", "lasar": "kasar", "kiurki": "kivurk", "kiurk": "kivurk"},  # Ղուկաս, Ղազար, Georg
    **{"makitic": "mkrtiC", "mkrtiC": "mkrC", "mkirtiC": "mkrC"},  # Mkrtich
    **{"iakup": "akup", "iakuv": "akup"},  # Yakob
    **{"tavit": "tavt"},  # Davit and Davtyan
    **{"kasum": "kasim"},  # Касумов for Qasımov
    **{"Caturan": "saturan", "saturan": "saturan"},  # Ծատուրյան, in Azerbaijani Saturyan
}
"""Roots of given names, in merged sounds, that languages write too differently for letters to meet."""
