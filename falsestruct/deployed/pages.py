"""Pages of lines, and the lines as RapidOCR's own detector finds and crops them.

The detector, its settings and the crop are the package's (1.4.4), called as its main class does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from falsestruct.deployed.lines import WHITE

EDGE, BAND, WIDE = 60, 110, 1000  # pixels: white to the left, rows a line has, columns of a page
LEAST = 736  # rows and columns that a page has at least: smaller ones the package enlarges
COVERED = 0.8  # of a line's columns that a box covers, if it is to be the line's


@dataclass(frozen=True)
class Page:
    """Lines on a white page, one above another, all upright or all turned.

    Attributes:
        picture: (rows, columns).
        spots: Of each line, in the order of the lines: top, bottom, left and right of its band.
    """

    picture: np.ndarray
    spots: tuple[tuple[int, int, int, int], ...]

    def turned(self) -> Page:
        """By 180 degrees."""
        rows, columns = self.picture.shape
        spots = [(rows - low, rows - top, columns - right, columns - left)
                 for top, low, left, right in self.spots]  # fmt: skip
        return Page(self.picture[::-1, ::-1], tuple(spots))


def page(lines: Sequence[np.ndarray]) -> Page:
    """One page of all lines.

    Raises:
        ValueError: A line is higher than its band or wider than the page.
    """
    tall, wide = (max(line.shape[i] for line in lines) for i in (0, 1))
    if tall > BAND or wide > WIDE - 2 * EDGE:
        raise ValueError(f"a line has {tall} × {wide} pixels; expected at most {BAND} × "
                         f"{WIDE - 2 * EDGE}")  # fmt: skip
    picture = np.full((max(LEAST, 2 * EDGE + BAND * len(lines)), WIDE), WHITE, dtype=np.uint8)
    spots = []
    for i, line in enumerate(lines):
        top, (rows, columns) = EDGE + i * BAND, line.shape
        picture[top : top + rows, EDGE : EDGE + columns] = line
        spots.append((top, top + BAND, EDGE, EDGE + columns))
    return Page(picture, tuple(spots))


class Detector:
    """The package's detector on one thread, and its crops.

    Raises:
        ImportError: rapidocr-onnxruntime, or what it needs, isn't installed.
    """

    def __init__(self) -> None:
        from rapidocr_onnxruntime import RapidOCR

        self.package = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def quads(self, own: Page) -> list[np.ndarray | None]:
        """Corners (4, 2) of the one box at each line; None where there is none or more than one."""
        found, _ = self.package.auto_text_det(_coloured(own.picture))
        boxes = [] if found is None else [np.asarray(box, dtype=np.float32) for box in found]
        return [_only(boxes, spot) for spot in own.spots]

    def crops(self, own: Page, quads: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Lines (rows, columns) as the package cuts them from the page."""
        shown = _coloured(own.picture)
        cut = self.package.get_crop_img_list
        return [None if quad is None else cut(shown, [quad])[0][:, :, 0] for quad in quads]


def _coloured(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.repeat(picture[:, :, None], 3, axis=2))


def _only(boxes: Sequence[np.ndarray], spot: tuple[int, int, int, int]) -> np.ndarray | None:
    """The box whose middle lies in a line's band, if it is the only one and covers the line."""
    top, bottom, left, right = spot
    own = [box for box in boxes if top <= box[:, 1].mean() < bottom]
    if len(own) != 1:
        return None
    covered = min(own[0][:, 0].max(), right) - max(own[0][:, 0].min(), left)
    return own[0] if covered >= COVERED * (right - left) else None
