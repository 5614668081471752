"""Lines of text, upright or turned, and RapidOCR's network that says which.

From the package's code (1.4.4): a line is scaled to 48 rows, its width with it, but to 192 columns
at most; the rest of the picture is grey. The package turns a line if the network's answer for
"turned" is above .9. Its networks were made for Chinese text; Latin letters are drawn here, too.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from falsestruct.deployed.fonts import Font

MISSING = "rapidocr-onnxruntime isn't installed; run `pip install 'falsestruct[lines]'`"
VERSION, HASH = "1.4.4", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
ROWS, COLUMNS = 48, 192
SURE = 0.9  # above which the package turns a line
WHITE, BLACK = 255, 0
EVEN = 4  # white pixels on every side of a line
WORDS = str.split(
    "and the house water people country little world school never start city earth light thought "
    "head under story left along close night north book carry took science eat room friend began "
    "idea fish mountain stop once base hear horse cut sure watch color face wood main open seem "
    "together next white children begin walk example paper group always music those both mark"
)
LOW_WORDS = ["gym", "page", "you", "pay", "gypsum", "pique", "rugged", "group"]
LETTERS = {  # sets of letters that lines of letters are drawn from
    "small": "acemnruvw",  # neither ascenders nor descenders
    "alike": "osxzHINSXZ08",  # look alike when turned
}
# Common signs that all fonts of the list have; and signs that look alike when turned.
SIGNS = (
    "的是不在人有大上以生到地出就年可下自子和天心多小好水火山手月土木金石力文方正元北西南白米竹花雨"
)
ALIKE = "一十口日田中回申王工目井"
KINDS = {
    "Latin": ("words", "high", "low", *LETTERS),
    "Chinese": ("words", "alike"),
}
HIGH = set("bdfhklt")  # letters with ascenders
LOW = set("gjpqy")  # letters with descenders


def text(kind: str, rng: np.random.Generator, *, script: str = "Latin", signs: int = 10) -> str:
    """The text of a line.

    Args:
        kind: words; of Latin also high or low, words with ascenders and no descenders, or the
            reverse; or a set of LETTERS. Chinese signs are drawn one by one.
        signs: About how many.

    Raises:
        ValueError: no such kind.
    """
    kinds = KINDS[script]
    if kind not in kinds:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(kinds)}")
    if script == "Chinese" or kind in LETTERS:
        known = (SIGNS if kind == "words" else ALIKE) if script == "Chinese" else LETTERS[kind]
        return "".join(rng.choice(list(known)) for _ in range(signs))
    words = WORDS if kind == "words" else [w for w in WORDS + LOW_WORDS if _height(w) == kind]
    found = str(rng.choice(words))
    while len(found) < signs - 2:
        found += " " + str(rng.choice(words))
    return found


def _height(word: str) -> str:
    up, down = len(HIGH & set(word)), len(LOW & set(word))
    return "high" if up and not down else "low" if down and not up else "neither"


def drawn(
    words: str, font: Font, *, size: int = 40, boxes: bool = False, hung: bool = False
) -> np.ndarray:
    """A line, black on white, cropped to its ink with EVEN white pixels around, (rows, columns).

    Args:
        boxes: A black box in place of each sign, from its first to its last ink.
        hung: Each sign hangs from one line: its ink begins at the same row.

    Raises:
        ValueError: The font draws nothing.
    """
    from PIL import Image, ImageDraw

    own = font.at(size)
    picture = Image.new("L", (int(own.getlength(words)) + 4 * size, 4 * size), WHITE)
    draw = ImageDraw.Draw(picture)
    if not (boxes or hung):
        draw.text((size, size), words, fill=BLACK, font=own)
    for i, sign in enumerate(words if boxes or hung else ""):
        if sign.isspace():
            continue
        left, top, right, bottom = own.getbbox(sign)
        x, y = size + own.getlength(words[:i]), size - (top if hung else 0)
        if boxes:  # one white column stays between neighbours
            draw.rectangle((x + left, y + top, x + right - 2, y + bottom - 1), fill=BLACK)
        else:
            draw.text((x, y), sign, fill=BLACK, font=own)
    return _cropped(np.asarray(picture), f"{font.family} draws nothing of {words!r}")


def alternated(words: str, font: Font, *, first: int = 1, size: int = 40) -> np.ndarray:
    """The line with every second sign turned in its place, from the first or the second (1) on.

    Half of it is upside down, whichever way it is.
    """
    line, own = drawn(words, font, size=size).copy(), font.at(size)
    ends = np.array([own.getlength(words[:i]) for i in range(len(words) + 1)])
    # The crop begins EVEN pixels before the first ink.
    ends = (ends - own.getbbox(words)[0] + EVEN).round().astype(int).clip(0, line.shape[1])
    ends[-1] = line.shape[1]
    for left, right in list(zip(ends[:-1], ends[1:], strict=True))[first::2]:
        line[:, left:right] = turned(line[:, left:right].copy())
    return line


def _cropped(array: np.ndarray, what: str) -> np.ndarray:
    """To its ink, with EVEN white pixels around."""
    ink = array < (WHITE + BLACK) / 2
    if not ink.any():
        raise ValueError(f"{what}; expected a font with its letters")
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = array[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(cut, EVEN, constant_values=WHITE)


def margin(line: np.ndarray, pixels: int, side: str) -> np.ndarray:
    """More white above, below, above and below by halves (both), to the left or to the right.

    Args:
        pixels: Of a line of ROWS rows: scaled as the line will be.

    Raises:
        ValueError: no such side.
    """
    sides = {"above": (1, 0, 0, 0), "below": (0, 1, 0, 0), "both": (0.5, 0.5, 0, 0),
             "left": (0, 0, 1, 0), "right": (0, 0, 0, 1)}  # fmt: skip
    if side not in sides:
        raise ValueError(f"side is {side!r}; expected one of {', '.join(sides)}")
    more = pixels * len(line) / ROWS
    above, below, left, right = (round(more * one) for one in sides[side])
    return np.pad(line, ((above, below), (left, right)), constant_values=WHITE)


def ruled(line: np.ndarray, pixels: int, side: str) -> np.ndarray:
    """A black rule above the ink, or, as long and thick, upright at its right end.

    Raises:
        ValueError: no such side.
    """
    thick = max(round(pixels * len(line) / ROWS), 1)
    rows, columns = line.shape
    if side == "above":
        rule = np.full((thick, columns), BLACK, dtype=line.dtype)
        white = np.full((thick, columns), WHITE, dtype=line.dtype)
        return np.concatenate([white, rule, line])
    if side == "right":
        # As much ink: as many columns as make up the rule's pixels.
        rule = np.full((rows, max(round(thick * columns / rows), 1)), BLACK, dtype=line.dtype)
        return np.concatenate([line, rule, np.full((rows, thick), WHITE, dtype=line.dtype)], axis=1)
    raise ValueError(f"side is {side!r}; expected above or right")


def turned(line: np.ndarray) -> np.ndarray:
    """By 180 degrees: the truth is the other one now."""
    return line[::-1, ::-1]


def mirrored(line: np.ndarray) -> np.ndarray:
    """Left to right: its top stays above, its signs are reversed."""
    return line[:, ::-1]


def ink_is_high(line: np.ndarray) -> bool:
    """Whether more than half of the ink lies in the upper half of the ink's rows."""
    ink = (WHITE - line.astype(float)) / WHITE
    rows = np.flatnonzero(ink.sum(1) > 0.5)
    own = ink[rows[0] : rows[-1] + 1]
    centre = (own.sum(1) @ np.arange(len(own))) / own.sum()
    return bool(centre < (len(own) - 1) / 2)


