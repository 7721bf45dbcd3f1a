"""A QR code as rows of text: two modules in each half-block letter, for a screen with dark ground.

Light modules are drawn and dark ones left out, so that a telephone sees dark on light.
"""

import segno

QUIET_MODULES = 2  # ISO/IEC 18004 asks for 4; the dark screen around is no part of any module
# By whether the upper and the lower module are dark.
LETTERS = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}


def draw(content: str) -> list[str]:
    """Rows of equal length: a module is one column wide and half a row high.

    Raises ValueError where `content` is too long for any QR code.
    """
    code = segno.make(content, error="l", micro=False)
    modules = [list(row) for row in code.matrix_iter(border=QUIET_MODULES)]
    if len(modules) % 2:
        modules.append([1] * len(modules[0]))
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(LETTERS[one] for one in zip(*pair, strict=True)) for pair in pairs]
