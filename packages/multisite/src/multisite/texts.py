"""Texts that people write here and others read: no character in them is invisible.

Such a character could make two names look alike, turn a line around, or command the terminal that shows it.
"""

import unicodedata

#: Control, format, half of a pair, line and paragraph separators.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: Letters and symbols, says Unicode, that are drawn as nothing.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def visible(text: str) -> str:
    """The text. Raises `ValueError`, with a sentence, for a character in it that nobody sees."""
    for char in text:
        if unicodedata.category(char) in _INVISIBLE or char in _BLANKS:
            raise ValueError(f"it holds the invisible character U+{ord(char):04X}; write plain text")
    return text