def scaled(line: np.ndarray) -> np.ndarray:
    """The network's input (3, ROWS, COLUMNS), float32 in [−1, 1]; 0 beside the line.

    Bilinear with pixels' centres as OpenCV's `resize` has them, rounded to bytes as it does.
    """
    rows, columns = line.shape
    wide = min(math.ceil(ROWS * columns / rows), COLUMNS)
    tall = _between(line.astype(float), ROWS)
    own = np.rint(_between(tall.T, wide).T).clip(0, 255)
    found = np.zeros((3, ROWS, COLUMNS), dtype=np.float32)
    found[:, :, :wide] = (own / 255 - 0.5) / 0.5
    return found


def _between(values: np.ndarray, size: int) -> np.ndarray:
    """Rows of values at so many places, linear between the two nearest."""
    places = ((np.arange(size) + 0.5) * len(values) / size - 0.5).clip(0, len(values) - 1)
    below = np.floor(places).astype(int)
    above = (below + 1).clip(max=len(values) - 1)
    part = (places - below)[:, None]
    return values[below] * (1 - part) + values[above] * part


class Directions:
    """The network on one thread, and the package's threshold.

    Raises:
        ImportError: rapidocr-onnxruntime or onnxruntime isn't installed.
    """

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(model()), options, providers=["CPUExecutionProvider"]
        )
        self.input = self.session.get_inputs()[0].name

    def scores(self, lines: Sequence[np.ndarray]) -> np.ndarray:
        """The network's answer for "turned", (lines,), in [0, 1]; one line at a time."""
        feeds = ({self.input: scaled(line)[None]} for line in lines)
        return np.array([float(self.session.run(None, feed)[0][0, 1]) for feed in feeds])

    def turns(self, lines: Sequence[np.ndarray]) -> np.ndarray:
        """Whether the package would turn each line, (lines,)."""
        return self.scores(lines) > SURE


def installed() -> bool:
    """Whether the network can be asked here."""
    return all(importlib.util.find_spec(name) for name in ("rapidocr_onnxruntime", "onnxruntime"))


def identity() -> dict[str, str]:
    """Package, version, model, and SHA-256 of its file, for a record."""
    path = model()
    return {
        "package": "rapidocr-onnxruntime",
        "version": importlib.metadata.version("rapidocr-onnxruntime"),
        "model": path.stem, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip


@lru_cache(maxsize=1)
def model() -> Path:
    """Where the package keeps it, without importing the package, which wants OpenCV."""
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(MISSING)
    models = Path(next(iter(spec.submodule_search_locations))) / "models"
    found = sorted(models.glob("*cls*.onnx"))
    if len(found) != 1:
        raise ImportError(f"{models} has {len(found)} direction classifiers; expected version "
                          f"{VERSION}, with one")  # fmt: skip
    return found[0]
